"""How the simulated customers and chargers behave: how long, how often, how likely. Decides nothing itself."""

from dataclasses import dataclass, replace

from infra.simulator.fleet.errors import MisconfiguredFleet

#: A charger is taken for offline after 90 s of silence; simulated spells last longer, s.
OFFLINE_SPELL_S = (95.0, 180.0)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Durations are means in seconds, shares are of 1.

    `duty` is the part of its time that a connector charges. Of the rest, `lingering_share` is spent plugged
    after a charge. `reserved_share`, `idle_fault_share` say how often a cycle has a reservation or a fault
    while idle; `start_failure_share`, `charge_fault_share`, `unplugged_share` how often a start fails, a
    fault ends a charge, or the plug is pulled. `offline_share` is how often a charge, or an idle time, holds
    a spell without connection. `unbilled_share` of the connectors never get a bill.
    """

    duty: float = 0.3
    mean_charge_s: float = 75.0
    mean_plugged_s: float = 4.0
    mean_reserved_s: float = 15.0
    mean_fault_s: float = 40.0
    lingering_share: float = 0.15
    reserved_share: float = 0.06
    idle_fault_share: float = 0.02
    start_failure_share: float = 0.03
    charge_fault_share: float = 0.02
    unplugged_share: float = 0.05
    offline_share: float = 0.02
    unbilled_share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.duty < 1:
            raise MisconfiguredFleet(f"duty is {self.duty}: it must lie between 0 and 1")
        if self.mean_charge_s < 2:
            raise MisconfiguredFleet(f"a mean charge of {self.mean_charge_s} s is too short: use at least 2")

    @property
    def mean_rest_s(self) -> float:
        """From the end of a charge to the start of the next, s."""
        return self.mean_charge_s * (1 - self.duty) / self.duty

    @property
    def mean_lingering_s(self) -> float:
        """Plugged after a charge, s."""
        return self.mean_rest_s * self.lingering_share

    @property
    def mean_idle_s(self) -> float:
        """Idle between two customers, s."""
        return max(1.0, self.mean_rest_s - self.mean_lingering_s - self.mean_plugged_s)

    def faster(self, time_scale: float) -> "Behaviour":
        """The same behaviour with all durations divided by `time_scale`, but a charge of at least 2 s."""
        if time_scale <= 0:
            raise MisconfiguredFleet(f"time scale is {time_scale}: it must be above 0")
        return replace(
            self,
            mean_charge_s=max(2.0, self.mean_charge_s / time_scale),
            mean_plugged_s=self.mean_plugged_s / time_scale,
            mean_reserved_s=self.mean_reserved_s / time_scale,
            mean_fault_s=self.mean_fault_s / time_scale,
        )
