"""What can't be in a dialect: names that nothing sends, fields that would become one, numbers out of bounds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from connectors.interfaces import figures
from connectors.interfaces.dialect import STANDARD_LENGTHS, STANDARD_SCALES, Dialect
from connectors.interfaces.registry import Interface, interfaces

#: A key below `dialect`, and what is wrong with it.
Fault = tuple[str, str]


def dialect_faults(dialect: Dialect) -> Iterator[Fault]:
    """Everything that is wrong with a dialect."""
    known = interfaces()
    every = frozenset[str]().union(*map(_names, known.values()))
    yield from _unknown("aliases", dialect.aliases, every)
    yield from _unknown("decimals", dialect.decimals, STANDARD_SCALES)
    yield from _unknown("lengths", dialect.lengths, STANDARD_LENGTHS)
    for name, spoken in dialect.aliases.items():
        if not spoken:
            yield f"aliases.{name}", "is empty"
    for name, scale in dialect.decimals.items():
        if not 0 <= scale <= figures.SCALE_MAX:
            yield f"decimals.{name}", f"must be 0 to {figures.SCALE_MAX}"
    for name, length in dialect.lengths.items():
        if length < 1:
            yield f"lengths.{name}", "must be at least 1"
    for setting in ("left_out", "optional", "extra"):
        for name in getattr(dialect, setting):
            if name not in known:
                yield f"{setting}.{name}", "is no interface that is pushed"
    for interface in known.values():
        yield from _of_interface(dialect, interface)


def _of_interface(dialect: Dialect, interface: Interface) -> Iterator[Fault]:
    name = interface.name
    yield from _unknown(f"left_out.{name}", dialect.left_out.get(name, ()), _names(interface))
    yield from _unknown(f"optional.{name}", dialect.optional.get(name, ()), interface.optional)
    spoken = Counter(dialect.name(field) for field in _names(interface))
    for field, count in sorted(spoken.items()):
        if count > 1:
            yield "aliases", f"{name} would have {field} twice"
    for field, value in dialect.extra.get(name, {}).items():
        if field in spoken and not isinstance(value, Mapping):
            yield f"extra.{name}.{field}", "is a field that is sent already"


def _names(interface: Interface) -> frozenset[str]:
    return interface.fields | interface.optional


def _unknown(key: str, names: Iterable[str], allowed: Mapping[str, object] | frozenset[str]) -> Iterator[Fault]:
    for name in sorted(names):
        if name not in allowed:
            yield f"{key}.{name}", "is no field of the standard here"
