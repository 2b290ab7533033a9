"""The tables of a platform's profile, each with what it promises; reading them is `connectors.platform`'s.

A table that can't be raises `connectors.bounds.BadSettings` with everything that is wrong in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.bounds import (
    NO_BASE,
    NO_LADDER,
    RUNG_MAX_S,
    RUNGS_MAX,
    is_base,
    is_ladder,
    is_path,
    is_path_base,
    is_positive,
    is_prefix,
    require,
)
from connectors.credential_sources import read_credentials
from connectors.protocol.credentials import Credentials
from schemas.values import ChargeModel

#: More calls at once than this are a mistake: each is a connection.
_IN_FLIGHT_MAX = 1_000

#: A call that takes longer is held for no platform.
_TIMEOUT_MAX_S = 300

_HOUR_S = 3_600
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S

#: Stations in a page: some four megabytes.
_PAGE_MAX = 1_000

#: Orders in a request of the nightly check: half a megabyte on the wire, and no more in an answer that contests all.
_CHECKED_ORDERS_MAX = 5_000

#: Orders can be sent again for a quarter, but each night looks at all of these days.
LOOK_BACK_MAX_DAYS = 31

#: A customer who stands before a charger does not wait longer.
_START_VALID_MAX_S = 300


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base addresses; interface paths are appended. A host under `.invalid` is a placeholder, which is never called."""

    production: str
    test: str = ""

    def __post_init__(self) -> None:
        given = [(name, address) for name in ("production", "test") if (address := getattr(self, name))]
        require(
            (bool(self.production), "production", "is empty"),
            *((is_base(address), name, f"{address!r} {NO_BASE}") for name, address in given if "@" not in address),
            # What is before an @ may be a password, and is not repeated.
            *(("@" not in address, name, "holds an @: an address has no user here") for name, address in given),
        )


