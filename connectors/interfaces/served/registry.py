"""Finds the interfaces that are served: every module of this folder that has INTERFACE is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import connectors.interfaces.served
from connectors.protocol.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Served:
    """A served interface: its name on the wire, and the standard's names of its answer's fields at any depth."""

    name: str
    fields: frozenset[str]


@cache
def served() -> Mapping[str, Served]:
    """Every served interface by its name. Raises Misconfigured if two files claim one name."""
    found: dict[str, Served] = {}
    for info in iter_modules(connectors.interfaces.served.__path__, "connectors.interfaces.served."):
        module = import_module(info.name)
        if not hasattr(module, "INTERFACE"):
            continue
        interface = _served(module)
        if interface.name in found:
            raise Misconfigured(f"{info.name}: {interface.name} is another file's interface already")
        found[interface.name] = interface
    return found


def _served(module: ModuleType) -> Served:
    try:
        return Served(module.INTERFACE, frozenset(module.FIELDS))
    except AttributeError as error:
        raise Misconfigured(f"{module.__name__}: an interface needs {error.name}") from error
