"""How a platform departs from the standard's spelling: names, decimals, lengths, fields more or less.

Interfaces write the standard's names of 2016 (`SevicePrice`); a dialect turns a finished payload into the
platform's. The default dialect leaves the payload as it is and costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Literal

from connectors.interfaces import figures
from connectors.interfaces.standard import STANDARD_LENGTHS, STANDARD_SCALES
from connectors.protocol.errors import Unreportable

_NO_FIELDS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Dialect:
    """A platform's departures, keyed by the standard's field names; the mappings by interface are verbatim.

    `left_out` and `optional` name fields per interface, pushed or served, at whatever depth; `extra` gives constant
    fields per interface, and an object among them is merged into the payload's object of that name, or into each
    object of the list of that name.
    """

    spelling: Literal["sevice", "service"] = "sevice"
    aliases: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    optional: Mapping[str, frozenset[str]] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    #: ConnectorStatus of a charge whose connector is offline: the standard's list for charges has no 0.
    offline_connector_status: int = 255

    @cached_property
    def scales(self) -> Mapping[str, int]:
        """Decimals by field."""
        return {**STANDARD_SCALES, **self.decimals}

    @cached_property
    def limits(self) -> Mapping[str, int]:
        """Lengths by field."""
        return {**STANDARD_LENGTHS, **self.lengths}

    @cached_property
    def is_standard(self) -> bool:
        """Whether finished payloads go out as they are."""
        return self.spelling == "sevice" and not (self.aliases or self.left_out or self.extra)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {}

    def name(self, standard: str) -> str:
        """The platform's name of a field."""
        found = self._names.get(standard)
        if found is None:
            found = standard.replace("Sevice", "Service") if self.spelling == "service" else standard
            found = self._names[standard] = self.aliases.get(standard, found)
        return found

    def wants(self, interface: str, optional: str) -> bool:
        """Whether a field that the standard does not have goes out too."""
        return optional in self.optional.get(interface, _NO_FIELDS)

    def apply(self, interface: str, payload: dict[str, object]) -> dict[str, object]:
        """A payload in the standard's names, in the platform's."""
        if self.is_standard:
            return payload
        return _merged(self._spoken(interface, payload), self.extra.get(interface, {}))

    def part(self, interface: str, within: str, payload: dict[str, object]) -> dict[str, object]:
        """An object of the list `within`, as `apply` would make it: once it is encoded, `apply` leaves it as it is."""
        if self.is_standard:
            return payload
        extra = self.extra.get(interface, {}).get(self.name(within))
        return _merged(self._spoken(interface, payload), extra if isinstance(extra, dict) else {})

    def scaled(self, standard: str, units: int, places: int) -> Decimal:
        """`units` of 10^-places with the field's decimals."""
        scale = self.scales[standard]
        return figures.fixed(figures.rescaled(units, places, scale), scale)

    def amount(self, standard: str, value: Decimal) -> Decimal:
        """`value` with the field's decimals. Raises Unreportable."""
        return figures.quantized(standard, value, self.scales[standard])

    def measured(self, standard: str, value: float) -> Decimal:
        """A reading with the field's decimals."""
        return figures.measured(value, self.scales[standard])

    def identifier(self, standard: str, value: str) -> str:
        """`value`, which must fit: a shortened identifier names something else. Raises Unreportable."""
        if len(value) > self.limits[standard]:
            raise Unreportable(standard, f"has {len(value)} characters, {self.limits[standard]} are allowed")
        return value

    def shortened(self, standard: str, value: str) -> str:
        """`value`, cut to what fits."""
        return value[: self.limits[standard]]

    def _spoken(self, interface: str, payload: dict[str, object]) -> dict[str, object]:
        return self._object(payload, self.left_out.get(interface, _NO_FIELDS))

    def _object(self, node: Mapping[str, object], left_out: frozenset[str]) -> dict[str, object]:
        return {self.name(key): self._value(value, left_out) for key, value in node.items() if key not in left_out}

    def _value(self, value: object, left_out: frozenset[str]) -> object:
        if isinstance(value, dict):
            return self._object(value, left_out)
        if isinstance(value, list):
            return [self._value(item, left_out) for item in value]
        return value


STANDARD = Dialect()


def _merged(payload: dict[str, object], extra: Mapping[str, object]) -> dict[str, object]:
    for key, value in extra.items():
        payload[key] = _into(payload.get(key), value)
    return payload


def _into(inner: object, value: object) -> object:
    if isinstance(value, dict) and isinstance(inner, dict):
        return _merged(inner, value)
    if isinstance(value, dict) and isinstance(inner, list):
        return [_merged(item, value) if isinstance(item, dict) else item for item in inner]
    return value
