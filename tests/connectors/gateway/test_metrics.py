"""The metrics: what is counted, in Prometheus' form, under labels that no caller makes."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.gateway.metrics import Metrics


class Gauges:
    """What the views say of themselves."""

    def __init__(self) -> None:
        self.age: float | None = None
        self.held = 0
        self.metrics = Metrics(lambda: self.age, {"stations": lambda: self.held})

    def read(self) -> dict[tuple[str, ...], float]:
        """Every sample by its name and its labels' values."""
        families = text_string_to_metric_families(self.metrics.text().decode())
        return {
            (sample.name.removeprefix("evcs_gateway_"), *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
            if not sample.name.endswith("_created")
        }


def test_before_any_call() -> None:
    found = Gauges().read()
    assert found[("unanswered_starts_total",)] == 0
    assert found[("view_entries", "stations")] == 0
    assert math.isnan(found[("view_age_seconds",)])


def test_the_views_are_asked_when_it_is_read() -> None:
    gauges = Gauges()
    gauges.age, gauges.held = 1.5, 7
    assert gauges.read()[("view_age_seconds",)] == 1.5
    assert gauges.read()[("view_entries", "stations")] == 7
    gauges.age = 0.0
    assert gauges.read()[("view_age_seconds",)] == 0


def test_calls_by_interface_platform_and_ret() -> None:
    gauges = Gauges()
    for platform, ret in (("city", 0), ("city", 0), ("city", 4002), ("-", 4001)):
        gauges.metrics.answered(platform, "query_token", ret, 0.01, 1.0)
    found = gauges.read()
    assert {key[1:]: value for key, value in found.items() if key[0] == "requests_total"} == {
        ("query_token", "city", "0"): 2,
        ("query_token", "city", "4002"): 1,
        ("query_token", "-", "4001"): 1,
    }


def test_how_long_they_took() -> None:
    gauges = Gauges()
    for seconds in (0.0009, 0.04, 0.9, 2.0, 4.0):
        gauges.metrics.answered("city", "query_token", 0, seconds, None)
    found = gauges.read()
    within = {bound: found[("request_seconds_bucket", "query_token", bound)] for bound in ("0.001", "0.05", "1.0")}
    assert within == {"0.001": 1, "0.05": 2, "1.0": 3}
    assert found[("request_seconds_bucket", "query_token", "3.0")] == 4
    assert found[("request_seconds_count", "query_token")] == 5


@pytest.mark.parametrize(("seconds", "deadline", "late"), [(1.0, 1.0, 0), (1.001, 1.0, 1), (2.9, 3.0, 0), (9, None, 0)])
def test_late_is_what_took_longer_than_the_deadline(seconds: float, deadline: float | None, late: int) -> None:
    gauges = Gauges()
    gauges.metrics.answered("city", "query_token", 0, seconds, deadline)
    assert gauges.read().get(("late_total", "query_token", "city"), 0) == late


def test_two_instances_count_apart() -> None:
    one, other = Gauges(), Gauges()
    one.metrics.unanswered.inc()
    assert (one.read()[("unanswered_starts_total",)], other.read()[("unanswered_starts_total",)]) == (1, 0)
