"""What a platform is: where it listens, what it wants and how it spells it, read from `platforms/<name>.toml`.

The package's profiles are joined by those of the folder that EVCS_PLATFORMS names. Profiles are policy as data:
nothing is sent from here, and secrets come from the mapping that the caller gives.
"""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from connectors.bounds import is_placeholder
from connectors.dialect_faults import dialect_faults
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.registry import Interface, interfaces
from connectors.interfaces.served.registry import served
from connectors.policies import (
    Addresses,
    BreakerPolicy,
    ConfirmAction,
    CredentialNames,
    GatewayPolicy,
    InterfacePolicy,
    Limits,
    Reconciliation,
    Retry,
    Scope,
    Timeouts,
)
from connectors.profile_tables import ProfileTables
from connectors.protocol import query_token
from connectors.protocol.errors import BadProfile
from schemas.records.derived import Order

Target = Literal["test", "production"]

#: The variable that names a folder of the operator's own profiles.
OWN_PROFILES = "EVCS_PLATFORMS"

#: A platform's name stands in its topics', `delivery-<platform>-orders-dlq`: so much of 249 is left behind the longest
#: prefix of an installation.
_NAME_MAX = 29


@dataclass(frozen=True)
class Platform:
    """One platform's profile; `name` is its file's and goes into topic names."""

    name: str
    title: str
    addresses: Addresses
    credentials: CredentialNames
    interfaces: Mapping[str, InterfacePolicy]
    dialect: Dialect = field(default_factory=Dialect)
    scope: Scope = field(default_factory=Scope)
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    retry: Retry = field(default_factory=Retry)
    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    gateway: GatewayPolicy = field(default_factory=GatewayPolicy)
    #: By ConfirmResult from 2 to 99; one that is not named here is disputed.
    confirm_results: Mapping[int, ConfirmAction] = field(default_factory=dict)

    def ladder_s(self, interface: str) -> tuple[int, ...]:
        """The waits, in seconds, before each repetition of an order; the last goes on for ever."""
        return self.interfaces[interface].ladder_s or self.retry.ladder_s

    def delay_s(self, interface: str, failures: int) -> int:
        """The wait after the `failures`-th failure of an order, counted from 1."""
        ladder = self.ladder_s(interface)
        return ladder[min(failures, len(ladder)) - 1]

    def url(self, target: Target, interface: str) -> str:
        """The address of an interface. Raises BadProfile where the target has none, or only a placeholder, and
        KeyError for an interface that the profile does not name."""
        base = self.addresses.test if target == "test" else self.addresses.production
        if not base:
            raise BadProfile(f"{self.name}.toml", f"addresses.{target}", "is not given")
        if is_placeholder(base):
            raise BadProfile(
                f"{self.name}.toml", f"addresses.{target}", f"is a placeholder: set {self.address_variable}"
            )
        return base + (self.interfaces[interface].path or interface)

    @property
    def address_variable(self) -> str:
        """The environment variable that replaces both addresses."""
        return f"EVCS_{self.name.upper().replace('-', '_')}_ADDRESS"

    def is_on(self, interface: str) -> bool:
        """Whether the profile names the interface and has it on."""
        policy = self.interfaces.get(interface)
        return policy is not None and policy.on

    def pushes(self, record: object) -> tuple[Interface, ...]:
        """The interfaces that tell this platform of `record`, in the order of their names."""
        candidates = self._pushes.get(type(record), ())
        model = getattr(record, "charge_model", None)
        return tuple([interface for interface, models in candidates if model is None or model in models])

    def served_paths(self) -> dict[str, str]:
        """The interfaces that the platform may call, by their path on our server."""
        base = self.gateway.base_path
        return {base + (self.interfaces[name].path or name): name for name in sorted(served()) if self.is_on(name)}

    @cached_property
    def _pushes(self) -> dict[type, list[tuple[Interface, frozenset[int]]]]:
        found: dict[type, list[tuple[Interface, frozenset[int]]]] = {}
        for name, interface in sorted(interfaces().items()):
            if self.is_on(name):
                found.setdefault(interface.record, []).append((interface, self.interfaces[name].charge_models))
        return found


class Profiles(NamedTuple):
    """The platforms whose files are right, by name, and what is wrong with the others."""

    platforms: Mapping[str, Platform]
    faults: tuple[BadProfile, ...]


class ProfileFiles(NamedTuple):
    """Where the profiles lie, by platform, and the folders that can't be read."""

    files: Mapping[str, Traversable]
    faults: tuple[BadProfile, ...]


def profile_files(environ: Mapping[str, str] | None = None) -> ProfileFiles:
    """The package's profiles and those of EVCS_PLATFORMS, of which one replaces a packaged one of its name."""
    own = (os.environ if environ is None else environ).get(OWN_PROFILES)
    found = _listed(files("connectors.platforms"))
    if not own:
        return ProfileFiles(found, ())
    try:
        return ProfileFiles(found | _listed(Path(own)), ())
    except OSError as error:
        return ProfileFiles(found, (BadProfile(OWN_PROFILES, "", f"{own}: {error.strerror}"),))


