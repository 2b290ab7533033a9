"""Every shipped profile against the simulated city of its name: what the connectors say there is accepted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.interfaces.check_charge_orders import CheckedOrder, OrderCheck
from connectors.interfaces.registry import interfaces
from connectors.platform import load_platforms
from connectors.protocol import wire_json
from infra.simulator.platform.dialect import CITIES
from infra.simulator.platform.settings import PlatformSettings
from infra.simulator.platform.threaded import PlatformThread
from tests.connectors.delivery import records as r
from tests.infra.simulator.platform.manual_clock import ManualClock
from tests.infra.simulator.platform.operator_side import OperatorSide

PLATFORMS = load_platforms(environ={}).platforms
CONNECTOR = "110000001"
DAY_MS = 86_400_000
CHECKED = CheckedOrder(r.seq(1), Decimal("10.00"), Decimal("14.00"))
RECORDS = (
    r.status(CONNECTOR, 3),
    r.start(1, CONNECTOR),
    r.progress(1, CONNECTOR),
    r.stop(1, CONNECTOR),
    r.order(1, CONNECTOR, charge_model=1),
    OrderCheck(r.seq(9), r.STARTED, r.STARTED + DAY_MS, [CHECKED]),
)


def test_every_shipped_platform_can_be_played() -> None:
    assert set(CITIES) == set(PLATFORMS)


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_what_a_platform_is_told_it_accepts(name: str) -> None:
    platform = PLATFORMS[name]
    clock = ManualClock()
    told = []
    with PlatformThread(PlatformSettings(dialect=CITIES[name]), clock=clock) as city:
        side = OperatorSide(city.base_url, city.platform.settings, clock)
        for record in RECORDS:
            for interface in platform.pushes(record):
                payload = wire_json.encode(interface.payload(record, platform.dialect)).decode()
                reply = side.push(platform.interfaces[interface.name].path or interface.name, payload)
                assert (reply.status, reply.ret, reply.msg) == (200, 0, ""), interface.name
                told.append(interface.name)
        side.close()
        assert city.ledger.violations == []
    assert set(told) == {interface for interface in interfaces() if platform.is_on(interface)}
