"""Finds the interfaces: every module of this folder that has INTERFACE is one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import connectors.interfaces
from connectors.interfaces.dialect import Dialect
from connectors.interfaces.outcome import Outcome
from connectors.protocol.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Interface:
    """A push: its name on the wire, the record type it reports, and how both directions are spoken.

    `payload(record, dialect)` raises Unreportable; `outcome(response)` takes the decoded payload of an answer
    with Ret 0 and raises BadPayload. `fields` are the standard's names at any depth, `optional` those that
    only a dialect asks for.
    """

    name: str
    record: type
    fields: frozenset[str]
    optional: frozenset[str]
    payload: Callable[[Any, Dialect], dict[str, object]]
    outcome: Callable[[Mapping[str, object]], Outcome]


@cache
def interfaces() -> Mapping[str, Interface]:
    """Every interface by its name. Raises Misconfigured if two files claim one name."""
    found: dict[str, Interface] = {}
    for info in iter_modules(connectors.interfaces.__path__, "connectors.interfaces."):
        module = import_module(info.name)
        if not hasattr(module, "INTERFACE"):
            continue
        interface = _interface(module)
        if interface.name in found:
            raise Misconfigured(f"{info.name}: {interface.name} is another file's interface already")
        found[interface.name] = interface
    return found


def _interface(module: ModuleType) -> Interface:
    try:
        return Interface(
            name=module.INTERFACE,
            record=module.RECORD,
            fields=frozenset(module.FIELDS),
            optional=frozenset(getattr(module, "OPTIONAL", ())),
            payload=module.payload,
            outcome=module.outcome,
        )
    except AttributeError as error:
        raise Misconfigured(f"{module.__name__}: an interface needs {error.name}") from error
