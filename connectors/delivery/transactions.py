"""Kafka transactions of one producer: begun when there is something to write, and ended whole or not at all.

What is written, and what happens after an abort, is the service's decision.
"""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from connectors.errors import KafkaRefused, MisconfiguredService, PlaceTaken
from connectors.kafka_faults import is_fatal, is_fence, is_refusal
from schemas.cluster import KafkaCluster
from schemas.kafka_log import kafka_log

log = logging.getLogger(__name__)

#: A transaction that its producer leaves alone so long is aborted by the broker: what a kill costs the readers.
TRANSACTION_TIMEOUT_MS = 10_000

#: Nobody reads a record before its transaction has ended, which sends what has waited until then.
_LINGER_MS = 100

#: One call waits so long before it is asked whether to go on, s.
_CALL_S = 1.0

#: A transaction that does not end within this, in time-outs, is left to the broker, which has aborted it by then: after
#: a broker's restart a producer may wait for an answer that never comes.
_STUCK_AFTER = 2.0

#: So long a call may take before it is told of, s.
_TOLD_AFTER_S = 5.0

#: A call that has not come back by then never will: librdkafka's send_offsets_to_transaction was seen to hang, whatever
#: its time-out, when a broker was killed twice in a row.
_HANGS_AFTER_S = 10.0

_FULL_POLL_S = 0.05

#: Past this share of the time-out, being fenced means that the broker aborted us, not that another took our place.
_TIMED_OUT_AFTER = 0.8

#: A producer that was left behind may yet end what it had begun, and so take its successor's place: so long after a
#: new beginning, being fenced is no sign of another process, s.
_LEFT_BEHIND_S = 60.0

Offsets = Sequence[TopicPartition]


class Unsettled(Exception):
    """The service was told to end while the cluster was away: the broker will abort what was begun."""


class _Aborted(Exception):
    """The transaction can only be aborted; nothing of it counts."""


class _Fenced(Exception):
    """The producer can't go on."""


