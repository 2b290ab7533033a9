"""One charge while it is open: its readings, the tariff periods it has entered, and what they cost.

Energy comes from the connector's cumulative register. Where a tariff period begins between two readings,
the register is interpolated linearly.
"""

from dataclasses import dataclass, field, replace

from schemas.charge_periods import periods_of
from schemas.records.charge_events import BillIssued
from schemas.records.connector_state import ChargeState, TariffMark
from schemas.records.derived import ProgressPeriod
from streams.domain.tariff import END_OF_TIME, Tariff

#: Two readings further apart than this are not of one charge; no tariff period is marked between them, so that
#: a wrong clock can't make millions of marks.
_LONGEST_GAP_MS = 31 * 86_400_000


@dataclass(slots=True)
class ProgressParts:
    """The parts of a charge's progress records that stay the same from push to push.

    `head` goes up to `started_at`; `closed` counts the periods and has all but the last; `last_at` and
    `prices` are the last one's. Sums (Wh times 1/10000 CNY/kWh) and money (fen) are those of the closed ones.
    """

    head: bytes
    closed: bytes
    last_at: bytes
    prices: bytes
    start_wh: int
    last_wh: int
    elec_price_e4: int
    service_price_e4: int
    elec_sum: int
    service_sum: int
    elec_fen: int
    service_fen: int


