"""What a platform is: where it listens, what it wants and how it spells it, read from `platforms/<name>.toml`.

Profiles are policy as data: nothing is sent from here, and secrets come from the mapping that the caller gives.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from connectors.interfaces import figures
from connectors.interfaces.dialect import STANDARD_LENGTHS, STANDARD_SCALES, Dialect
from connectors.interfaces.registry import Interface, interfaces
from connectors.policies import (
    Addresses,
    BreakerPolicy,
    ConfirmAction,
    CredentialNames,
    InterfacePolicy,
    Limits,
    Reconciliation,
    Retry,
    Scope,
    Timeouts,
)
from connectors.protocol import query_token
from connectors.protocol.errors import BadProfile

Target = Literal["test", "production"]

T = TypeVar("T")


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
        """The address of an interface. Raises KeyError for an interface that the profile does not name."""
        base = self.addresses.test if target == "test" else self.addresses.production
        if not base:
            raise BadProfile(f"{self.name}.toml", f"addresses.{target}", "is not given")
        return base + (self.interfaces[interface].path or interface)

    def is_on(self, interface: str) -> bool:
        """Whether the profile names the interface and has it on."""
        policy = self.interfaces.get(interface)
        return policy is not None and policy.on

    def pushes(self, record: object) -> tuple[Interface, ...]:
        """The interfaces that tell this platform of `record`, in the order of their names."""
        candidates = self._pushes.get(type(record), ())
        model = getattr(record, "charge_model", None)
        return tuple(interface for interface, models in candidates if model is None or model in models)

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


def load_platforms(folder: Traversable | Path | None = None) -> Profiles:
    """Every profile of `folder` (by default the package's own). A bad one never keeps the others from loading."""
    found: dict[str, Platform] = {}
    faults: list[BadProfile] = []
    source = folder or files("connectors.platforms")
    try:
        listed = sorted((f for f in source.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    except OSError as error:
        return Profiles({}, (BadProfile(source.name, "", str(error)),))
    for file in listed:
        try:
            platform = load_platform(file)
            found[platform.name] = platform
        except BadProfile as fault:
            faults.append(fault)
    return Profiles(found, tuple(faults))


def load_platform(file: Traversable | Path) -> Platform:
    """One profile. Raises BadProfile naming file, key and reason."""
    name = file.name.removesuffix(".toml")
    try:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise BadProfile(file.name, "", "names of platforms are kebab-case")
        raw = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        return _platform(file.name, name, raw)
    except (OSError, ValueError) as error:
        raise BadProfile(file.name, "", str(error)) from error


def _platform(file: str, name: str, raw: dict[str, Any]) -> Platform:
    _check_keys(file, "", raw, Platform, given=("name",))
    policies = _convert(file, "interfaces", raw["interfaces"], dict[str, dict[str, Any]])
    known = {*interfaces(), query_token.INTERFACE}
    for interface in policies:
        if interface not in known:
            raise BadProfile(file, f"interfaces.{interface}", "no file of connectors/interfaces is this interface")
    dialect = _table(file, "dialect", raw, Dialect)
    _check_dialect(file, dialect)
    return Platform(
        name=name,
        title=_convert(file, "title", raw["title"], str),
        addresses=_table(file, "addresses", raw, Addresses),
        credentials=_table(file, "credentials", raw, CredentialNames),
        interfaces={
            key: _table(file, f"interfaces.{key}", {f"interfaces.{key}": value}, InterfacePolicy)
            for key, value in policies.items()
        },
        dialect=dialect,
        scope=_table(file, "scope", raw, Scope),
        timeouts=_table(file, "timeouts", raw, Timeouts),
        limits=_table(file, "limits", raw, Limits),
        breaker=_table(file, "breaker", raw, BreakerPolicy),
        retry=_table(file, "retry", raw, Retry),
        reconciliation=_table(file, "reconciliation", raw, Reconciliation),
        confirm_results=_confirm_results(file, raw),
    )


def _table(file: str, key: str, raw: Mapping[str, Any], shape: type[T]) -> T:
    table = _convert(file, key, raw.get(key, {}), dict[str, Any])
    _check_keys(file, key, table, shape)
    return _convert(file, key, table, shape)


def _confirm_results(file: str, raw: Mapping[str, Any]) -> dict[int, ConfirmAction]:
    key = "confirm_results"
    actions = _convert(file, key, raw.get(key, {}), dict[str, ConfirmAction])
    for code in actions:
        if not re.fullmatch(r"[2-9]|[1-9][0-9]", code):
            raise BadProfile(file, f"{key}.{code}", "is no ConfirmResult from 2 to 99")
    return {int(code): action for code, action in actions.items()}


def _check_keys(file: str, key: str, table: Mapping[str, Any], shape: type, given: tuple[str, ...] = ()) -> None:
    declared = {f.name: f for f in fields(shape) if f.name not in given}
    for name in table:
        if name not in declared:
            raise BadProfile(file, f"{key}.{name}".strip("."), "is no setting")
    for name, setting in declared.items():
        if name not in table and setting.default is MISSING and setting.default_factory is MISSING:
            raise BadProfile(file, f"{key}.{name}".strip("."), "is missing")


def _convert(file: str, key: str, value: object, shape: type[T]) -> T:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at `$")
        raise BadProfile(file, key + at.removesuffix("`"), reason) from error


def _check_dialect(file: str, dialect: Dialect) -> None:
    """Every name must be one that something sends, and no two fields of an interface may become one."""
    known = interfaces()
    for setting in ("left_out", "optional", "extra"):
        for name in getattr(dialect, setting):
            if name not in known:
                raise BadProfile(file, f"dialect.{setting}.{name}", "is no interface that is pushed")
    for name, left_out in dialect.left_out.items():
        _check_names(file, f"dialect.left_out.{name}", left_out, known[name].fields | known[name].optional)
    for name, optional in dialect.optional.items():
        _check_names(file, f"dialect.optional.{name}", optional, known[name].optional)
    every = frozenset[str]().union(*(interface.fields | interface.optional for interface in known.values()))
    _check_names(file, "dialect.aliases", dialect.aliases, every)
    _check_names(file, "dialect.decimals", dialect.decimals, STANDARD_SCALES)
    _check_names(file, "dialect.lengths", dialect.lengths, STANDARD_LENGTHS)
    for name, scale in dialect.decimals.items():
        if not 0 <= scale <= figures.SCALE_MAX:
            raise BadProfile(file, f"dialect.decimals.{name}", f"must be 0 to {figures.SCALE_MAX}")
    for name, length in dialect.lengths.items():
        if length < 1:
            raise BadProfile(file, f"dialect.lengths.{name}", "must be at least 1")
    for interface in known.values():
        spoken = Counter(dialect.name(name) for name in interface.fields | interface.optional)
        twice = sorted(name for name, count in spoken.items() if count > 1)
        if twice:
            raise BadProfile(file, "dialect.aliases", f"{interface.name} would have {twice[0]} twice")


def _check_names(
    file: str, key: str, names: Mapping[str, object] | frozenset[str], allowed: Mapping[str, object] | frozenset[str]
) -> None:
    for name in sorted(names):
        if name not in allowed:
            raise BadProfile(file, f"{key}.{name}", "is no field of the standard here")
