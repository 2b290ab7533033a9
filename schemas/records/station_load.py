"""The load of stations by minute."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StationLoad:
    """What one connector adds to its station's load in the minute that begins at `minute_at`.

    The connector's first and last sample of the minute, its highest power, W, and whether it charged. Records of one
    minute merge: the earliest first sample, the latest last one, the highest peak. Instants are UTC milliseconds.
    """

    station_id: str
    connector_id: str
    minute_at: int
    first_at: int
    first_wh: int
    last_at: int
    last_wh: int
    peak_w: int
    charging: bool
