"""What can't be in a dialect: names that nothing sends, fields that would become one, numbers out of bounds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from connectors.interfaces import figures
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.registry import interfaces
from connectors.interfaces.served.registry import served
from connectors.interfaces.standard import STANDARD_LENGTHS, STANDARD_SCALES

#: A key below `dialect`, and what is wrong with it.
Fault = tuple[str, str]


class _Spoken(NamedTuple):
    """What an interface says, in the standard's names: `optional` are those that only a dialect asks for."""

    fields: frozenset[str]
    optional: frozenset[str]


def dialect_faults(dialect: Dialect) -> Iterator[Fault]:
    """Everything that is wrong with a dialect."""
    known = _spoken()
    every = frozenset[str]().union(*(spoken.fields for spoken in known.values()))
    yield from _unknown("aliases", dialect.aliases, every)
    yield from _unknown("decimals", dialect.decimals, STANDARD_SCALES)
    yield from _unknown("lengths", dialect.lengths, STANDARD_LENGTHS)
    for name, alias in dialect.aliases.items():
        if not alias:
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
                yield f"{setting}.{name}", "is no interface that is pushed or served"
    for name, spoken in known.items():
        yield from _of_interface(dialect, name, spoken)


def _spoken() -> dict[str, _Spoken]:
    """Every interface by its name, those that are pushed and those that are served."""
    pushed = {name: _Spoken(push.fields | push.optional, push.optional) for name, push in interfaces().items()}
    return pushed | {name: _Spoken(answer.fields, frozenset()) for name, answer in served().items()}


def _of_interface(dialect: Dialect, name: str, spoken: _Spoken) -> Iterator[Fault]:
    yield from _unknown(f"left_out.{name}", dialect.left_out.get(name, ()), spoken.fields)
    yield from _unknown(f"optional.{name}", dialect.optional.get(name, ()), spoken.optional)
    names = Counter(dialect.name(field) for field in spoken.fields)
    for field, count in sorted(names.items()):
        if count > 1:
            yield "aliases", f"{name} would have {field} twice"
    for field, value in dialect.extra.get(name, {}).items():
        if field in names and not isinstance(value, Mapping):
            yield f"extra.{name}.{field}", "is a field that is sent already"


def _unknown(key: str, names: Iterable[str], allowed: Mapping[str, object] | frozenset[str]) -> Iterator[Fault]:
    for name in sorted(names):
        if name not in allowed:
            yield f"{key}.{name}", "is no field of the standard here"
