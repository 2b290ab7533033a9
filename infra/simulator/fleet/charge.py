"""One charge of a simulated connector, and what the back office says of it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.bill import Reading, bill
from infra.simulator.fleet.customers import Visit
from infra.simulator.fleet.population import Place
from schemas.records.charge_events import BillIssued, ChargeStarted, ChargeStopped
from schemas.values import StopReason


class FailReason(IntEnum):
    """Why a start failed, T/CEC 102 `FailReason` of query_start_charge; from 3 on the operator's own."""

    NO_SUCH_CONNECTOR = 1
    OFFLINE = 2
    BUSY = 3
    VEHICLE = 4


@dataclass(frozen=True, slots=True)
class Charge:
    """A running charge: `started_at` in UTC ms on a whole second, `meter_start_wh` the register then."""

    start_charge_seq: str
    customer: Visit
    place: Place
    started_at: int
    meter_start_wh: int

    def soc(self, meter_wh: int) -> float:
        """The vehicle's state of charge, 0 to a little over 1, when the register shows `meter_wh`."""
        return self.customer.soc + (meter_wh - self.meter_start_wh) / self.customer.battery_wh

    @staticmethod
    def chance_of_end(behaviour: Behaviour, rng: random.Random) -> StopReason:
        """Why this charge will end, unless it is stopped or full before."""
        chance = rng.random()
        if chance < behaviour.charge_fault_share:
            return StopReason.EQUIPMENT_FAULT
        if chance < behaviour.charge_fault_share + behaviour.unplugged_share:
            return StopReason.UNPLUGGED
        return StopReason.USER

    def started(self) -> ChargeStarted:
        """That it has begun."""
        return ChargeStarted(
            start_charge_seq=self.start_charge_seq,
            connector_id=self.place.connector_id,
            equipment_id=self.place.equipment_id,
            station_id=self.place.station_id,
            charge_model=self.customer.charge_model,
            started_at=self.started_at,
            meter_start_wh=self.meter_start_wh,
            user_name=self.customer.user_name,
            ident_code=self.customer.ident_code,
            vin=self.customer.vin,
        )

    def stopped(self, now_ms: int, meter_wh: int, reason: StopReason) -> ChargeStopped:
        """That it has ended."""
        return ChargeStopped(self.start_charge_seq, self.place.connector_id, now_ms, meter_wh, int(reason))

    def bill(self, readings: Sequence[Reading], issued_at: int) -> BillIssued:
        """What it costs, by the station's tariff."""
        return bill(self.start_charge_seq, self.place.connector_id, self.place.tariff, readings, issued_at)