@dataclass(slots=True)
class Charge:
    """What is known of one open charge. Instants in UTC ms, energies in Wh; None stands for not known.

    All registers but `meter_end_wh` are raw readings plus `rebase_wh`, which makes up for a register that jumped
    back. `passed` tells that telemetry has come past the charge's end.
    """

    seq: str
    model: int
    known_at: int
    started_at: int | None = None
    start_reported: bool = False
    start_announced: bool = False
    first_sampled_at: int | None = None
    ended_at: int | None = None
    meter_end_wh: int | None = None
    stop_reason: int | None = None
    stop_reported: bool = False
    stop_announced: bool = False
    final_progress_sent: bool = False
    passed: bool = False
    rebase_wh: int = 0
    user_name: str = ""
    ident_code: str = ""
    vin: str = ""
    marks: list[TariffMark] = field(default_factory=list)
    bill: BillIssued | None = None
    stop_offset: int = -1
    bill_offset: int = -1
    flags: frozenset[str] = frozenset()
    next_push_at: int = 0
    reading_at: int = 0
    reading_wh: int = 0
    next_boundary: int = END_OF_TIME
    #: What is encoded of this charge's progress records, as long as none of it changes.
    progress_parts: ProgressParts | None = None

    @property
    def end_wh(self) -> int:
        """The register at the end; the end must be known."""
        assert self.meter_end_wh is not None
        return self.meter_end_wh + self.rebase_wh

    def begin(self, at: int, meter_wh: int, tariff: Tariff) -> None:
        """The charge starts at this register. A start that is learned late re-splits what was read before."""
        later = self.marks
        read = (self.reading_at, self.reading_wh)
        self.started_at = at
        elec, service = tariff.price_at(at)
        self.marks = [TariffMark(at, meter_wh, elec, service, at, meter_wh, at, meter_wh)]
        self.reading_at, self.reading_wh = at, meter_wh
        self.next_boundary = tariff.next_boundary(at)
        if later and read[0] > at:
            if later[0].at > at:
                self.read(later[0].at, later[0].meter_wh, tariff)
            for mark in later[1:]:
                if mark.at > self.marks[-1].at:
                    before_at = max(mark.before_at, at)
                    before_wh = max(mark.before_wh, meter_wh) if mark.before_at >= at else meter_wh
                    after = (mark.after_at, max(mark.after_wh, meter_wh))
                    self.marks.append(_placed(mark, (before_at, before_wh), after))
            self.reading_at, self.reading_wh = read[0], max(read[1], meter_wh)
            self.next_boundary = tariff.next_boundary(max(read[0], self.marks[-1].at))
        self.progress_parts = None

    def read(self, at: int, meter_wh: int, tariff: Tariff) -> None:
        """Takes a reading; marks every tariff period that began since the last one."""
        if at < self.reading_at:
            return
        meter_wh = max(meter_wh, self.reading_wh)
        if at - self.reading_at > _LONGEST_GAP_MS:
            self.flags |= {"readings_far_apart"}
            self.next_boundary = tariff.next_boundary(at)
        while self.next_boundary <= at:
            boundary = self.next_boundary
            elec, service = tariff.price_at(boundary)
            before_at, before_wh = self.reading_at, self.reading_wh
            register = interpolate(before_at, before_wh, at, meter_wh, boundary)
            self.marks.append(TariffMark(boundary, register, elec, service, before_at, before_wh, at, meter_wh))
            self.next_boundary = tariff.next_boundary(boundary)
            self.progress_parts = None
        self.reading_at, self.reading_wh = at, meter_wh

    def close(self, tariff: Tariff) -> None:
        """Cuts the marks at the end of the charge: what was read behind it must not count.

        A boundary that was placed between a reading before the end and one behind it is placed again, with
        the end in the later one's stead, so that the split is the same whichever came first.
        """
        assert self.ended_at is not None
        end, end_wh = self.ended_at, self.end_wh
        if self.reading_at < end:
            self.read(end, end_wh, tariff)
        kept = [self.marks[0]]
        for mark in self.marks[1:]:
            if mark.at >= end:
                break
            if mark.after_at > end:
                mark = _placed(mark, (mark.before_at, mark.before_wh), (end, end_wh))
            register = min(max(mark.meter_wh, kept[-1].meter_wh), max(end_wh, kept[-1].meter_wh))
            kept.append(replace(mark, meter_wh=register))
        self.marks = kept
        self.reading_at, self.reading_wh = end, end_wh

    def periods(self, at: int, meter_wh: int) -> list[ProgressPeriod]:
        """The tariff periods up to a reading, with energy and money."""
        return periods_of(self.marks, at, meter_wh)

    def to_state(self) -> ChargeState:
        """This charge as the state topic keeps it."""
        return ChargeState(
            start_charge_seq=self.seq,
            charge_model=self.model,
            started_at=self.started_at,
            start_reported=self.start_reported,
            start_announced=self.start_announced,
            first_sampled_at=self.first_sampled_at,
            ended_at=self.ended_at,
            meter_end_wh=self.meter_end_wh,
            stop_reason=self.stop_reason,
            stop_reported=self.stop_reported,
            stop_announced=self.stop_announced,
            final_progress_sent=self.final_progress_sent,
            known_at=self.known_at,
            rebase_wh=self.rebase_wh,
            user_name=self.user_name,
            ident_code=self.ident_code,
            vin=self.vin,
            next_push_at=self.next_push_at,
            reading_at=self.reading_at,
            reading_wh=self.reading_wh,
            marks=tuple(self.marks),
            bill=self.bill,
            flags=tuple(sorted(self.flags)),
            stop_offset=self.stop_offset,
            bill_offset=self.bill_offset,
        )

    @classmethod
    def from_state(cls, state: ChargeState, tariff: Tariff) -> "Charge":
        """The charge that the state topic kept."""
        charge = cls(
            seq=state.start_charge_seq,
            model=state.charge_model,
            known_at=state.known_at,
            started_at=state.started_at,
            start_reported=state.start_reported,
            start_announced=state.start_announced,
            first_sampled_at=state.first_sampled_at,
            ended_at=state.ended_at,
            meter_end_wh=state.meter_end_wh,
            stop_reason=state.stop_reason,
            stop_reported=state.stop_reported,
            stop_announced=state.stop_announced,
            final_progress_sent=state.final_progress_sent,
            rebase_wh=state.rebase_wh,
            user_name=state.user_name,
            ident_code=state.ident_code,
            vin=state.vin,
            marks=list(state.marks),
            bill=state.bill,
            stop_offset=state.stop_offset,
            bill_offset=state.bill_offset,
            flags=frozenset(state.flags),
            next_push_at=state.next_push_at,
            reading_at=state.reading_at,
            reading_wh=state.reading_wh,
        )
        if charge.marks:
            charge.next_boundary = tariff.next_boundary(charge.reading_at)
        return charge


def _placed(mark: TariffMark, before: tuple[int, int], after: tuple[int, int]) -> TariffMark:
    """The mark between these readings (time, register)."""
    before_at, before_wh = before
    after_at, after_wh = after
    return replace(
        mark,
        meter_wh=interpolate(before_at, before_wh, after_at, after_wh, mark.at),
        before_at=before_at,
        before_wh=before_wh,
        after_at=after_at,
        after_wh=after_wh,
    )


def interpolate(at0: int, wh0: int, at1: int, wh1: int, at: int) -> int:
    """The register at `at`, on the straight line between two readings."""
    if at1 <= at0:
        return wh1
    return wh0 + (wh1 - wh0) * (at - at0) // (at1 - at0)
