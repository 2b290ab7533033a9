"""What a charge's samples show: a register that rises along a plausible curve and ends at the session's energy.

Power is constant for most of the charge and falls towards its end. Samples are spliced from bytes, since a
year of sessions has tens of millions.
"""

import struct

from infra.replay.charges import Charge
from infra.simulator.fleet.occupancy import PARK_AND_LOCK
from infra.simulator.fleet.splicing import ids_suffix, meter_bytes, resting_tail, routing_prefix, zigzag
from schemas.codec import Codec
from schemas.values import ChargeModel, ConnectorStatus

#: Power holds for this part of a charge and then falls to this part of itself.
_KNEE, _LAST = 0.8, 0.2

#: Steps in which the current falls.
_STEPS = 16

_FLOATS = struct.Struct("<6f")
_AC_VOLTAGE_V, _DC_VOLTAGE_V = 220.0, 400.0
_MS_PER_HOUR = 3_600_000


class ChargingSamples:
    """The samples of one charge while power flows: from its start to just before its end."""

    __slots__ = (
        "_end_ms",
        "_end_wh",
        "_falling",
        "_knee_ms",
        "_last",
        "_rate",
        "_start_ms",
        "_start_wh",
        "_tails",
        "_taper_ms",
        "charge",
        "key",
        "prefix",
    )

    def __init__(self, codec: Codec, charge: Charge) -> None:
        session, place = charge.session, charge.place
        duration_ms = session.ended_at - session.started_at
        self.charge = charge
        self.key = place.connector_id.encode()
        self.prefix = routing_prefix(
            codec,
            ConnectorStatus.CHARGING,
            *PARK_AND_LOCK[ConnectorStatus.CHARGING],
            session.seq,
            charge.model,
        )
        self._start_ms, self._end_ms = session.started_at, session.ended_at
        self._start_wh, self._end_wh = charge.meter_start_wh, charge.meter_end_wh
        self._knee_ms = session.started_at + int(_KNEE * duration_ms)
        self._taper_ms = max(session.ended_at - self._knee_ms, 1)
        mean = (1 + _LAST) / 2
        shape = self._knee_ms - session.started_at + mean * self._taper_ms
        #: Wh per ms at full power, and the two terms of what is left to come before the end.
        self._rate = charge.energy_wh / shape
        self._last = self._rate * _LAST
        self._falling = self._rate * (1 - _LAST) / (2 * self._taper_ms)
        suffix = ids_suffix(place)
        self._tails = tuple(self._load(_LAST + (1 - _LAST) * step / _STEPS) + suffix for step in range(_STEPS + 1))

    def _load(self, share: float) -> bytes:
        """State of charge (unknown), currents and voltages when `share` of full power flows."""
        kind = self.charge.place.kind
        volts = _DC_VOLTAGE_V if kind.is_dc else _AC_VOLTAGE_V
        amperes = round(self._rate * share * _MS_PER_HOUR / volts / kind.phases, 1)
        b = c = (0.0, 0.0)
        if kind.phases == 3:
            b = c = (amperes, volts)
        return zigzag(0) + _FLOATS.pack(amperes, b[0], c[0], volts, b[1], c[1])

    def meter_wh(self, at: int) -> int:
        """The register at an instant from start to end (UTC ms), Wh; never falling, exact at both."""
        if at <= self._knee_ms:
            return self._start_wh + int((at - self._start_ms) * self._rate)
        left_ms = self._end_ms - at
        return self._end_wh - int(left_ms * (self._last + left_ms * self._falling))

    def tail(self, at: int) -> bytes:
        """Everything behind `sampled_at` of the sample taken at `at`."""
        if at <= self._knee_ms:
            tail = self._tails[_STEPS]
        else:
            tail = self._tails[(self._end_ms - at) * _STEPS // self._taper_ms]
        return meter_bytes(self.meter_wh(at)) + tail


def resting_sample(codec: Codec, charge: Charge, status: ConnectorStatus, at: int, meter_wh: int) -> bytes:
    """A sample of the charge's connector while nothing is charged."""
    prefix = routing_prefix(codec, status, *PARK_AND_LOCK[status], "", ChargeModel.UNKNOWN)
    return prefix + zigzag(at) + resting_tail(meter_wh, ids_suffix(charge.place))