class Transactions:
    """One producer and its transaction. Used by one thread.

    Calls keep trying while the cluster is away, until `give_up` says True, then raise Unsettled. Raises PlaceTaken
    once another producer has taken this id's place, and KafkaRefused for what else does not pass by itself.
    """

    def __init__(
        self,
        cluster: KafkaCluster,
        transactional_id: str,
        whose_place: str,
        give_up: Callable[[], bool],
        timeout_ms: int = TRANSACTION_TIMEOUT_MS,
    ) -> None:
        self._config = {
            **cluster.producer_config(
                transactional_id=transactional_id, transaction_timeout_ms=timeout_ms, linger_ms=_LINGER_MS
            ),
            "logger": kafka_log(__name__),
        }
        self._whose_place = whose_place
        self._give_up = give_up
        self._timeout_s = timeout_ms / 1000
        self._producer = self._made()
        self._begun_at = 0.0
        self._failed = False
        self._hung: list[Producer] = []
        self._anew_at = -math.inf
        self.count = 0

    def _made(self) -> Producer:
        try:
            return Producer(self._config)
        except KafkaException as error:
            raise MisconfiguredService(f"EVCS_KAFKA_*: {error.args[0].str()}") from error

    @property
    def age_s(self) -> float:
        """How long ago the transaction was begun; 0 when there is none."""
        return time.monotonic() - self._begun_at if self._begun_at else 0.0

    def start(self) -> None:
        """Takes this id's place, and ends what its last holder left unfinished."""
        try:
            self._persist(self._producer.init_transactions)
        except _Fenced as error:
            raise PlaceTaken(f"Kafka: {self._whose_place} ({error})") from error
        except _Aborted as error:
            raise KafkaRefused(f"Kafka: {error}") from error

    def topics(self) -> set[str]:
        """The cluster's topics."""
        return set(self._persist(lambda timeout_s: self._producer.list_topics(timeout=timeout_s)).topics)

    def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp: int = 0,
        headers: list[tuple[str, str | bytes | None]] | None = None,
    ) -> bool:
        """Writes a record (UTC ms, 0 is now) within the transaction; False if no message may be so large.

        What else ails the record is learnt by `commit`.
        """
        self._begin()
        try:
            while not self._failed:
                try:
                    self._producer.produce(topic, value, key, timestamp=timestamp, headers=headers or [])
                    self.count += 1
                    return True
                except BufferError:
                    self._poll(_FULL_POLL_S)
                    if self._give_up():
                        raise Unsettled from None
        except KafkaException as error:
            if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                return False
            self._fail(error)
        return True

    def _begin(self) -> None:
        if self._begun_at:
            return
        self._begun_at = time.monotonic()
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self._fail(error)

    def _fail(self, error: KafkaException) -> None:
        """Nothing of this transaction will count; `commit` ends it."""
        log.warning("Kafka: %s", error.args[0].str())
        self._failed = True

    def tend(self) -> None:
        """Lets the producer say what ails it; to be called now and then."""
        self._poll(0)

    def _poll(self, timeout_s: float) -> None:
        try:
            self._producer.poll(timeout_s)
        except KafkaException as error:  # only what is fatal
            if self._begun_at:
                self._fail(error)
            else:
                self._begin_anew(error)

    def commit(self, offsets: Offsets = (), group: Any = None) -> bool:
        """Ends the transaction with these offsets of the group; False if it was aborted, so that nothing counts.

        Returns True at once when there is neither a record nor an offset.
        """
        if not self._begun_at and not offsets:
            return True
        self._begin()
        patience_s = self._timeout_s * _STUCK_AFTER
        try:
            if self._failed:
                raise _Aborted("a record was refused")
            if offsets:
                self._persist(
                    lambda timeout_s: self._producer.send_offsets_to_transaction(list(offsets), group, timeout_s),
                    patience_s,
                )
            self._persist(self._producer.commit_transaction, patience_s)
        except _Aborted as reason:
            log.warning("a transaction of %d records is aborted: %s", self.count, reason)
            self.abort()
            return False
        except _Fenced as reason:
            self._begin_anew(reason)
            return False
        self._forget()
        return True

    def abort(self) -> None:
        """Ends the transaction, if there is one, so that nothing of it counts."""
        if not self._begun_at:
            return
        try:
            self._persist(self._producer.abort_transaction, self._timeout_s * _STUCK_AFTER)
        except (_Aborted, _Fenced) as reason:
            self._begin_anew(reason)
        self._forget()

    def _forget(self) -> None:
        self._begun_at, self._failed, self.count = 0.0, False, 0

    def _begin_anew(self, reason: Exception) -> None:
        """The broker has aborted a transaction that took too long, by itself, and with it the producer; or one of our
        own that was left behind has fenced this one."""
        left_behind = time.monotonic() - self._anew_at < _LEFT_BEHIND_S
        if self.age_s < self._timeout_s * _TIMED_OUT_AFTER and not left_behind:
            raise PlaceTaken(f"Kafka: {self._whose_place} ({reason})") from reason
        log.warning("a transaction of %d records is lost with its producer: %s", self.count, reason)
        while True:
            if self._producer not in self._hung:
                self._producer.purge()
            self._producer = self._made()
            try:
                self._persist(self._producer.init_transactions, self._timeout_s * _STUCK_AFTER)
                break
            except (_Aborted, _Fenced) as again:
                log.warning("a new producer does not begin: %s", again)
                if self._give_up():
                    raise Unsettled from again
        self._anew_at = time.monotonic()
        self._forget()

    def _persist(self, call: Callable[[float], Any], patience_s: float = math.inf) -> Any:
        """Repeats a call while it fails for what passes; raises _Fenced if it does so for longer than the patience."""
        began, told = time.monotonic(), False
        while True:
            try:
                return self._called(call)
            except KafkaException as caught:
                error: KafkaError = caught.args[0]
                if is_refusal(error):
                    raise KafkaRefused(f"Kafka: {error.str()}") from caught
                if is_fence(error):
                    raise _Fenced(error.str()) from caught
                if error.txn_requires_abort():
                    raise _Aborted(error.str()) from caught
                passes = error.retriable() or error.code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT)
                if is_fatal(error) or not passes:
                    raise KafkaRefused(f"Kafka: {error.str()}") from caught
                if self._give_up():
                    raise Unsettled from caught
                took_s = time.monotonic() - began
                if took_s > patience_s:
                    raise _Fenced(f"no end within {patience_s:.0f} s: {error.str()}") from caught
                if took_s > _TOLD_AFTER_S and not told:
                    told = True
                    log.warning("Kafka has not answered for %.0f s: %s; asking again", took_s, error.str())

    def _called(self, call: Callable[[float], Any]) -> Any:
        """One call, on a thread of its own, so that one that hangs can be left behind with its producer."""
        ended: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                ended.put((call(_CALL_S), None))
            except BaseException as error:
                ended.put((None, error))

        threading.Thread(target=run, name="transaction", daemon=True).start()
        try:
            result, error = ended.get(timeout=_HANGS_AFTER_S)
        except queue.Empty:
            # Kept, since to free it would hang, too.
            self._hung.append(self._producer)
            raise _Fenced(f"the client does not come back within {_HANGS_AFTER_S:.0f} s") from None
        if error is not None:
            raise error
        return result
