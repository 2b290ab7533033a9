"""One platform's check: fixes the requests of days that are over, sends what is open, and writes down how it ended.

All is read from `order-checks` when a look begins, and written there by one producer: whoever begins after it has taken
its place, so that two processes never fix different requests. A look that is cut off, wherever, goes on from what is
there when it is begun anew.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta

from confluent_kafka import KafkaError, KafkaException

from connectors.delivery.pace import Pace
from connectors.delivery.transactions import Unsettled
from connectors.errors import KafkaRefused, WarehouseAway
from connectors.interfaces.check_charge_orders import INTERFACE
from connectors.kafka_faults import is_refusal
from connectors.reconciliation.asking import Asked, Asking
from connectors.reconciliation.book import Book, Request
from connectors.reconciliation.days import Night, midnight_ms
from connectors.reconciliation.metrics import Metrics
from connectors.reconciliation.notes import Fixed, Notes, NotWritten
from connectors.reconciliation.orders import DayOrders, LeftOut
from connectors.reconciliation.patience import Patience, Stopped
from connectors.reconciliation.places import places
from connectors.reconciliation.plan import Planning, requests
from connectors.reconciliation.settings import Checked, NightlySettings
from connectors.reconciliation.sink_progress import SinkProgress
from connectors.reconciliation.topic import read_book
from connectors.warehouse.blocks import Blocks
from schemas.codec import codec_for
from schemas.compacted import ReadStalled
from schemas.records.order_checks import OrderCheckPlanned

log = logging.getLogger(__name__)

#: Pauses before Kafka, or the warehouse, is asked again, and before a look begins anew, s.
_AGAIN_S = 5.0
#: How often it is asked how far the sink is, s.
_SINK_S = 1.0
#: What was written is looked for again after this, s.
_SOON_S = 0.1

#: Which of these days, if any were ever checked, are to be looked at: given those that were.
Days = Callable[[Collection[date]], list[date]]


class PlatformCheck:
    """From one thread. `now_ms` is the wall clock in UTC ms; `tell` hears of the progress. To be closed.

    `look` raises Stopped, PlaceTaken when another process works in this one's place, and KafkaRefused and
    WarehouseRefused for what does not pass by itself; all else is waited for.
    """

    def __init__(
        self,
        settings: NightlySettings,
        checked: Checked,
        warehouse: Blocks,
        metrics: Metrics,
        patience: Patience,
        now_ms: Callable[[], int],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._checked = checked
        self._platform = checked.platform
        self._name = checked.platform.name
        self.policy = checked.platform.reconciliation
        self._warehouse = warehouse
        self._metrics = metrics
        self._patience = patience
        self._now_ms = now_ms
        self._tell = tell
        self._codec = codec_for(settings.cluster.schema_registry_url)
        self._asking = Asking(checked, now_ms)
        self._pace = Pace(checked.platform.limits.per_second)
        self._missed: set[date] = set()

    def close(self) -> None:
        """Lets go of the platform."""
        self._asking.close()

    def night(self, day: date) -> Night:
        """The night after a day, for this platform."""
        return Night.of(day, self.policy, self._platform.interfaces[INTERFACE].deadline_s)

    def look(self, days: Days, oldest: date) -> Book:
        """Checks these days, none of which is before `oldest`, until all that is known of them is over; what was found
        and done."""
        while True:
            try:
                book = self._look(days, oldest)
            except NotWritten:
                self._patience.pause(_AGAIN_S)
            except (KafkaException, ReadStalled) as error:
                self._wait_for_kafka(error)
            except Unsettled:
                raise Stopped from None
            else:
                return book

    def _wait_for_kafka(self, error: Exception) -> None:
        reason = str(error)
        if isinstance(error, KafkaException):
            reason = error.args[0].str()
            if is_refusal(error.args[0]):
                raise KafkaRefused(f"Kafka: {reason}") from error
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                reason += ". Run `evcs topics create`"
        self._patience.wait_for("kafka", f"Kafka can't be read: {reason}", _AGAIN_S)

    def _look(self, days: Days, oldest: date) -> Book:
        notes = Notes(self._settings.cluster, self._codec, self._name, lambda: self._patience.is_over)
        self._patience.needs("kafka")
        notes.start()
        book = self._read(oldest)
        self._patience.has("kafka")
        chosen = days(book.days)
        self._send(notes, book, chosen)
        self._wait_for_sink(book, chosen)
        fixed = self._fix(notes, book, chosen)
        if fixed:
            book = self._read_with(oldest, fixed)
            self._send(notes, book, chosen)
        if chosen:
            self._metrics.checked.labels(self._name).set(midnight_ms(chosen[-1]) / 1000)
        return book

    def _read(self, oldest: date) -> Book:
        return read_book(self._settings.cluster, self._codec, self._name, midnight_ms(oldest))

    def _read_with(self, oldest: date, fixed: Mapping[date, int]) -> Book:
        """What is there once these requests, which are safe, can be read: it takes the cluster a moment."""
        while True:
            book = self._read(oldest)
            if all(len(book.day(day).requests) >= count for day, count in fixed.items()):
                return book
            self._patience.pause(_SOON_S)

    # What the day's requests are.

    def _wait_for_sink(self, book: Book, days: Collection[date]) -> None:
        """Until all orders that lie on the topic now are in the warehouse."""
        progress = SinkProgress(self._settings.cluster, self._settings.sink_group)
        unfixed = [day for day in days if not book.day(day).requests]
        try:
            progress.mark()
            while behind := progress.behind():
                self._tell_of_missed(unfixed, "the sink has not caught up")
                self._tell(f"{self._name}: the sink has {behind:,} records of charge-orders to put in")
                self._patience.wait_for("sink", "the sink has not put all orders into the warehouse yet", _SINK_S)
            self._patience.has("sink")
        finally:
            progress.close()

    def _fix(self, notes: Notes, book: Book, days: Collection[date]) -> dict[date, int]:
        """How many requests there are now of each day of which there was something to fix."""
        where = places(self._settings.cluster, self._codec, self._platform, lambda: self._patience.is_over)
        if self._patience.is_over:  # the catalog may not have been read to its end
            raise Stopped
        orders = DayOrders(self._warehouse, self._platform, where.get)
        left_out = LeftOut()
        fixed = {day: self._fix_day(notes, book, day, orders, left_out) for day in days}
        for reason, count in (("unplaced", left_out.unplaced), ("unreportable", left_out.unreportable)):
            self._metrics.left_out.labels(self._name, reason).set(count)
        if left_out.named:
            total = left_out.unplaced + left_out.unreportable
            log.error("%s: %d orders can't be checked: %s", self._name, total, ", ".join(left_out.named))
        return {day: len(book.day(day).requests) + count for day, count in fixed.items() if count}

    def _fix_day(self, notes: Notes, book: Book, day: date, orders: DayOrders, left_out: LeftOut) -> int:
        """How many requests were fixed."""
        before = book.day(day)
        planning = Planning(
            platform=self._name,
            operator_id=self._checked.credentials.operator_id,
            day=day,
            first_number=before.next_number,
            late=bool(before.requests),
            planned_at=self._now_ms(),
            orders_per_request=self.policy.orders_per_request,
        )
        known = book.seqs([day - timedelta(days=1), day, day + timedelta(days=1)])
        checks = self._laid_out(planning, orders, known, left_out)
        count = sum(check.count for check in checks)
        if not checks or not (count or self.policy.report_empty_days):
            return 0
        notes.fix(checks, planning.planned_at)
        self._metrics.planned.labels(self._name).inc(count)
        if planning.late:
            self._metrics.late.labels(self._name).inc(count)
            log.warning("%s: %d orders of %s turned up after its requests had been fixed", self._name, count, day)
        log.info("%s: %d orders of %s in %d requests", self._name, count, day, len(checks))
        self._tell(f"{self._name} {day}: {count:,} orders in {len(checks)} requests")
        return len(checks)

    def _laid_out(
        self, planning: Planning, orders: DayOrders, known: Collection[str], left_out: LeftOut
    ) -> list[Fixed]:
        """The requests, encoded since they are many; asks until the warehouse has answered."""
        while True:
            found = LeftOut()
            try:
                laid_out = requests(orders.of(planning.day, known, found), planning)
                checks = [Fixed(len(check.orders), self._codec.encode(check)) for check in laid_out]
            except WarehouseAway as error:
                self._tell_of_missed([planning.day], "the warehouse is away")
                self._patience.wait_for("warehouse", str(error), _AGAIN_S)
            else:
                self._patience.has("warehouse")
                left_out.add(found)
                return checks

    # What becomes of them.

    def _send(self, notes: Notes, book: Book, days: Collection[date]) -> None:
        """Sends what is open, until all of it is over."""
        failures = 0
        while left := [(day, request) for day in days for request in book.day(day).open]:
            self._metrics.open.labels(self._name).set(len(left))
            self._tell_of_missed({day for day, request in left if not request.late}, f"{len(left)} requests are open")
            waits_s = self._platform.retry.in_place_s
            pause_s = float(waits_s[min(failures, len(waits_s) - 1)])
            failed = self._send_each(notes, book, left, pause_s)
            failures = failures + 1 if failed is not None else 0
            if failed is not None:
                shut_s = self._platform.breaker.paused_probe_s
                self._patience.wait_for("platform", failed.detail, shut_s if failed.is_shut else pause_s)
        self._metrics.open.labels(self._name).set(0)

    def _send_each(
        self, notes: Notes, book: Book, left: Sequence[tuple[date, Request]], pause_s: float
    ) -> Asked | None:
        """One attempt for each of these, the last that failed; none behind one that says that the platform is away."""
        failed = None
        for number, (day, request) in enumerate(left, 1):
            self._tell(f"{self._name} {day}: request {number} of {len(left)}, {request.count:,} orders")
            self._patience.pause(self._pace.wait_s(time.monotonic()))
            asked = self._attempt(notes, book, day, request, pause_s)
            if asked.ended is None:
                failed = asked
                if asked.is_away or asked.is_shut:
                    break
            else:
                self._patience.has("platform")
        return failed

    def _attempt(self, notes: Notes, book: Book, day: date, request: Request, pause_s: float) -> Asked:
        night = self.night(day)
        check = self._codec.decode_as(OrderCheckPlanned, request.value)
        asked = self._asking.ask(check, night.opens_at, pause_s, is_late=self._now_ms() > night.closes_at)
        notes.note(request, asked)
        for attempt in asked.attempts:
            self._metrics.calls.labels(self._name, attempt.outcome).inc()
        ended = asked.ended
        if ended is None:
            return asked
        book.ended(ended)
        self._metrics.ended.labels(self._name, ended.outcome).inc()
        self._metrics.disputes.labels(self._name).inc(ended.disputes)
        if ended.outcome == "DEAD_LETTER":
            log.error("%s: %s is given up: %s", self._name, ended.check_order_seq, ended.detail)
        if ended.disputes:
            log.error("%s contests %d orders of %s: people must look at them", self._name, ended.disputes, day)
        return asked

    def _tell_of_missed(self, days: Collection[date], why: str) -> None:
        """Says once of each of these days that its night has closed without it."""
        for day in sorted(days):
            if day not in self._missed and self._now_ms() > self.night(day).closes_at:
                self._missed.add(day)
                self._metrics.missed.labels(self._name).inc()
                log.error(
                    "%s: the night for the check of %s has closed: %s. It is made up for now", self._name, day, why
                )
