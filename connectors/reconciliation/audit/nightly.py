"""The audit as the nightly service runs it: of each day once its night is over, shown as metrics and in the log."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from confluent_kafka import KafkaException

from connectors.errors import ConnectorsError
from connectors.platform import Platform
from connectors.protocol.beijing_time import day_of
from connectors.reconciliation.audit.asking import Queries
from connectors.reconciliation.audit.figures import LEAST_PERCENT, Audit
from connectors.reconciliation.audit.metrics import AuditMetrics
from connectors.reconciliation.audit.run import audit

log = logging.getLogger(__name__)

#: A day is audited so long after it: behind the nightly check's window (Beijing V1.1 §1.1.15), when all that was to be
#: delivered on it should have been.
_NIGHT = timedelta(hours=3)

#: Between two looks at the clock, s.
_TICK_S = 10.0

#: An audit that could not be made is tried again after this, s.
_AGAIN_S = 300.0


def newest_over(now_ms: int) -> date:
    """The newest day, Beijing time, whose night is over."""
    return day_of(now_ms - _NIGHT // timedelta(milliseconds=1)) - timedelta(days=1)


class NightlyAudit:
    """Audits until `stopping`. It only looks: whatever fails here costs no platform its check. `sink_has_all` waits
    until the warehouse has what is compared; False if told to stop."""

    def __init__(
        self,
        warehouse: Queries,
        platforms: Sequence[Platform],
        metrics: AuditMetrics,
        sink_has_all: Callable[[], bool],
        stopping: threading.Event,
        now_ms: Callable[[], int],
    ) -> None:
        self._warehouse = warehouse
        self._platforms = platforms
        self._metrics = metrics
        self._sink_has_all = sink_has_all
        self._stopping = stopping
        self._now_ms = now_ms
        self._said = ""

    def run(self) -> None:
        """The newest day first, then each as it is over."""
        audited: date | None = None
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            day = newest_over(self._now_ms())
            pause_s = _TICK_S
            if day != audited:
                if self._has_audited(day):
                    audited = day
                else:
                    pause_s = _AGAIN_S

    def _has_audited(self, day: date) -> bool:
        try:
            if not self._sink_has_all():
                return False
            found = audit(self._warehouse, day, datetime.fromtimestamp(self._now_ms() / 1000, UTC), self._platforms)
        except (ConnectorsError, KafkaException) as error:
            why = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            if self._said != why:
                self._said = why
                log.error("%s is not audited yet: %s; it is tried again every %d s", day, why, _AGAIN_S)
            return False
        except Exception:
            log.exception("the audit of %s has failed; it is tried again in %d s", day, _AGAIN_S)
            return False
        self._said = ""
        self._metrics.show(found)
        _tell(found)
        return True


def _tell(found: Audit) -> None:
    for figure in found.figures:
        what = " ".join(part for part in (figure.comparison, figure.platform, figure.interface) if part)
        level = logging.INFO if figure.meets(LEAST_PERCENT) else logging.ERROR
        rate = "nothing to compare" if figure.percent is None else f"{figure.percent} % of {figure.checked:,} right"
        rate += f", judged loosely: {figure.loose:,}" if figure.loose else ""
        log.log(level, "audit of %s: %s: %s", found.day, what, rate)
