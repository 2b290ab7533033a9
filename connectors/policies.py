"""The tables of a platform's profile, each with what it promises; reading them is `connectors.platform`'s."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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
class InterfacePolicy:
    """How one interface is used. An interface that the profile does not name is off.

    `deadline_s`: a push that is confirmed later than this after it was due counts as late. `cadence_s`: how
    often it is repeated while nothing changes. `charge_models`: of which charges it tells.
    """

    deadline_s: float
    on: bool = True
    path: str = ""
    cadence_s: float | None = None
    charge_models: frozenset[int] = frozenset(ChargeModel)

    def __post_init__(self) -> None:
        if self.deadline_s <= 0 or (self.cadence_s is not None and self.cadence_s <= 0):
            raise ValueError("deadline_s and cadence_s must be above 0")
        if not self.charge_models <= frozenset(ChargeModel):
            raise ValueError(f"charge_models are of {sorted(map(int, ChargeModel))}")


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
class Retry:
    """Seconds until the first, second, … repetition of an order; the last rung goes on for ever."""

    ladder_s: tuple[int, ...] = (150, 300, 600, 900, 1800, 3600)

    def __post_init__(self) -> None:
        if not self.ladder_s or min(self.ladder_s) <= 0 or list(self.ladder_s) != sorted(self.ladder_s):
            raise ValueError("ladder_s must be rungs above 0 that never go down")

    def delay_s(self, failures: int) -> int:
        """The wait after the `failures`-th failure, counted from 1."""
        return self.ladder_s[min(failures, len(self.ladder_s)) - 1]


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