@dataclass(frozen=True, slots=True)
class CredentialNames:
    """Where the two sets of secrets are found: prefixes of environment variables, a set for each direction.

    The variables are `<prefix>OPERATOR_ID`, `…OPERATOR_SECRET`, `…DATA_SECRET`, `…DATA_SECRET_IV` and `…SIG_SECRET`;
    each may instead be `<variable>_FILE`, the path of a file that holds the value.
    """

    environment_prefix: str
    inbound_environment_prefix: str = ""

    def __post_init__(self) -> None:
        inbound = self.inbound_environment_prefix
        shape = "must be capitals, digits and underscores, and end with one"
        require(
            (is_prefix(self.environment_prefix), "environment_prefix", shape),
            (not inbound or is_prefix(inbound), "inbound_environment_prefix", shape),
            (
                inbound != self.environment_prefix,
                "inbound_environment_prefix",
                "is environment_prefix too: the platform calls with its own OperatorID",
            ),
        )

    @property
    def inbound_prefix(self) -> str:
        """The prefix of the platform's set; `<environment_prefix>INBOUND_` unless the profile says otherwise."""
        return self.inbound_environment_prefix or f"{self.environment_prefix}INBOUND_"

    def outbound(self, environment: Mapping[str, str]) -> Credentials:
        """What we call the platform with. Raises BadCredentials naming every variable that is not set."""
        return read_credentials(environment, self.environment_prefix)

    def inbound(self, environment: Mapping[str, str]) -> Credentials:
        """What the platform calls us with; `operator_id` is the platform's. Raises BadCredentials."""
        return read_credentials(environment, self.inbound_prefix)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which stations a platform supervises: those of these operators, in these areas, or named one by one.

    Each list that is not empty must be met; without any, every station is in scope. `operators` are OperatorIDs,
    `areas` beginnings of area codes (GB/T 2260: `11` is all of Beijing), `stations` StationIDs.
    """

    operators: frozenset[str] = frozenset()
    areas: tuple[str, ...] = ()
    stations: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        require(
            *(
                (re.fullmatch(r"[0-9A-Z]{9}", operator) is not None, "operators", f"{operator!r} is no OperatorID")
                for operator in sorted(self.operators)
            ),
            *(
                (re.fullmatch(r"[0-9]{1,6}", area) is not None, "areas", f"{area!r} is not 1 to 6 digits")
                for area in self.areas
            ),
            *(
                (station == station.strip() != "", "stations", f"{station!r} is no StationID")
                for station in sorted(self.stations)
            ),
        )


@dataclass(frozen=True, slots=True)
class InterfacePolicy:
    """How one interface is used. An interface that the profile does not name is off.

    `deadline_s`: a push that is confirmed later than this after it was due counts as late. `path` follows the base
    address, where it is not the interface's name. `cadence_s`: how often it is repeated while nothing changes.
    `charge_models`: of which charges it tells. `ladder_s`, of orders only, replaces the profile's ladder.
    """

    deadline_s: float
    on: bool = True
    path: str = ""
    cadence_s: float | None = None
    charge_models: frozenset[int] = frozenset(ChargeModel)
    ladder_s: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        require(
            (is_positive(self.deadline_s, _DAY_S), "deadline_s", f"must be above 0 and at most {_DAY_S}"),
            (
                self.cadence_s is None or is_positive(self.cadence_s, _DAY_S),
                "cadence_s",
                f"must be above 0 and at most {_DAY_S}",
            ),
            (not self.path or is_path(self.path), "path", f"{self.path!r} is no path that follows the address"),
            (
                frozenset() < self.charge_models <= frozenset(ChargeModel),
                "charge_models",
                f"must be some of {sorted(map(int, ChargeModel))}",
            ),
            (self.ladder_s is None or is_ladder(self.ladder_s), "ladder_s", NO_LADDER),
        )


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that one HTTP call may take."""

    connect_s: float = 3
    read_s: float = 10
    total_s: float = 15

    def __post_init__(self) -> None:
        require(
            (is_positive(self.total_s, _TIMEOUT_MAX_S), "total_s", f"must be above 0 and at most {_TIMEOUT_MAX_S}"),
            (is_positive(self.connect_s, self.total_s), "connect_s", "must be above 0 and at most total_s"),
            (is_positive(self.read_s, self.total_s), "read_s", "must be above 0 and at most total_s"),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform is asked to bear: calls at once, apart for orders and states so that neither waits for the
    other, and calls per second (0 is no limit)."""

    orders_in_flight: int = 16
    states_in_flight: int = 32
    per_second: float = 0

    def __post_init__(self) -> None:
        bounds = f"must be 1 to {_IN_FLIGHT_MAX}"
        require(
            (1 <= self.orders_in_flight <= _IN_FLIGHT_MAX, "orders_in_flight", bounds),
            (1 <= self.states_in_flight <= _IN_FLIGHT_MAX, "states_in_flight", bounds),
            (self.per_second == 0 or is_positive(self.per_second), "per_second", "must be 0, for no limit, or above"),
        )


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
        require(
            (self.consecutive >= 1, "consecutive", "must be at least 1"),
            (is_positive(self.failure_share, 1), "failure_share", "must be above 0 and at most 1"),
            (1 <= self.least <= 1_000_000, "least", "must be 1 to 1000000"),
            (is_positive(self.window_s), "window_s", "must be above 0"),
            (
                is_positive(self.probe_first_s, self.probe_max_s),
                "probe_first_s",
                "must be above 0, at most probe_max_s",
            ),
            (is_positive(self.probe_max_s, _DAY_S), "probe_max_s", f"must be above 0 and at most {_DAY_S}"),
            (is_positive(self.paused_probe_s, _DAY_S), "paused_probe_s", f"must be above 0 and at most {_DAY_S}"),
        )


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
        in_place = 0 < len(self.in_place_s) <= RUNGS_MAX and all(is_positive(w, RUNG_MAX_S) for w in self.in_place_s)
        require(
            (is_ladder(self.ladder_s), "ladder_s", NO_LADDER),
            (in_place, "in_place_s", f"must be 1 to {RUNGS_MAX} waits above 0, none above {RUNG_MAX_S}"),
            (self.results_attempts >= 1, "results_attempts", "must be at least 1"),
            (self.give_up_s >= 0, "give_up_s", "must be 0, for never, or above"),
        )


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How check_charge_orders is told of a day: which orders, in which requests, and when it is looked for them.

    `day_of`: by which of an order's times it belongs to a day, in China's time. `orders_per_request` are in a request
    at most. `settle_s`: for so long after midnight orders of the day before may still be made, so nothing is fixed
    before. `look_back_days`: so many days, yesterday being the first, are looked at for orders that turned up late and
    for nights that were missed. `report_empty_days`: a day without orders is told of by a request without any.
    """

    day_of: Literal["start", "end"] = "end"
    orders_per_request: int = 1_000
    settle_s: int = 600
    look_back_days: int = 7
    report_empty_days: bool = True

    def __post_init__(self) -> None:
        require(
            (
                1 <= self.orders_per_request <= _CHECKED_ORDERS_MAX,
                "orders_per_request",
                f"must be 1 to {_CHECKED_ORDERS_MAX}",
            ),
            (0 <= self.settle_s <= _HOUR_S, "settle_s", f"must be 0 to {_HOUR_S}"),
            (1 <= self.look_back_days <= LOOK_BACK_MAX_DAYS, "look_back_days", f"must be 1 to {LOOK_BACK_MAX_DAYS}"),
        )


@dataclass(frozen=True, slots=True)
class GatewayPolicy:
    """How the platform's own calls are taken.

    `base_path` comes before the interfaces' paths. `token_s`: how long a token is good. `timestamp_window_s`: how far
    a call's TimeStamp may be from our clock (0 does not look). `replay_window_s`: for so long the same envelope is
    refused (0 does not look; another envelope with the same TimeStamp and Seq is always taken, since platforms send
    such; twice `timestamp_window_s` refuses every repetition). `per_second` calls are taken, `burst` of them at once
    (0 is no limit); others are told to come later. `page_size_max` stations are in a page at most. A charger must not
    obey a start later than `start_valid_s`.
    """

    base_path: str = "/evcs/20160701/"
    token_s: int = 7_200
    timestamp_window_s: int = 600
    replay_window_s: int = 0
    per_second: float = 200
    burst: int = 400
    page_size_max: int = 1_000
    start_valid_s: int = 30

    def __post_init__(self) -> None:
        require(
            (is_path_base(self.base_path), "base_path", f"{self.base_path!r} is no path between two slashes"),
            (60 <= self.token_s <= _WEEK_S, "token_s", f"must be 60 to {_WEEK_S}"),
            (0 <= self.timestamp_window_s <= _WEEK_S, "timestamp_window_s", f"must be 0 to {_WEEK_S}"),
            (0 <= self.replay_window_s <= _HOUR_S, "replay_window_s", f"must be 0 to {_HOUR_S}"),
            (self.per_second == 0 or is_positive(self.per_second), "per_second", "must be 0, for no limit, or above"),
            (self.burst >= 1, "burst", "must be at least 1"),
            (1 <= self.page_size_max <= _PAGE_MAX, "page_size_max", f"must be 1 to {_PAGE_MAX}"),
            (1 <= self.start_valid_s <= _START_VALID_MAX_S, "start_valid_s", f"must be 1 to {_START_VALID_MAX_S}"),
        )