def load_platforms(folder: Traversable | Path | None = None, environ: Mapping[str, str] | None = None) -> Profiles:
    """Every profile of `folder`, by default the package's own and those of EVCS_PLATFORMS. A bad one never keeps the
    others from loading."""
    if folder is None:
        listed, unread = profile_files(environ)
    else:
        try:
            listed, unread = ProfileFiles(_listed(folder), ())
        except OSError as error:
            listed, unread = ProfileFiles({}, (BadProfile(folder.name, "", str(error)),))
    found: dict[str, Platform] = {}
    faults = list(unread)
    for name, file in listed.items():
        platform, wrong = read_platform(file)
        faults += wrong
        if platform is not None:
            found[name] = platform
    return Profiles(found, tuple(faults))


def load_platform(file: Traversable | Path) -> Platform:
    """One profile. Raises BadProfile naming file, key and reason, for the first of its faults."""
    platform, faults = read_platform(file)
    if platform is None:
        raise faults[0]
    return platform


def read_platform(file: Traversable | Path) -> tuple[Platform | None, tuple[BadProfile, ...]]:
    """One profile, or None and everything that is wrong with it."""
    name = file.name.removesuffix(".toml")
    tables = ProfileTables(file.name)
    platform = None
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.toml", file.name):
        tables.fault("", "must be named <platform>.toml, in small letters, digits and single dashes")
    if len(name) > _NAME_MAX:
        tables.fault("", f"has a name of {len(name)} characters: {_NAME_MAX} are the most that topics have room for")
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)
        platform = platform_of(tables, name, raw)
    except OSError as error:
        tables.fault("", error.strerror or str(error))
    except ValueError as error:
        tables.fault("", str(error))
    except RecursionError:
        tables.fault("", "is nested too deep")
    return (None if tables.faults else platform), tuple(tables.faults)


def _listed(folder: Traversable) -> dict[str, Traversable]:
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {file.name.removesuffix(".toml"): file for file in found}


#: The tables that are read as they are.
TABLES: Mapping[str, type] = {
    "addresses": Addresses,
    "credentials": CredentialNames,
    "dialect": Dialect,
    "scope": Scope,
    "timeouts": Timeouts,
    "limits": Limits,
    "breaker": BreakerPolicy,
    "retry": Retry,
    "reconciliation": Reconciliation,
    "gateway": GatewayPolicy,
}


def platform_of(tables: ProfileTables, name: str, raw: dict[str, Any]) -> Platform | None:
    """A file's content as a platform; None unless everything is right; notes all faults."""
    tables.check_keys("", raw, Platform, given=("name",))
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key in TABLES:
            values[key] = tables.table(key, value, TABLES[key])
        elif key == "title":
            values[key] = tables.value(key, value, str)
        elif key == "interfaces":
            values[key] = _interfaces(tables, value)
        elif key == "confirm_results":
            values[key] = _confirm_results(tables, value)
        if isinstance(values.get(key), Dialect):
            for name, reason in dialect_faults(values[key]):
                tables.fault(f"{key}.{name}", reason)
    return None if tables.faults else Platform(name=name, **values)


def _interfaces(tables: ProfileTables, raw: object) -> dict[str, InterfacePolicy]:
    named = tables.value("interfaces", raw, dict[str, Any]) or {}
    found: dict[str, InterfacePolicy] = {}
    for name, table in named.items():
        key = f"interfaces.{name}"
        if name not in interfaces() and name not in served():
            tables.fault(key, "no file of connectors/interfaces is this interface")
            continue
        policy = tables.table(key, table, InterfacePolicy)
        if policy is None:
            continue
        if policy.ladder_s is not None and (name not in interfaces() or interfaces()[name].record is not Order):
            tables.fault(f"{key}.ladder_s", "is for orders only: all else is repeated by retry.in_place_s")
        found[name] = policy
    if query_token.INTERFACE not in named or (query_token.INTERFACE in found and not found[query_token.INTERFACE].on):
        tables.fault(f"interfaces.{query_token.INTERFACE}", "is missing, or off: every push needs its token")
    paths = Counter(policy.path or name for name, policy in found.items() if policy.on)
    for name, policy in found.items():
        if policy.path and policy.on and paths[policy.path] > 1:
            tables.fault(f"interfaces.{name}.path", "is another interface's path too")
    return found


def _confirm_results(tables: ProfileTables, raw: object) -> dict[int, ConfirmAction]:
    found: dict[int, ConfirmAction] = {}
    for code, given in (tables.value("confirm_results", raw, dict[str, Any]) or {}).items():
        key = f"confirm_results.{code}"
        if not re.fullmatch(r"[2-9]|[1-9][0-9]", code):
            tables.fault(key, "is no ConfirmResult from 2 to 99")
        action: ConfirmAction | None = tables.value(key, given, ConfirmAction)  # type: ignore[arg-type]
        if action is not None:
            found[int(code)] = action
    return found
