"""The served interfaces are found in their folder, and the pushes are not among them."""

from types import ModuleType

import pytest

from connectors.interfaces.registry import interfaces
from connectors.interfaces.served.registry import _served, served
from connectors.interfaces.standard import STANDARD_LENGTHS, STANDARD_SCALES
from connectors.protocol.errors import Misconfigured


def test_every_file_with_a_name_is_an_interface() -> None:
    found = served()
    assert "query_stations_info" in found
    assert list(found) == [interface.name for interface in found.values()]
    assert "StationInfos" in found["query_stations_info"].fields


def test_none_is_pushed_too() -> None:
    assert not set(served()) & set(interfaces())


def test_a_file_that_lacks_a_part_is_named() -> None:
    module = ModuleType("connectors.interfaces.served.half")
    module.INTERFACE = "query_half"  # type: ignore[attr-defined]
    with pytest.raises(Misconfigured, match=r"connectors\.interfaces\.served\.half: an interface needs FIELDS"):
        _served(module)


@pytest.mark.parametrize("table", [STANDARD_SCALES, STANDARD_LENGTHS])
def test_every_field_with_decimals_or_a_length_is_some_interfaces(table: dict[str, int]) -> None:
    names = [*(push.fields for push in interfaces().values()), *(answer.fields for answer in served().values())]
    assert set(table) <= frozenset[str]().union(*names)
