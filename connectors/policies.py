"""The tables of a platform's profile, each with what it promises; reading them is `connectors.platform`'s."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import BadCredentials
from schemas.values import ChargeModel

_CREDENTIALS = ("OPERATOR_ID", "OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base addresses; interface paths are appended."""

    production: str
    test: str = ""

    def __post_init__(self) -> None:
        for address in filter(None, (self.production, self.test)):
            if not _is_base(address):
                raise ValueError(f"{address!r} is no http address that ends with a slash")


@dataclass(frozen=True, slots=True)
class CredentialNames:
    """Where the two sets of secrets are found: prefixes of environment variables."""

    environment_prefix: str
    inbound_environment_prefix: str = ""

    def outbound(self, environment: Mapping[str, str]) -> Credentials:
        """What we call the platform with. Raises BadCredentials naming every variable that is not set."""
        return _credentials(environment, self.environment_prefix)

    def inbound(self, environment: Mapping[str, str]) -> Credentials:
        """What the platform calls us with; `operator_id` is the platform's. Raises BadCredentials."""
        return _credentials(environment, self.inbound_environment_prefix or f"{self.environment_prefix}INBOUND_")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which stations a platform supervises: those of these operators, in these areas, or named one by one.

    Each list that is not empty must be met; without any, every station is in scope. Areas are beginnings of area
    codes (`11` is all of Beijing).
    """

    operators: frozenset[str] = frozenset()
    areas: tuple[str, ...] = ()
    stations: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if any(not re.fullmatch(r"[0-9]{1,6}", area) for area in self.areas):
            raise ValueError("areas are the 1 to 6 first digits of an area code")


@dataclass(frozen=True, slots=True)
class InterfacePolicy:
    """How one interface is used. An interface that the profile does not name is off.

    `deadline_s`: a push that is confirmed later than this after it was due counts as late. `cadence_s`: how
    often it is repeated while nothing changes. `charge_models`: of which charges it tells. `ladder_s` replaces the
    profile's ladder.
    """

    deadline_s: float
    on: bool = True
    path: str = ""
    cadence_s: float | None = None
    charge_models: frozenset[int] = frozenset(ChargeModel)
    ladder_s: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.deadline_s <= 0 or (self.cadence_s is not None and self.cadence_s <= 0):
            raise ValueError("deadline_s and cadence_s must be above 0")
        if not self.charge_models <= frozenset(ChargeModel):
            raise ValueError(f"charge_models are of {sorted(map(int, ChargeModel))}")
        if self.ladder_s is not None:
            _check_ladder(self.ladder_s)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that one HTTP call may take."""

    connect_s: float = 3
    read_s: float = 10
    total_s: float = 15

    def __post_init__(self) -> None:
        if not 0 < self.connect_s <= self.total_s or not 0 < self.read_s <= self.total_s:
            raise ValueError("connect_s and read_s must be above 0 and at most total_s")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform is asked to bear: calls at once, apart for orders and states so that neither waits for the
    other, and calls per second (0 is no limit)."""

    orders_in_flight: int = 16
    states_in_flight: int = 32
    per_second: float = 0

    def __post_init__(self) -> None:
        if min(self.orders_in_flight, self.states_in_flight) < 1 or self.per_second < 0:
            raise ValueError("calls in flight are at least 1, and per_second is not below 0")


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a platform counts as away, and how it is asked whether it is back.

    Opens after `consecutive` failures, or when of at least `least` calls within `window_s` this share failed; then
    one call probes after `probe_first_s`, twice that, and so on up to `probe_max_s`. `paused_probe_s` is the pause
    after a refusal that people must mend (4001, 4003).
    """

    consecutive: int = 10
    failure_share: float = 0.5
    least: int = 20
    window_s: float = 30
    probe_first_s: float = 5
    probe_max_s: float = 60
    paused_probe_s: float = 60

    def __post_init__(self) -> None:
        if self.consecutive < 1 or self.least < 1 or not 0 < self.failure_share <= 1:
            raise ValueError("consecutive and least are at least 1, failure_share is above 0 and at most 1")
        if not 0 < self.probe_first_s <= self.probe_max_s or self.window_s <= 0 or self.paused_probe_s <= 0:
            raise ValueError("all times are above 0, and probe_first_s is at most probe_max_s")


#: What to do with an order of which the platform's own code says something: `confirm` as if it were 0, `dispute` as
#: if it were 1, `retry` on the ladder, `dead_letter`.
ConfirmAction = Literal["confirm", "dispute", "retry", "dead_letter"]


@dataclass(frozen=True, slots=True)
class Retry:
    """How what was not taken is sent again.

    `ladder_s`: the waits before the first, second, … repetition of an order; the last goes on for ever, or until
    the order is `give_up_s` old (0 is never). `in_place_s`: the waits of what is not an order; the last goes on. A
    start or stop result is given up after `results_attempts` failures while the platform answers others.
    """

    ladder_s: tuple[int, ...] = (150, 300, 600, 900, 1800, 3600)
    in_place_s: tuple[float, ...] = (1, 2, 5, 10, 30, 60)
    results_attempts: int = 8
    give_up_s: int = 0

    def __post_init__(self) -> None:
        _check_ladder(self.ladder_s)
        if not self.in_place_s or min(self.in_place_s) <= 0:
            raise ValueError("in_place_s must be waits above 0")
        if self.results_attempts < 1 or self.give_up_s < 0:
            raise ValueError("results_attempts is at least 1, and give_up_s is not below 0")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How the day of check_charge_orders is cut: by which of an order's times, in Beijing."""

    day_of: Literal["start", "end"] = "end"


def _check_ladder(ladder_s: tuple[int, ...]) -> None:
    if not ladder_s or min(ladder_s) <= 0 or list(ladder_s) != sorted(ladder_s):
        raise ValueError("ladder_s must be rungs above 0 that never go down")


def _is_base(address: str) -> bool:
    try:
        parts = urlsplit(address)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, half an IPv6 address
        return False
    return sound and re.fullmatch(r"https?://[^\s?#]+/", address) is not None


def _credentials(environment: Mapping[str, str], prefix: str) -> Credentials:
    names = [prefix + name for name in _CREDENTIALS]
    missing = tuple(name for name in names if not environment.get(name))
    if missing:
        raise BadCredentials("not set in the environment", missing)
    operator_id, *secrets = (environment[name] for name in names)
    try:
        return Credentials(operator_id, *map(Secret, secrets))
    except BadCredentials as error:
        raise BadCredentials(f"{error} ({prefix}…)") from None
