"""Starts that no charger answers: when a start command's time is over and no start result has come, the back office's
place is taken and a ChargeStartFailed is put on `charge-events`, from which the streams make the failed result.

Instances share the commands' partitions as a consumer group. A command counts as done, and its offset as committed,
once its result has been seen or its failure is safe on Kafka; after a crash a failure may be put out again, which the
streams pass over.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from connectors.ends import Ends, Partition
from connectors.kafka_faults import check, settings_checked
from connectors.leaving import leave
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.errors import UndecodableRecord
from schemas.kafka_log import kafka_log
from schemas.records.charge_events import ChargeStartFailed
from schemas.records.charger_commands import StartCharge
from schemas.records.derived import StartResult

log = logging.getLogger(__name__)

COMMANDS = "charger-commands"
RESULTS = "charge-start-results"
EVENTS = "charge-events"

#: A result may be on its way for so long after a command's time is over, ms.
GRACE_MS = 10_000

#: FailReason of a start that nobody answered; from 3 on they are the operator's own.
NO_ANSWER = 9

#: Results may be read before their commands, and commands come twice: so many results are remembered.
_RESULTS_MAX = 10_000

#: The commands' retention, and an hour.
_COMMANDS_KEPT_MS = 25 * 3_600_000

_POLL_S = 0.2
_SAFE_S = 30.0
_ASK_EVERY_S = 1.0


@dataclass(slots=True)
class Pending:
    """A command whose result has not come. `results_at`: from where on results must be read again to judge it, and
    those behind it, anew."""

    offset: int
    results_at: int
    start: StartCharge
    #: Asked at (s of the monotonic clock): results up to the end as of then must be read before it is judged.
    over_at: float | None = None
    failing: bool = False


@dataclass(slots=True)
class Watch:
    """One partition of the commands, and the same one of the results: both are keyed by ConnectorID."""

    pending: OrderedDict[str, Pending] = field(default_factory=OrderedDict)
    #: Where the newest results lay, by StartChargeSeq.
    results: OrderedDict[str, int] = field(default_factory=OrderedDict)
    commands_at: int | None = None
    results_at: int = 0

    def commanded(self, offset: int, start: StartCharge | None) -> None:
        """A record of the commands; None for one that is no start."""
        self.commands_at = offset + 1
        if start is not None and start.start_charge_seq not in self.results:
            self.pending.setdefault(start.start_charge_seq, Pending(offset, self._remembered_from(), start))

    def answered(self, offset: int, seq: str | None) -> None:
        """A record of the results."""
        self.results_at = offset + 1
        if seq is None:
            return
        self.pending.pop(seq, None)
        self.results.setdefault(seq, offset)
        if len(self.results) > _RESULTS_MAX:
            self.results.popitem(last=False)

    def over(self, now_ms: int) -> list[Pending]:
        """Commands whose time, and grace, is over."""
        return [one for one in self.pending.values() if one.start.expires_at + GRACE_MS <= now_ms]

    def committable(self) -> tuple[int | None, int]:
        """Where commands and results are to be read from after a restart: what is remembered of results is lost then,
        and commands that are not read yet may have theirs among them."""
        for oldest in self.pending.values():
            return oldest.offset, oldest.results_at
        return self.commands_at, self._remembered_from()

    def _remembered_from(self) -> int:
        return next(iter(self.results.values()), self.results_at)


class UnansweredStarts:
    """`run` blocks until `stop`, on a thread of its own. `place_of` gives a connector's EquipmentID and StationID;
    `on_failed` is told of each start that nobody answered."""

    def __init__(
        self,
        cluster: KafkaCluster,
        codec: Codec,
        place_of: Callable[[str], tuple[str, str]],
        on_failed: Callable[[], None],
        now_ms: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._codec = codec
        self._place_of = place_of
        self._on_failed = on_failed
        self._now_ms = now_ms
        self._clock = clock
        self._commands, self._results = cluster.topic(COMMANDS), cluster.topic(RESULTS)
        self._stopping = threading.Event()
        self._watches: dict[int, Watch] = {}
        self._ends = Ends(cluster, between_s=_ASK_EVERY_S)
        self._answer: tuple[float, dict[Partition, int]] = (float("-inf"), {})
        self._committed_at = clock()
        with settings_checked():
            self._producer = Producer({**cluster.producer_config(message_timeout_ms=0), "logger": kafka_log(__name__)})
            self._consumer = Consumer(
                {
                    **cluster.consumer_config(
                        group_id=f"{cluster.topic_prefix}evcs-gateway-starts",
                        auto_offset_reset="earliest",
                        enable_partition_eof=True,
                        # Both topics' partitions of one number go to one member.
                        partition_assignment_strategy="range",
                        session_timeout_ms=10_000,
                    ),
                    "logger": kafka_log(__name__),
                }
            )

    @property
    def pending(self) -> int:
        """Starts that wait for their result; may be asked from any thread."""
        return sum(len(watch.pending) for watch in list(self._watches.values()))

    def stop(self) -> None:
        """Ends `run` soon."""
        self._stopping.set()

    def run(self) -> None:
        """Watches until told to stop. Raises KafkaRefused."""
        self._consumer.subscribe(
            [self._commands, self._results], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        try:
            while not self._stopping.is_set():
                message = self._consumer.poll(_POLL_S)
                if message is not None:
                    self._take(message)
                self._judge()
                self._producer.poll(0)
                if self._clock() - self._committed_at >= _ASK_EVERY_S:
                    self._commit()
        finally:
            self._producer.flush(_SAFE_S)
            self._commit()
            leave(self._consumer)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Where nothing was ever committed, all commands are watched, and the results since the oldest of them."""
        begin: list[TopicPartition] = []
        try:
            for place in consumer.committed(partitions, timeout=_SAFE_S):
                if place.offset < 0 and place.topic == self._results:
                    place = self._oldest_result(consumer, place.partition)
                begin.append(place)
        except KafkaException as error:
            check(error.args[0], "")
            begin = list(partitions)
        self._watches = {place.partition: Watch() for place in begin}
        for place in begin:
            if place.topic == self._results and place.offset >= 0:
                self._watches[place.partition].results_at = place.offset
        consumer.assign(begin)

    def _oldest_result(self, consumer: Consumer, number: int) -> TopicPartition:
        asked = TopicPartition(self._results, number, self._now_ms() - _COMMANDS_KEPT_MS)
        return consumer.offsets_for_times([asked], timeout=_SAFE_S)[0]

    def _revoked(self, _: Consumer, __: list[TopicPartition]) -> None:
        self._commit()
        self._watches = {}

    def _lost(self, _: Consumer, __: list[TopicPartition]) -> None:
        self._watches = {}

    def _take(self, message: Message) -> None:
        error, number = message.error(), message.partition() or 0
        watch = self._watches.get(number)
        offset = message.offset() or 0
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                check(error, "")
            elif watch is not None and message.topic() == self._results:
                watch.results_at = max(watch.results_at, offset)
            return
        if watch is None:
            return
        record = self._decoded(message)
        if message.topic() == self._commands:
            watch.commanded(offset, record if isinstance(record, StartCharge) else None)
        else:
            watch.answered(offset, record.start_charge_seq if isinstance(record, StartResult) else None)

    def _decoded(self, message: Message) -> object:
        """None for what can't be read: nobody can answer it, either."""
        try:
            return self._codec.decode(message.value())
        except UndecodableRecord as problem:
            where = f"{message.topic()}/{message.partition()}@{message.offset()}"
            log.error("%s is passed over: %s", where, problem)
            return None

    def _judge(self) -> None:
        over = [(n, watch, one) for n, watch in self._watches.items() for one in watch.over(self._now_ms())]
        if not over:
            return
        now = self._clock()
        self._answer = self._ends.answer() or self._answer
        asked_at, ends = self._answer
        waits = False
        for number, watch, one in over:
            if one.over_at is None:
                one.over_at = now
            end = ends.get((self._results, number))
            if one.failing:
                continue
            if end is not None and asked_at >= one.over_at and watch.results_at >= end:
                self._fail(watch, one)
            else:
                waits = True
        if waits:
            self._ends.ask([(self._results, number) for number in self._watches], now)

    def _fail(self, watch: Watch, one: Pending) -> None:
        start = one.start
        one.failing = True
        equipment_id, station_id = self._place_of(start.connector_id)
        failed_at = self._now_ms()
        event = ChargeStartFailed(
            start_charge_seq=start.start_charge_seq,
            connector_id=start.connector_id,
            equipment_id=equipment_id,
            station_id=station_id,
            charge_model=start.charge_model,
            failed_at=failed_at,
            fail_reason=NO_ANSWER,
        )

        def told(error: KafkaError | None, _: Message) -> None:
            if error is None:
                watch.pending.pop(start.start_charge_seq, None)
                self._on_failed()
            else:
                one.failing = False
                log.error("%s: %s", EVENTS, error.str())

        log.warning("no charger has answered the start %r on %r", start.start_charge_seq, start.connector_id)
        self._producer.produce(
            self._cluster.topic(EVENTS),
            self._codec.encode(event),
            start.connector_id.encode(),
            timestamp=failed_at,
            on_delivery=told,
        )

    def _commit(self) -> None:
        self._committed_at = self._clock()
        places: list[TopicPartition] = []
        for number, watch in self._watches.items():
            commands_at, results_at = watch.committable()
            if commands_at is not None:
                places.append(TopicPartition(self._commands, number, commands_at))
            if results_at:
                places.append(TopicPartition(self._results, number, results_at))
        if not places:
            return
        try:
            self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            check(error.args[0], "")
