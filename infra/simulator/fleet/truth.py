"""The fleet's own book of charges: what really happened, whatever mishaps befell the records."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from schemas.records.charge_events import BillIssued, ChargeEvent, ChargeStarted, ChargeStartFailed

#: Charges the book holds at most; behind that the oldest ended ones are torn out. Some 500 MB.
MAX_CHARGES = 500_000


@dataclass(slots=True)
class BookedCharge:
    """One charge: who, where, registers in Wh, moments in UTC ms; the end is None while it runs.

    `to_be_billed` says whether a bill comes, `bill` holds it once it is there.
    """

    start_charge_seq: str
    connector_id: str
    station_id: str
    charge_model: int
    started_at: int
    meter_start_wh: int
    to_be_billed: bool
    stopped_at: int | None = None
    meter_end_wh: int | None = None
    stop_reason: int | None = None
    bill: BillIssued | None = None

    @property
    def complete(self) -> bool:
        """Whether it has ended."""
        return self.stopped_at is not None

    @property
    def energy_wh(self) -> int | None:
        """What it took, Wh; None while it runs."""
        return None if self.meter_end_wh is None else self.meter_end_wh - self.meter_start_wh


class Book:
    """Every charge by its StartChargeSeq."""

    def __init__(self, billed_connectors: Collection[str], max_charges: int = MAX_CHARGES) -> None:
        self._billed = frozenset(billed_connectors)
        self._max_charges = max_charges
        self._charges: dict[str, BookedCharge] = {}

    def enter(self, event: ChargeEvent) -> None:
        """Books an event of a connector, before any mishap."""
        if isinstance(event, ChargeStarted):
            self._charges[event.start_charge_seq] = BookedCharge(
                start_charge_seq=event.start_charge_seq,
                connector_id=event.connector_id,
                station_id=event.station_id,
                charge_model=event.charge_model,
                started_at=event.started_at,
                meter_start_wh=event.meter_start_wh,
                to_be_billed=event.connector_id in self._billed,
            )
            self._make_room()
            return
        if isinstance(event, ChargeStartFailed):
            return  # no charge came of it
        charge = self._charges.get(event.start_charge_seq)
        if charge is None:
            return
        if isinstance(event, BillIssued):
            charge.bill = event
        else:
            charge.stopped_at, charge.meter_end_wh = event.stopped_at, event.meter_end_wh
            charge.stop_reason = event.stop_reason

    def _make_room(self) -> None:
        if len(self._charges) > self._max_charges:
            ended = next((seq for seq, charge in self._charges.items() if charge.complete), None)
            if ended is not None:
                del self._charges[ended]

    def get(self, start_charge_seq: str) -> BookedCharge | None:
        """One charge."""
        return self._charges.get(start_charge_seq)

    def charges(self) -> list[BookedCharge]:
        """All charges in order of their start's booking."""
        return list(self._charges.values())

    def complete(self) -> list[BookedCharge]:
        """The charges that have ended: each must become an order."""
        return [charge for charge in self.charges() if charge.complete]

    def lost(self, start_charge_seqs: Iterable[str]) -> list[BookedCharge]:
        """The ended charges that are not among these."""
        found = set(start_charge_seqs)
        return [charge for charge in self.complete() if charge.start_charge_seq not in found]
