"""What the demo says of electricity: equal to the Wh in the warehouse, and to a half of the last digit in answers."""

from collections.abc import Collection, Mapping
from typing import cast

import pytest

from connectors.errors import WarehouseAway
from infra.demo import electricity
from infra.demo.electricity import STATIONS_ASKED, Electricity, compare
from infra.demo.round_trip import RoundTripFailed
from infra.demo.warehouse import DemoWarehouse
from infra.simulator.platform.settings import CallerSettings

METERED = {"A": 1_249, "B": 0, "C": 350}


class Holding:
    """A warehouse with so many Wh, or one that is away."""

    def __init__(self, energy_wh: int | None) -> None:
        self._energy_wh = energy_wh

    def energy_wh(self, _first_day: str, _last_day: str) -> int:
        if self._energy_wh is None:
            raise WarehouseAway("is away")
        return self._energy_wh


def compared(
    monkeypatch: pytest.MonkeyPatch, told: Mapping[str, float] | Exception, energy_wh: int | None = 1_599
) -> Electricity:
    async def answer(_settings: CallerSettings, stations: Collection[str], _first_day: str) -> Mapping[str, float]:
        assert len(stations) == min(STATIONS_ASKED, 12)
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(electricity, "_told", answer)
    warehouse = cast(DemoWarehouse, Holding(energy_wh))
    stations = {f"station {n}" for n in range(12)}
    return compare(warehouse, CallerSettings("http://nowhere"), stations, METERED, "2026-11-26")


def test_answers_that_differ_by_rounding_alone_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, {"A": 1.2, "B": 0.0, "C": 0.4})
    assert found == Electricity(1.599, 1.599, STATIONS_ASKED, 1.6, "")


@pytest.mark.parametrize("told", [{"A": 1.3, "B": 0.0}, {"A": 1.2, "B": 0.1}, {"A": 1.2, "D": 0.1}])
def test_one_connector_apart_is_named(monkeypatch: pytest.MonkeyPatch, told: dict[str, float]) -> None:
    failure = compared(monkeypatch, told).failure
    assert failure.startswith("1 connectors differ: ")
    assert "metered" in failure


def test_a_wh_that_the_warehouse_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(monkeypatch, {"A": 1.2}, 1_598).failure == "what the warehouse holds is not what was metered"


def test_no_answer_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(monkeypatch, RoundTripFailed("there are none")).failure == "there are none"
    assert compared(monkeypatch, {"A": 1.2}, None).failure == "is away"
