"""The audit as a service: which day, again while it can't be made, and at no cost to the check beside it."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from connectors.errors import WarehouseAway
from connectors.reconciliation.audit import nightly
from connectors.reconciliation.audit.metrics import AuditMetrics
from connectors.reconciliation.audit.nightly import NightlyAudit, newest_over
from tests.connectors.reconciliation.audit.day import Day
from tests.whole.topics import until

DAY = date(2026, 3, 1)
#: 03:00 of the day after, in Beijing.
OVER = int(datetime(2026, 3, 1, 19, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "_TICK_S", 0.01)
    monkeypatch.setattr(nightly, "_AGAIN_S", 0.01)


def test_a_day_is_over_when_its_night_is() -> None:
    assert newest_over(OVER - 1) == DAY - timedelta(days=1)
    assert newest_over(OVER) == DAY


class Failing:
    """A warehouse that fails in each of these ways, and then has nothing."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.days: list[object] = []

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, str | int] | None = None
    ) -> list[tuple[Any, ...]]:
        if self.errors:
            raise self.errors.pop(0)
        self.days.append(parameters)
        raise WarehouseAway("nobody is there")


@contextmanager
def at_work(warehouse: Any, now_ms: int, registry: CollectorRegistry) -> Iterator[None]:
    stopping = threading.Event()
    audit = NightlyAudit(warehouse, [], AuditMetrics(registry), lambda: True, stopping, lambda: now_ms)
    thread = threading.Thread(target=audit.run)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(60)
        assert not thread.is_alive()


def test_what_fails_is_tried_again_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    away = Failing(WarehouseAway("nobody is there"), RuntimeError("a defect"))
    registry = CollectorRegistry()
    with at_work(away, OVER, registry):
        until(lambda: len(away.days) > 3, "it is tried again")
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage().split(": ")[0] for record in told] == [
        "2026-03-01 is not audited yet",
        "the audit of 2026-03-01 has failed; it is tried again in 0 s",
    ]
    assert registry.get_sample_value("evcs_audit_day_timestamp_seconds") == 0


@pytest.mark.clickhouse
def test_the_day_that_is_over_becomes_metrics_once(a_day: Day, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    a_day.charge("O1", "C1", 3_600_000)
    begins = datetime(a_day.day.year, a_day.day.month, a_day.day.day, tzinfo=UTC) - timedelta(hours=8)
    over_ms = int(begins.timestamp() * 1000) + 27 * 3_600_000
    registry = CollectorRegistry()
    labels = {"comparison": "energy", "platform": "", "interface": ""}
    with at_work(a_day.client, over_ms, registry):
        until(lambda: registry.get_sample_value("evcs_audit_right", labels) == 1, "the audit is shown")
        a_day.charge("O2", "C2", 7_200_000)
    assert registry.get_sample_value("evcs_audit_checked", labels) == 1
    assert registry.get_sample_value("evcs_audit_day_timestamp_seconds") == begins.timestamp()
    assert f"audit of {a_day.day}: energy: 100.0000 % of 1 right" in [r.getMessage() for r in caplog.records]
