"""What a simulated fleet is asked to be."""

from dataclasses import dataclass, field

from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.errors import MisconfiguredFleet
from infra.simulator.fleet.mishaps import MishapRates
from infra.simulator.fleet.sequences import MAX_CONNECTORS, OPERATOR_ID
from schemas.cluster import KafkaCluster

_MIN_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """`connectors` chargers that are sampled every `sample_interval_s` and write to `cluster`.

    `time_scale` divides the behaviour's durations, not the moments, powers or sample interval: at 10 a
    charge lasts a tenth as long. Raises MisconfiguredFleet.
    """

    connectors: int = 200
    seed: int = 1
    sample_interval_s: float = 10.0
    time_scale: float = 1.0
    behaviour: Behaviour = field(default_factory=Behaviour)
    mishaps: MishapRates = field(default_factory=MishapRates)
    operator_id: str = OPERATOR_ID
    publish_catalog: bool = True
    cluster: KafkaCluster = field(default_factory=KafkaCluster)

    def __post_init__(self) -> None:
        if not 1 <= self.connectors <= MAX_CONNECTORS:
            raise MisconfiguredFleet(f"{self.connectors} connectors: choose 1 to {MAX_CONNECTORS}")
        if self.sample_interval_s < _MIN_INTERVAL_S:
            raise MisconfiguredFleet(f"a sample every {self.sample_interval_s} s: use at least {_MIN_INTERVAL_S}")
        if len(self.operator_id) != 9:
            raise MisconfiguredFleet(f"OperatorID {self.operator_id!r}: it has nine characters")

    @property
    def interval_ms(self) -> int:
        """Between two samples of a connector, ms."""
        return round(self.sample_interval_s * 1000)
