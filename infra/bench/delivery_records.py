"""What `evcs bench delivery` sends: statuses of different connectors and progress of different charges, half and half,
so that nothing replaces anything."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import msgspec

from connectors.protocol.credentials import Credentials, Secret
from schemas.records.derived import ChargeProgress, StatusChange

_SECRET = "1234567890abcdef"  # noqa: S105  the public test value of the standard's examples
CREDENTIALS = Credentials("123456789", *(Secret(_SECRET),) * 4)

PLATFORM = "beijing"


def records(pushes: int) -> Iterator[StatusChange | ChargeProgress]:
    """So many records, each worth one push."""
    examples = files("schemas") / "examples"
    status = msgspec.json.decode((examples / "status_change.v1.json").read_bytes(), type=StatusChange)
    progress = msgspec.json.decode((examples / "charge_progress.v1.json").read_bytes(), type=ChargeProgress)
    for number in range(pushes):
        connector_id = f"{number:016d}"
        if number % 2:
            yield replace(status, connector_id=connector_id)
        else:
            yield replace(progress, connector_id=connector_id, start_charge_seq=f"123456789{number:018d}")
