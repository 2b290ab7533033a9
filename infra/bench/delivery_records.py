"""What `evcs bench delivery` sends: statuses of different connectors and progress of different charges, half and half,
so that nothing replaces anything."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import msgspec

from connectors.protocol.credentials import Credentials, Secret
from infra.simulator.platform.settings import DEMO_OPERATOR_ID, DEMO_SECRET
from schemas.records.derived import ChargeProgress, Order, StatusChange

CREDENTIALS = Credentials(DEMO_OPERATOR_ID, *(Secret(DEMO_SECRET),) * 4)

PLATFORM = "beijing"

_EXAMPLES = files("schemas") / "examples"


def records(pushes: int) -> Iterator[StatusChange | ChargeProgress]:
    """So many records, each worth one push."""
    status = msgspec.json.decode((_EXAMPLES / "status_change.v1.json").read_bytes(), type=StatusChange)
    progress = msgspec.json.decode((_EXAMPLES / "charge_progress.v1.json").read_bytes(), type=ChargeProgress)
    for number in range(pushes):
        connector_id = f"{number:016d}"
        if number % 2:
            yield replace(status, connector_id=connector_id)
        else:
            yield replace(progress, connector_id=connector_id, start_charge_seq=f"123456789{number:018d}")


def statuses(connector: int, status: int) -> StatusChange:
    """A status of a connector."""
    example = msgspec.json.decode((_EXAMPLES / "status_change.v1.json").read_bytes(), type=StatusChange)
    return replace(example, connector_id=f"{connector:016d}", status=status)


def orders(number: int) -> Order:
    """An order of a charge of its own."""
    example = msgspec.json.decode((_EXAMPLES / "order.v1.json").read_bytes(), type=Order)
    return replace(example, connector_id=f"{number:016d}", start_charge_seq=f"123456789{number:018d}")
