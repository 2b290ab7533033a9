"""The table `deadlines`: within which time each platform wants each push, from the profiles to where views read it."""

from collections.abc import Iterable

from connectors.interfaces.served.registry import served
from connectors.platform import Platform
from connectors.protocol import query_token
from connectors.warehouse.client import WarehouseClient

_COLUMNS = ("platform", "interface", "deadline_s", "noted_at")


def note_deadlines(client: WarehouseClient, platforms: Iterable[Platform]) -> list[str]:
    """Puts what has changed into the table; returns a `platform interface: seconds` for each.

    What is not named any more stays, since the past is judged by it. Raises WarehouseError.
    """
    known = {
        (platform, interface): deadline_s
        for platform, interface, deadline_s in client.rows(
            f"SELECT platform, interface, deadline_s FROM {_table(client)} FINAL"  # noqa: S608
        )
    }
    changed = {key: wanted for key, wanted in _wanted(platforms).items() if known.get(key) != wanted}
    if changed:
        ((now,),) = client.rows("SELECT now64(3, 'UTC')")
        rows = [(*key, deadline_s, now) for key, deadline_s in sorted(changed.items())]
        client.insert_rows(_table(client), _COLUMNS, rows)
    return [f"{platform} {interface}: {changed[platform, interface]:g} s" for platform, interface in sorted(changed)]


def _wanted(platforms: Iterable[Platform]) -> dict[tuple[str, str], float]:
    """The deadlines of what is pushed: what platforms call us for has none of delivery's."""
    not_pushed = {query_token.INTERFACE, *served()}
    return {
        (platform.name, name): float(policy.deadline_s)
        for platform in platforms
        for name, policy in platform.interfaces.items()
        if policy.on and name not in not_pushed
    }


def _table(client: WarehouseClient) -> str:
    return f"{client.warehouse.database}.deadlines"
