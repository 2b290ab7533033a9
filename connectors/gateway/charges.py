"""Where a charge stands, from everything the views know of it: ordered, running, ended."""

from dataclasses import replace

from connectors.gateway.progress import is_plausible, progress_of
from connectors.gateway.views.commands import ANSWERED_MS
from connectors.gateway.views.known_state import KnownCharge, KnownState
from connectors.gateway.views.sight import Sight, Views
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served import query_equip_charge_status as interface
from schemas.records.charger_commands import StartCharge
from schemas.records.derived import ChargeProgress, Order
from schemas.values import ChargeModel, ChargeStat

#: What a charge is after which its connector is free for another one.
_OVER = (None, ChargeStat.ENDED, ChargeStat.UNKNOWN)


class Charges:
    """The charges that `platform` (its name) may see."""

    def __init__(self, sight: Sight, views: Views, platform: str) -> None:
        self._sight = sight
        self._views = views
        self._platform = platform

    def stat(self, start_charge_seq: str, connector_id: str, now_ms: int) -> ChargeStat | None:
        """Where the charge stands on this connector; None if nobody has heard of it there."""
        state = self._sight.state(connector_id)
        if state is not None:
            charge = _open_charge(state, start_charge_seq)
            if charge is not None:
                return self._stat_of(charge)
            if start_charge_seq in (*state.closed_seqs, *state.failed_seqs):
                return ChargeStat.ENDED
        order = self._views.ended.get(start_charge_seq)
        if order is not None and order.connector_id == connector_id:
            return ChargeStat.ENDED
        start = self._start(start_charge_seq)
        return self._unheard(start, now_ms) if start is not None and start.connector_id == connector_id else None

    def has_failed(self, start_charge_seq: str, connector_id: str) -> bool:
        """Whether its start on this connector was told to have failed, and no charge came after all."""
        state = self._sight.state(connector_id)
        if state is None or start_charge_seq not in state.failed_seqs:
            return False
        return _open_charge(state, start_charge_seq) is None

    def is_anothers(self, start_charge_seq: str) -> bool:
        """Whether another platform is known to have ordered the charge."""
        start = self._start(start_charge_seq)
        return start is not None and start.platform not in ("", self._platform)

    def is_under_way(self, connector_id: str, now_ms: int) -> bool:
        """Whether a start that was accepted for the connector waits for its charge, or its charge runs."""
        starts = self._views.commands.starts_on(connector_id, now_ms)
        return any(self.stat(start.start_charge_seq, connector_id, now_ms) not in _OVER for start in starts)

    def connector_of(self, start_charge_seq: str) -> str | None:
        """On which connector the charge is, was or is to be."""
        connector_id = self._views.connectors.of_charge(start_charge_seq)
        if connector_id is not None:
            return connector_id
        start = self._start(start_charge_seq)
        if start is not None:
            return start.connector_id
        order = self._views.ended.get(start_charge_seq)
        return None if order is None else order.connector_id

    def model(self, start_charge_seq: str, connector_id: str) -> int | None:
        """ChargeModel of a charge that is open; None if it is not known."""
        state = self._sight.state(connector_id)
        charge = None if state is None else _open_charge(state, start_charge_seq)
        return None if charge is None or charge.started_at is None else charge.charge_model

    def status(self, start_charge_seq: str, dialect: Dialect, now_ms: int) -> dict[str, object] | None:
        """What query_equip_charge_status answers; None for a charge that there is not. Raises Unreportable."""
        connector_id = self.connector_of(start_charge_seq)
        station = None if connector_id is None else self._sight.station_of(connector_id)
        if connector_id is None or station is None:
            return None
        state = self._views.connectors.state(connector_id)
        status = 0 if state is None else state.status
        charge = None if state is None else _open_charge(state, start_charge_seq)
        if state is not None and charge is not None and charge.started_at is not None:
            sample = self._views.samples.newest(connector_id)
            if sample is not None and not is_plausible(sample, connector_id, now_ms):
                sample = None
            progress = progress_of(state, charge, sample, station.tariff)
            progress = replace(progress, charge_model=self._told_model(progress))
            return interface.of_progress(progress, self._stat_of(charge), dialect)
        order = self._views.ended.get(start_charge_seq)
        if order is not None:
            return interface.of_order(replace(order, charge_model=self._told_model(order)), status, dialect)
        start = self._start(start_charge_seq)
        if start is None:
            return None
        if state is not None and start_charge_seq in state.failed_seqs:
            stat = ChargeStat.ENDED
        elif charge is not None or (state is not None and start_charge_seq in state.closed_seqs):
            stat = ChargeStat.UNKNOWN  # something has come of it, and the figures are not at hand
        else:
            stat = self._unheard(start, now_ms)
        unstarted = interface.Unstarted(
            start_charge_seq, connector_id, self._told_model(start), start.issued_at, now_ms, stat
        )
        return interface.of_unstarted(unstarted, status, dialect)

    def _told_model(self, charge: ChargeProgress | Order | StartCharge) -> int:
        """ChargeModel 1 is for the platform that ordered the charge; to others it is one of the operator's own."""
        if charge.charge_model == ChargeModel.CITY_PLATFORM and self.is_anothers(charge.start_charge_seq):
            return ChargeModel.OTHER
        return charge.charge_model

    def _start(self, start_charge_seq: str) -> StartCharge | None:
        commanded = self._views.commands.get(start_charge_seq)
        return None if commanded is None else commanded.start

    def _stat_of(self, charge: KnownCharge) -> ChargeStat:
        if charge.ended_at is not None:
            return ChargeStat.ENDED
        running = ChargeStat.STARTING if charge.started_at is None else ChargeStat.CHARGING
        return self._unless_stopping(charge.start_charge_seq, running)

    def _unheard(self, start: StartCharge, now_ms: int) -> ChargeStat:
        """Of a charge that was ordered and of which nothing else is known: what came of it may be forgotten."""
        if now_ms > start.expires_at + ANSWERED_MS:
            return ChargeStat.UNKNOWN
        return self._unless_stopping(start.start_charge_seq, ChargeStat.STARTING)

    def _unless_stopping(self, start_charge_seq: str, stat: ChargeStat) -> ChargeStat:
        commanded = self._views.commands.get(start_charge_seq)
        return stat if commanded is None or commanded.stop_issued_at is None else ChargeStat.STOPPING


def _open_charge(state: KnownState, start_charge_seq: str) -> KnownCharge | None:
    return next((charge for charge in state.charges if charge.start_charge_seq == start_charge_seq), None)
