"""Dead letters: what a platform, or the standard, can never take goes to `<topic>-dlq` with its reason.

Which record that is, is the lanes' and the service's decision.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.errors import KafkaRefused
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.records.faults import DeadLetter

_POLL_S = 0.01


class DeadLetters:
    """Writes dead letters of one service; `now_ms` is the wall clock in UTC ms."""

    def __init__(self, cluster: KafkaCluster, codec: Codec, now_ms: Callable[[], int]) -> None:
        self._cluster = cluster
        self._codec = codec
        self._now_ms = now_ms
        # What ails its connection ails the consumer's too, which tells; a letter's own fate is reported.
        self._producer = Producer({**cluster.producer_config(linger_ms=5), "log_level": 0})

    async def put(self, message: Message, topic: str, reason: str, detail: str) -> None:
        """Returns when the cluster has the letter of a message that was read from the declared `topic`.

        A message that leaves no room for the rest of its letter is named by its place only. Raises KafkaRefused.
        """
        letter = DeadLetter(
            reason,
            detail,
            topic,
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
            self._now_ms(),
            message.key(),
            message.value(),
        )
        if not await self._write(letter):
            size = len(letter.value or b"")
            await self._write(replace(letter, value=None, detail=f"{detail} (its {size} bytes are too many to keep)"))

    async def _write(self, letter: DeadLetter) -> bool:
        """False if it is too large."""
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def reported(error: KafkaError | None, _message: Message) -> None:
            if safe.done():  # nobody waits any more
                return
            if error is None:
                safe.set_result(None)
            else:
                safe.set_exception(KafkaException(error))

        name = self._cluster.topic(f"{letter.topic}-dlq")
        try:
            self._producer.produce(name, self._codec.encode(letter), letter.key, on_delivery=reported)
            while not safe.done():
                self._producer.poll(0)
                await asyncio.sleep(_POLL_S)
            safe.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                return False
            raise KafkaRefused(f"no dead letter can be written to {name}: {error.args[0].str()}") from error
        return True
