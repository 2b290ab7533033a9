"""The nightly check as a service that keeps its own time: each platform on a thread of its own, so that one that is
away costs the others nothing."""

import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Protocol

from connectors.errors import ConnectorsError, PlaceTaken
from connectors.reconciliation.audit.asking import Queries
from connectors.reconciliation.audit.metrics import AuditMetrics
from connectors.reconciliation.audit.nightly import NightlyAudit
from connectors.reconciliation.book import Book
from connectors.reconciliation.check import PlatformCheck
from connectors.reconciliation.days import days_to_look_at, yesterday
from connectors.reconciliation.metrics import Metrics
from connectors.reconciliation.patience import Patience, Stopped
from connectors.reconciliation.settings import Checked, NightlySettings
from connectors.reconciliation.sink_progress import AUDITED, SinkProgress
from connectors.warehouse.blocks import Blocks
from schemas.clock import wall_ms

log = logging.getLogger(__name__)

#: Between two looks at the clock, s: it may be set, and a machine may sleep.
_TICK_S = 10.0

#: Another process that has taken this one's place is left alone for so long, s.
_LEFT_ALONE_S = 300.0

#: A check that has failed for no reason that is known begins again after this, s.
_ANEW_S = 60.0


class Asked(Blocks, Queries, Protocol):
    """The warehouse, as the check reads it and the audit asks it."""


class Nightly:
    """Checks and audits until `stop`, which, like `ready` and `metrics`, is for any thread."""

    def __init__(self, settings: NightlySettings, warehouse: Asked, now_ms: Callable[[], int] = wall_ms) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._now_ms = now_ms
        self._stopping = threading.Event()
        self.metrics = Metrics()
        names = [checked.platform.name for checked in settings.checked]
        self._audit = NightlyAudit(
            warehouse,
            [checked.platform for checked in settings.checked],
            AuditMetrics(self.metrics.registry),
            self._sink_has_all,
            self._stopping,
            now_ms,
        )
        self._patience = {name: Patience(name, self.metrics, self._stopping) for name in names}

    @property
    def ready(self) -> bool:
        """Whether days are checked when they are due: nothing is waited for."""
        return not self._stopping.is_set() and not any(one.is_waiting for one in self._patience.values())

    def stop(self) -> None:
        """Ends `run` within seconds; what is open goes on after the next start."""
        self._stopping.set()

    def run(self) -> None:
        """Raises KafkaRefused, WarehouseRefused and UnreadableBook: what does not pass by itself."""
        with ThreadPoolExecutor(len(self._settings.checked) + 1, "nightly") as pool:
            running = [pool.submit(self._audit.run)]
            running += [pool.submit(self._keep, checked) for checked in self._settings.checked]
            for one in running:
                one.result()

    def _sink_has_all(self) -> bool:
        """Waits until what lies on the topics that an audit looks at is in the warehouse; False if told to stop."""
        for topic in AUDITED:
            progress = SinkProgress(self._settings.cluster, self._settings.sink_group, topic)
            try:
                progress.mark()
                while progress.behind():
                    if self._stopping.wait(_TICK_S):
                        return False
            finally:
                progress.close()
        return True

    def _keep(self, checked: Checked) -> None:
        """One platform, until told to stop."""
        name = checked.platform.name
        patience = self._patience[name]
        check: PlatformCheck | None = None
        looked_at = -1
        try:
            check = PlatformCheck(self._settings, checked, self._warehouse, self.metrics, patience, self._now_ms)
            while True:
                began_at = self._now_ms()
                newest = yesterday(began_at)
                due_at = check.night(newest).next_look_at(looked_at)
                if due_at is None or began_at < due_at:
                    patience.pause(_TICK_S)
                elif self._has_looked(check, patience, newest):
                    looked_at = began_at
        except Stopped:
            pass
        except BaseException:
            self.stop()
            raise
        finally:
            if check is not None:
                check.close()

    def _has_looked(self, check: PlatformCheck, patience: Patience, newest: date) -> bool:
        """Whether the look was finished; what does not pass by itself leaves here."""
        try:
            check.look(*self._days(check, newest))
        except PlaceTaken as taken:
            log.warning("%s; it is looked after again in %d s", taken, _LEFT_ALONE_S)
            patience.pause(_LEFT_ALONE_S)
            return False
        except (Stopped, ConnectorsError):
            raise
        except Exception:
            log.exception("a nightly check has failed; it begins again in %d s", _ANEW_S)
            patience.pause(_ANEW_S)
            return False
        return True

    @staticmethod
    def _days(check: PlatformCheck, newest: date) -> tuple[Callable[[Collection[date]], list[date]], date]:
        policy = check.policy
        # As far back again: whether anything was ever checked tells whether anything was missed.
        oldest = newest - timedelta(days=2 * policy.look_back_days)
        return lambda checked: days_to_look_at(newest, policy, checked), oldest


def check_day(
    settings: NightlySettings,
    warehouse: Blocks,
    day: date,
    stopping: threading.Event,
    tell: Callable[[str], None],
    now_ms: Callable[[], int] = wall_ms,
) -> dict[str, Book]:
    """Checks one day at once, of all these platforms side by side; the books by platform, but of those that were told
    to stop before all was over.

    Raises PlaceTaken, KafkaRefused, WarehouseRefused and UnreadableBook.
    """
    metrics = Metrics()

    def run(checked: Checked) -> Book:
        patience = Patience(checked.platform.name, metrics, stopping)
        check = PlatformCheck(settings, checked, warehouse, metrics, patience, now_ms, tell)
        try:
            return check.look(lambda _: [day], day)
        finally:
            check.close()

    found: dict[str, Book] = {}
    failures: list[BaseException] = []
    with ThreadPoolExecutor(len(settings.checked), "nightly") as pool:
        running = {checked.platform.name: pool.submit(run, checked) for checked in settings.checked}
        for name, future in running.items():
            try:
                found[name] = future.result()
            except Stopped:
                pass
            except BaseException as failure:  # also Ctrl-C, which the threads must be told of
                failures.append(failure)
                stopping.set()
    if failures:
        raise failures[0]
    return found
