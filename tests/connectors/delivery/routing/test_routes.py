"""Which lanes a record goes to: by scope, and by the interfaces that tell of it."""

from dataclasses import replace

import pytest

from connectors.delivery.routing import routes as module
from connectors.delivery.routing.routes import Route, Routes
from connectors.platform import Platform
from connectors.policies import Scope
from connectors.scope import Whereabouts
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r

BEIJING_STATION = Whereabouts("123456789", "110105")
HEBEI_STATION = Whereabouts("123456789", "130100")


def platform(name: str, scope: Scope | None = None, **charge_models: set[int]) -> Platform:
    """Beijing's profile under another name; `charge_models` by interface."""
    policies = {
        interface: replace(policy, charge_models=frozenset(charge_models.get(interface, policy.charge_models)))
        for interface, policy in c.BEIJING.interfaces.items()
    }
    return replace(c.BEIJING, name=name, scope=scope or Scope(), interfaces=policies)


def test_a_record_goes_to_every_platform_that_supervises_its_station() -> None:
    routes = Routes([platform("north", Scope(areas=("11",))), platform("all"), platform("south", Scope(areas=("44",)))])
    routes.station_is("S1", BEIJING_STATION)
    assert routes.of(r.status("A")) == (("delivery-north-states", "delivery-all-states"), ())
    for record in (r.start(1, "A"), r.progress(1, "A"), r.stop(1, "A"), r.order(1, "A")):
        assert routes.of(record) == (("delivery-north-orders", "delivery-all-orders"), ())


def test_a_station_that_is_not_on_the_catalog_leaves_undecided_who_needs_it() -> None:
    routes = Routes([platform("north", Scope(areas=("11",))), platform("all")])
    assert routes.of(r.order(1, "A")) == (("delivery-all-orders",), ("north",))


def test_the_newest_word_of_the_catalog_counts() -> None:
    routes = Routes([platform("north", Scope(areas=("11",)))])
    record = r.order(1, "A")
    seen = []
    for station in (None, BEIJING_STATION, BEIJING_STATION, HEBEI_STATION, None):
        routes.station_is("S1", station)
        seen.append(routes.of(record))
    here, away, unknown = Route(("delivery-north-orders",), ()), Route((), ()), Route((), ("north",))
    assert seen == [unknown, here, here, away, unknown]


def test_what_no_interface_tells_of_is_not_routed() -> None:
    models = {c.START: {1}, c.PROGRESS: {1}, c.STOP: {1}, c.ORDER: {1}, c.BONUS: {1, 3}}
    routes = Routes([platform("picky", Scope(areas=("11",)), **models)])
    # Nor is it anybody's loss that its station is unknown.
    for record in (r.start(1, "A"), r.progress(1, "A"), r.stop(1, "A"), r.order(1, "A", charge_model=2)):
        assert routes.of(record) == ((), ())
    routes.station_is("S1", BEIJING_STATION)
    assert routes.of(r.order(1, "A", charge_model=3)) == (("delivery-picky-orders",), ())
    assert routes.of(r.order(1, "A", charge_model=1)) == (("delivery-picky-orders",), ())
    assert routes.of(r.order(1, "A", charge_model=0)) == ((), ())
    assert routes.of(r.status("A")) == (("delivery-picky-states",), ())


def test_an_interface_that_is_off_is_not_told() -> None:
    policies = {**c.BEIJING.interfaces, c.STATUS: replace(c.BEIJING.interfaces[c.STATUS], on=False)}
    routes = Routes([replace(c.BEIJING, interfaces=policies)])
    assert routes.of(r.status("A")) == ((), ())


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED_MAX", 3)
    routes = Routes([platform("some", Scope(stations=frozenset({"S1", "S7"})))])
    records = [replace(r.status("A"), station_id=f"S{number}") for number in range(10)]
    for _ in range(2):
        routed = [bool(routes.of(record).topics) for record in records]
        assert routed == [number in (1, 7) for number in range(10)]
    assert len(routes._decided) <= 3
