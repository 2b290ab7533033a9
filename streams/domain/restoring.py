"""Puts a partition's connectors back from what the state topic kept."""

from schemas.records.connector_state import ConnectorState
from streams.domain.alarms import plan
from streams.domain.connector import UNSEEN, Connector
from streams.domain.tracker import Tracker


def restore(tracker: Tracker, key: bytes, state: ConnectorState, clock: int) -> None:
    """Puts back one connector. Its silence counts from `clock` (UTC ms), since it may have sent meanwhile."""
    connector = Connector.from_state(key, state, tracker.sites.tariff(state.station_id))
    connector.equipment_id = tracker.intern(state.equipment_id)
    connector.station_id = tracker.intern(state.station_id)
    connector.seen_at = clock
    if state.sample is not None:
        tracker.remember(connector, tracker.codec.encode(state.sample), state.sample.sampled_at, state.sample)
        connector.recovering = True
        connector.meter_wh = state.sample.meter_wh
    elif not state.status_pushed_at:
        connector.status = UNSEEN
    tracker.connectors[key] = connector
    plan(tracker, connector)
