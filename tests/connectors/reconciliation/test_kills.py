"""Killed by SIGKILL wherever it hurts, and two at once: each order is in one request, and each request is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.simulator.platform.onboarding import platform_environment
from tests.connectors.reconciliation.at_night import DAY, PATIENCE_S, Stand, day_of_orders, know, order, put_into
from tests.connectors.reconciliation.nightly_profile import profile

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]

_ORDERS = 45


def environment(stand: Stand, profiles: Path) -> dict[str, str]:
    """Of a process that checks this stand's orders."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVCS_")}
    warehouse = stand.warehouse
    return {
        **clean,
        **platform_environment("beijing", stand.city.base_url),
        "EVCS_PLATFORMS": str(profiles),
        "EVCS_KAFKA_BOOTSTRAP": stand.kafka.bootstrap,
        "EVCS_TOPIC_PREFIX": stand.kafka.topic_prefix,
        "EVCS_CLICKHOUSE_URL": warehouse.url,
        "EVCS_CLICKHOUSE_PASSWORD": warehouse.password.reveal(),
        "EVCS_CLICKHOUSE_DATABASE": warehouse.database,
    }


def begin(stand: Stand, profiles: Path, point: str, nth: int) -> subprocess.Popen[bytes]:
    module = "tests.connectors.reconciliation.nightly_process"
    command = [sys.executable, "-m", module, point, str(nth), DAY.isoformat()]
    return subprocess.Popen(command, env=environment(stand, profiles), stdin=subprocess.DEVNULL)


def end(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(2 * PATIENCE_S)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    (tmp_path / "beijing.toml").write_text(profile(), encoding="utf-8")
    return tmp_path


def test_killed_at_every_point(stand: Stand, profiles: Path) -> None:
    """Orders that turn up between two lives go into requests of their own."""
    orders = day_of_orders(_ORDERS)
    put_into(stand.warehouse, orders)
    late = [order(1000 + n, orders[0].ended_at + n * 1000) for n in range(4)]
    know(stand.city, orders + late)
    contested = {orders[0].start_charge_seq: 2, orders[30].start_charge_seq: 3}
    stand.city.platform.contested.add(contested)
    for number, (point, nth) in enumerate([("fixed", 1), ("written", 1), ("noted", 2), ("written", 2)]):
        assert end(begin(stand, profiles, point, nth)) == -9
        put_into(stand.warehouse, late[number : number + 1])
    assert end(begin(stand, profiles, "never", 0)) == 0
    asked = stand.asked()
    listed = [one["StartChargeSeq"] for payload in asked for one in payload["ChargeOrders"]]
    assert sorted(listed) == sorted(one.start_charge_seq for one in orders + late)
    assert len({payload["CheckOrderSeq"] for payload in asked}) == len(asked)
    # What was answered but not written down was asked again, the same.
    assert stand.city.ledger.duplicates("check_charge_orders") == 2
    stand.sound()
    assert {one.start_charge_seq: one.code for one in stand.disputes(2)} == contested
    assert len(stand.disputes(2)) == 2


def test_two_at_once(stand: Stand, profiles: Path) -> None:
    orders = day_of_orders(_ORDERS)
    put_into(stand.warehouse, orders)
    know(stand.city, orders)
    stand.city.faults.inject("slow", "check_charge_orders", delay_s=0.2)
    running = [begin(stand, profiles, "never", 0) for _ in range(3)]
    codes = [end(process) for process in running]
    # Who begins last takes the others' place; an earlier one may have been through by then.
    assert 0 in codes
    assert set(codes) <= {0, 1}
    listed = [one["StartChargeSeq"] for payload in stand.asked() for one in payload["ChargeOrders"]]
    assert sorted(listed) == sorted(one.start_charge_seq for one in orders)
    stand.sound()
