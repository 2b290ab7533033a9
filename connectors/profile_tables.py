"""Reads the tables of a TOML file into dataclasses, and keeps every fault with its key instead of only the first.

What the tables mean, and which of them a platform has, is not decided here.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

import msgspec

from connectors.bounds import BadSettings
from connectors.protocol.errors import BadProfile

T = TypeVar("T")


class ProfileTables:
    """One file's tables. `faults` grows with every call that gives None."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.faults: list[BadProfile] = []

    def fault(self, key: str, reason: str) -> None:
        """Notes what is wrong with a key, which is dotted; "" is the whole file."""
        self.faults.append(BadProfile(self._file, key, reason))

    def check_keys(self, key: str, raw: Mapping[str, object], shape: type, given: tuple[str, ...] = ()) -> None:
        """Notes what `raw` has and `shape` does not, and what it lacks. `given` are fields that come from elsewhere."""
        declared = {f.name: f for f in fields(shape) if f.name not in given}
        for name in raw:
            if name not in declared:
                self.fault(_joined(key, name), "is no setting")
        for name, setting in declared.items():
            if name not in raw and setting.default is MISSING and setting.default_factory is MISSING:
                self.fault(_joined(key, name), "is missing")

    def table(self, key: str, raw: object, shape: type[T]) -> T | None:
        """A table as a dataclass; None if anything in it is wrong."""
        before = len(self.faults)
        table = self.value(key, raw, dict[str, Any])
        if table is None:
            return None
        self.check_keys(key, table, shape)
        hints = get_type_hints(shape)
        values = {name: self.value(_joined(key, name), table[name], hints[name]) for name in table if name in hints}
        if len(self.faults) > before:
            return None
        try:
            return shape(**values)
        except BadSettings as error:
            for name, reason in error.faults:
                self.fault(_joined(key, name), reason)
            return None

    def value(self, key: str, raw: object, shape: type[T]) -> T | None:
        """A value of the type; None if it is none."""
        try:
            return msgspec.convert(raw, shape)
        except msgspec.ValidationError as error:
            reason, _, at = str(error).partition(" - at `")
            self.fault(key + at.removesuffix("`").removeprefix("key in ").removeprefix("$"), reason)
        except OverflowError:
            self.fault(key, "is too large")
        return None


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
