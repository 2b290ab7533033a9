"""`evcs platform call`: one query of an operator's server, asked and judged as the simulated platform would."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import click

from connectors.protocol.ret_codes import describe
from infra.simulator.platform import queries as q
from infra.simulator.platform import settings as demo
from infra.simulator.platform.caller import Caller
from infra.simulator.platform.dialect import CITIES, QUERY_TOKEN
from infra.simulator.platform.errors import CallError, CryptoError, FlawedAnswer, Ret
from infra.simulator.platform.settings import CallerSettings
from infra.simulator.platform.wire_json import Payload, dump

SUCCEEDED = 0
"""SuccStat 成功."""
UNKNOWN_HERE = "the operator knows no such --operator-id, or another --sig-secret for it"
"""What a claimed Ret 4001 mostly means: such an answer is signed with secrets that are not ours, either."""

Asked = Mapping[str, Any]
_CALLS: Mapping[str, tuple[tuple[str, ...], Callable[[Caller, Asked], Awaitable[Payload]]]] = {
    QUERY_TOKEN: ((), lambda caller, _: caller.token()),
    q.QUERY_STATIONS: (
        (),
        lambda caller, of: caller.stations(of["page_no"], of["page_size"], of["last_query_time"]),
    ),
    q.QUERY_STATUSES: (("station",), lambda caller, of: caller.statuses(of["station"])),
    q.QUERY_STATS: (
        ("station", "start", "end"),
        lambda caller, of: caller.stats(of["station"][0], of["start"], of["end"]),
    ),
    q.QUERY_AUTH: (("connector",), lambda caller, of: caller.auth(of["connector"])),
    q.QUERY_POLICY: (("connector",), lambda caller, of: caller.policy(of["connector"])),
    q.QUERY_START: (("connector",), lambda caller, of: caller.start(of["connector"], of["seq"])),
    q.QUERY_STOP: (("seq", "connector"), lambda caller, of: caller.stop(of["seq"], of["connector"])),
    q.QUERY_CHARGE: (("seq",), lambda caller, of: caller.charge_status(of["seq"])),
}
"""By interface: the options that it needs, and the call."""


_NEEDS = "\n".join("  " + " --".join((name, *needed)) for name, (needed, _) in _CALLS.items())
EPILOG = f"""\b
Interfaces, and what each needs:
{_NEEDS}

\b
Example:
  evcs platform call --base-url http://127.0.0.1:8080/evcs/20160701 query_token
  evcs platform call --base-url http://127.0.0.1:8080/evcs/20160701 query_station_status --station 110105001001
"""


def checked_url(_: click.Context, __: click.Parameter, value: str) -> str:
    """An address that can be called. Raises BadParameter."""
    try:
        parts = urlsplit(value)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return value
    except ValueError:
        pass
    example = "http://127.0.0.1:8080/evcs/20160701"
    raise click.BadParameter(f"{value!r} is no http or https address. Give the operator's, such as {example}")


@click.command(epilog=EPILOG)
@click.argument("interface", type=click.Choice(q.QUERIES), metavar="INTERFACE")
@click.option("--base-url", required=True, callback=checked_url, help="The operator's, up to the version.")
@click.option("--city", type=click.Choice(sorted(CITIES)), default="beijing", show_default=True, help="Who calls.")
@click.option("--station", multiple=True, help="StationID; several for query_station_status.")
@click.option("--connector", help="ConnectorID.")
@click.option("--seq", help="StartChargeSeq. [default of query_start_charge: a new one]")
@click.option("--start", help="First day, yyyy-MM-dd.")
@click.option("--end", help="Last day, yyyy-MM-dd.")
@click.option("--page-no", default=1, show_default=True, help="PageNo.")
@click.option("--page-size", default=q.PAGE_SIZE, show_default=True, help="PageSize.")
@click.option("--last-query-time", default="", help="yyyy-MM-dd HH:mm:ss. [default: all stations]")
@click.option(
    "--operator-id", envvar="EVCS_OPERATOR_ID", show_envvar=True, default=demo.DEMO_PLATFORM_ID, help="The platform's."
)
@click.option(
    "--operator-secret",
    envvar="EVCS_OPERATOR_SECRET",
    show_envvar=True,
    default=demo.DEMO_INBOUND_OPERATOR_SECRET,
    help="OperatorSecret of query_token.",
)
@click.option(
    "--data-secret",
    envvar="EVCS_DATA_SECRET",
    show_envvar=True,
    default=demo.DEMO_INBOUND_DATA_SECRET,
    help="DataSecret, 16 bytes.",
)
@click.option(
    "--data-secret-iv",
    envvar="EVCS_DATA_SECRET_IV",
    show_envvar=True,
    default=demo.DEMO_INBOUND_DATA_IV,
    help="DataSecretIV, 16 bytes.",
)
@click.option(
    "--sig-secret",
    envvar="EVCS_SIG_SECRET",
    show_envvar=True,
    default=demo.DEMO_INBOUND_SIG_SECRET,
    help="SigSecret.",
)
def call(
    interface: str,
    base_url: str,
    city: str,
    operator_id: str,
    operator_secret: str,
    data_secret: str,
    data_secret_iv: str,
    sig_secret: str,
    **asked: Any,
) -> None:
    """Ask an operator one of the nine queries, as a platform does, and print the checked payload as JSON.

    Without secrets it calls with the public test ones. Exit status 1, and everything that is wrong on stderr, if the
    answer is a refusal, by its Ret or by SuccStat 1, or departs from the protocol.
    """
    needed, ask = _CALLS[interface]
    lacking = [f"--{name}" for name in needed if not asked[name]]
    if lacking:
        raise click.UsageError(f"{interface} needs {', '.join(lacking)}")
    settings = CallerSettings(
        base_url=base_url,
        operator_id=operator_id,
        operator_secret=operator_secret,
        data_secret=data_secret,
        data_iv=data_secret_iv,
        sig_secret=sig_secret,
        dialect=CITIES[city],
    )
    try:
        payload = asyncio.run(_called(settings, lambda caller: ask(caller, asked)))
    except CryptoError as error:
        raise click.UsageError(str(error)) from error
    except FlawedAnswer as error:
        for flaw in error.flaws:
            click.echo(f"{error.interface}: {flaw.kind}: {flaw}", err=True)
        if error.ret is not None and error.ret is not Ret.OK:
            meant = UNKNOWN_HERE if error.ret is Ret.BAD_SIGNATURE else "as the flawed answer says"
            click.echo(f"{error.interface}: Ret {error.ret}, {describe(error.ret)}: {meant}", err=True)
        sys.exit(1)
    except CallError as error:
        raise click.ClickException(str(error)) from error
    click.echo(dump(payload))
    if payload.get("SuccStat", SUCCEEDED) != SUCCEEDED:
        click.echo(
            f"{interface}: refused: SuccStat {payload['SuccStat']}, FailReason {payload['FailReason']}", err=True
        )
        sys.exit(1)


async def _called(settings: CallerSettings, ask: Callable[[Caller], Awaitable[Payload]]) -> Payload:
    async with Caller(settings) as caller:
        return await ask(caller)
