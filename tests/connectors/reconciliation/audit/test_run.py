"""An audit as a whole: which days there are, what becomes a metric, and a warehouse that can't answer."""

from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from connectors.errors import MisconfiguredService, WarehouseAway, WarehouseRefused
from connectors.reconciliation.audit.figures import Audit, Figure
from connectors.reconciliation.audit.metrics import AuditMetrics
from connectors.reconciliation.audit.run import audit
from connectors.reconciliation.days import yesterday
from connectors.warehouse.client import WarehouseClient
from connectors.warehouse.settings import Warehouse
from tests.connectors.reconciliation.audit.day import BONUS, CITY, HOUR_MS, Day


def ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def test_yesterday_is_beijings() -> None:
    assert yesterday(ms(datetime(2026, 3, 2, 15, 59, tzinfo=UTC))) == date(2026, 3, 1)
    assert yesterday(ms(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))) == date(2026, 3, 2)


@pytest.mark.clickhouse
def test_a_clean_day_is_right_in_every_way(a_day: Day) -> None:
    for n in range(8):
        a_day.charge(f"O{n}", f"C{n % 3}", (n + 1) * HOUR_MS + n * 1_111)
        for interface in (BONUS, "notification_charge_order_info"):
            a_day.attempt(f"O{n}", (n + 2) * HOUR_MS, 150, interface=interface)
    told: list[str] = []
    found = audit(a_day.client, a_day.day, datetime.now(UTC), [CITY], tell=told.append)
    assert {figure.comparison for figure in found.figures if figure.right == figure.checked > 0} == {
        "energy", "sums", "confirmed", "in_time", "undisputed", "statistics"}  # fmt: skip
    assert found.is_whole and found.meets(100)  # type: ignore[arg-type]
    assert len(told) == 4


@pytest.mark.clickhouse
def test_a_day_on_which_nothing_happened(a_day: Day) -> None:
    found = a_day.audited(CITY)
    assert (found.checked, {figure.percent for figure in found.figures}) == (0, {None})


def test_a_day_that_has_not_begun() -> None:
    now = datetime.now(UTC)
    with pytest.raises(MisconfiguredService, match="has not begun"):
        audit(WarehouseClient(Warehouse()), yesterday(ms(now)) + timedelta(days=2), now, [])


@pytest.mark.clickhouse
def test_a_warehouse_without_tables(clickhouse: Warehouse) -> None:
    client = WarehouseClient(clickhouse)
    now = datetime.now(UTC)
    with pytest.raises(WarehouseRefused, match="orders"):
        audit(client, yesterday(ms(now)), now, [])
    client.close()


def test_a_warehouse_that_is_away() -> None:
    now = datetime.now(UTC)
    with pytest.raises(WarehouseAway):
        audit(WarehouseClient(Warehouse(url="http://127.0.0.1:9"), timeout_s=1.0), yesterday(ms(now)), now, [])


def test_metrics_show_the_last_audit() -> None:
    registry = CollectorRegistry()
    metrics = AuditMetrics(registry)
    day = date(2026, 3, 1)
    until = datetime(2026, 3, 1, 16, tzinfo=UTC)
    metrics.show(Audit(day, until, True, (Figure("confirmed", 9, 8, platform="chengdu", interface=BONUS),)))
    metrics.show(Audit(day, until, True, (Figure("sums", 5, 4, loose=3),)))
    labels = {"comparison": "sums", "platform": "", "interface": ""}
    assert registry.get_sample_value("evcs_audit_checked", labels) == 5
    assert registry.get_sample_value("evcs_audit_right", labels) == 4
    assert registry.get_sample_value("evcs_audit_loose", labels) == 3
    gone = {"comparison": "confirmed", "platform": "chengdu", "interface": BONUS}
    assert registry.get_sample_value("evcs_audit_checked", gone) is None
    began = datetime(2026, 2, 28, 16, tzinfo=UTC).timestamp()
    assert registry.get_sample_value("evcs_audit_day_timestamp_seconds") == began
