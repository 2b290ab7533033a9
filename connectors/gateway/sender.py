"""Puts commands on `charger-commands`, and says so only once every replica has them."""

import asyncio
import logging
import threading

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.gateway.refusals import busy
from connectors.kafka_faults import settings_checked
from schemas.cluster import KafkaCluster
from schemas.codec import Codec
from schemas.kafka_log import kafka_log
from schemas.records.charger_commands import StartCharge, StopCharge

log = logging.getLogger(__name__)

TOPIC = "charger-commands"

#: The platform waits for a second (Beijing V1.1 §1.1.7, §1.1.11): a cluster that has not answered by then is away.
ANSWER_S = 0.7

#: Commands that wait for the cluster; more are refused at once.
_WAITING_MAX = 1_000

_POLL_S = 0.1


class CommandSender:
    """Used by one event loop; `close` it."""

    def __init__(self, cluster: KafkaCluster, codec: Codec) -> None:
        self._topic = cluster.topic(TOPIC)
        self._codec = codec
        with settings_checked():
            self._producer = Producer(
                {
                    **cluster.producer_config(
                        linger_ms=0,
                        message_timeout_ms=int(ANSWER_S * 1000),
                        queue_buffering_max_messages=_WAITING_MAX,
                    ),
                    "logger": kafka_log(__name__),
                }
            )
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="commands", daemon=True)
        self._thread.start()

    async def put(self, command: StartCharge | StopCharge) -> None:
        """Returns when the command is safe. Raises Refused (busy) when that can't be said in time: it may still be on
        the topic, so the platform is to ask again with the same StartChargeSeq."""
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[KafkaError | None] = loop.create_future()

        def told(error: KafkaError | None) -> None:
            if not arrived.done():
                arrived.set_result(error)

        def on_delivery(error: KafkaError | None, _: Message) -> None:
            loop.call_soon_threadsafe(told, error)

        try:
            self._producer.produce(
                self._topic,
                self._codec.encode(command),
                command.connector_id.encode(),
                timestamp=command.issued_at,
                on_delivery=on_delivery,
            )
            error = await asyncio.wait_for(arrived, ANSWER_S)
        except (TimeoutError, BufferError):
            raise busy("commands can't be passed on now") from None
        except KafkaException as failure:
            error = failure.args[0]
        if error is not None:
            log.error("%s: %s", self._topic, error.str())
            raise busy("commands can't be passed on now")

    def close(self) -> None:
        """Leaves the cluster; what waits for it is given up, since its platforms have been told so."""
        self._closing.set()
        self._thread.join()
        self._producer.purge()
        self._producer.flush(ANSWER_S)

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(_POLL_S)
