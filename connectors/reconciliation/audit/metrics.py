"""The audit's metrics, all of them, for whichever service runs it."""

from prometheus_client import CollectorRegistry, Gauge

from connectors.reconciliation.audit.figures import Audit
from connectors.reconciliation.days import midnight_ms

_LABELS = ("comparison", "platform", "interface")


class AuditMetrics:
    """In a service's registry; they show the newest audit, and nothing before the first."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._checked = Gauge(
            "evcs_audit_checked",
            "What was compared in the last audit: orders, or connectors",
            _LABELS,
            registry=registry,
        )
        self._right = Gauge("evcs_audit_right", "How many of these were right", _LABELS, registry=registry)
        self._loose = Gauge(
            "evcs_audit_loose",
            "How many of the right ones were judged loosely, since their connectors were silent",
            _LABELS,
            registry=registry,
        )
        self._day = Gauge(
            "evcs_audit_day_timestamp_seconds", "Beginning of the day that the last audit looked at", registry=registry
        )

    def show(self, audit: Audit) -> None:
        """This audit is the last."""
        for gauge in (self._checked, self._right, self._loose):
            gauge.clear()
        for figure in audit.figures:
            labels = figure.comparison, figure.platform, figure.interface
            self._checked.labels(*labels).set(figure.checked)
            self._right.labels(*labels).set(figure.right)
            self._loose.labels(*labels).set(figure.loose)
        self._day.set(midnight_ms(audit.day) / 1000)
