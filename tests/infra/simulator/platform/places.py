"""Every place in a payload, so that each can be spoilt by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.simulator.platform.wire_json import Payload

Place = tuple[str | int, ...]


def places(value: object, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    """The value itself and everything in it, each with its place."""
    yield here, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*here, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*here, index))


def at(payload: Payload, place: Place) -> Any:
    """What is there."""
    found: Any = payload
    for step in place:
        found = found[step]
    return found


def written(place: Place) -> str:
    """The place as flaws name it: `ChargeDetails[0].ElecPrice`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")
