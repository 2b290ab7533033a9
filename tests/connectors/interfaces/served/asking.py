"""What the tests of the served interfaces share: an answer's text, and how a bad request is refused."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.protocol import wire_json
from connectors.protocol.errors import BadPayload

Reading = Callable[[Mapping[str, object], Dialect], Any]


def wire(payload: dict[str, object]) -> str:
    """The plaintext."""
    return wire_json.encode(payload).decode()


def refusal(read: Reading, payload: Mapping[str, object], dialect: Dialect = STANDARD) -> str:
    """What a request is refused for."""
    with pytest.raises(BadPayload) as caught:
        read(payload, dialect)
    assert caught.value.field
    return str(caught.value)


def without(payload: Mapping[str, object], name: str) -> dict[str, object]:
    """The same without a field."""
    return {known: value for known, value in payload.items() if known != name}


def check_identifiers(read: Reading, good: Mapping[str, object], longest: Mapping[str, int]) -> None:
    """These fields of a good request are texts of 1 to so many characters, in the platform's names and bounds."""
    for name, most in longest.items():
        for absent in (without(good, name), {**good, name: None}):
            assert refusal(read, absent) == f"{name}: is missing"
        for odd in ({**good, name: 7}, {**good, name: True}, {**good, name: []}, {**good, name: {}}):
            assert refusal(read, odd) == f"{name}: is not a string"
        assert refusal(read, {**good, name: ""}) == f"{name}: is empty"
        assert (
            refusal(read, {**good, name: "令" * (most + 1)}) == f"{name}: has {most + 1} characters, {most} are allowed"
        )
        assert read({**good, name: "令" * most}, STANDARD)
        assert read({**without(good, name), name[0].lower() + name[1:]: "x"}, STANDARD)
        dialect = Dialect(aliases={name: "Named"}, lengths={name: 3})
        assert read({**without(good, name), "Named": "123"}, dialect)
        assert refusal(read, {**good, "Named": "1234"}, dialect) == "Named: has 4 characters, 3 are allowed"
        assert refusal(read, good, dialect) == "Named: is missing"
