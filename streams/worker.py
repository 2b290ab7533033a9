"""The streams worker: a Faust app on the chunked transport, with the settings that neither lose nor stall."""

import asyncio
import gc
import importlib
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import faust
from confluent_kafka import Consumer, KafkaError, KafkaException

from schemas.cluster import KafkaCluster
from schemas.kafka_log import seldom
from schemas.topic import all_topics
from streams.domain import sampling
from streams.errors import BrokerAway, MisconfiguredStreams
from streams.health import WorkerHealth
from streams.output import STATE_TOPIC, OutputQueue
from streams.services import Services
from streams.settings import TRACKING_ROLE, StreamsSettings
from streams.tracking import EVENTS, TELEMETRY
from streams.transport.driver import ChunkedTopics

log = logging.getLogger(__name__)

#: The loggers by which aiokafka tells every tenth of a second that it reaches no broker.
_REPEATING = ("aiokafka", "aiokafka.consumer.group_coordinator")

#: How often time alone is looked at; a push may be two seconds late at most.
_TICK_S = 0.1

#: Faust messages that wait between transport and agent; each is a chunk of up to 2,000 records.
_BUFFERED_CHUNKS = 8

#: Longer than any worker runs.
_NEVER_S = 1e9

#: How long a worker that starts waits for a cluster that does not answer, and for each answer.
_PATIENCE_S = 60.0
_ANSWER_S = 3.0

#: How long a thread that works may keep one that fetches waiting: the default of 5 ms, several times a fetch,
#: would leave the rules without records.
_SWITCH_S = 0.001

#: Young objects before the collector runs: the default of 700 spends a tenth of the time on walking records
#: that live for milliseconds.
_GC_THRESHOLD = 50_000

#: Topics whose partitions of one number hold the same connectors.
_JOINED = (TELEMETRY, EVENTS, STATE_TOPIC)


def _credentials(cluster: KafkaCluster) -> Any:
    """The cluster's TLS and SASL settings in Faust's terms."""
    import ssl

    security = cluster.security
    protocol = security.get("security.protocol", "PLAINTEXT")
    context: ssl.SSLContext | None = None
    if protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=security.get("ssl.ca.location"))
        if "ssl.certificate.location" in security:
            context.load_cert_chain(
                security["ssl.certificate.location"],
                security.get("ssl.key.location"),
                security.get("ssl.key.password"),
            )
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=security.get("sasl.mechanism", "PLAIN"),
            username=security.get("sasl.username", ""),
            password=security.get("sasl.password", ""),
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None


def rules_are_compiled() -> bool:
    """Whether the rules are machine code, as in a wheel of `make wheel`, or are interpreted."""
    return not (sampling.__file__ or "").endswith(".py")


def make_app(settings: StreamsSettings) -> faust.App:
    """The app with its topology of `streams/topologies` installed."""
    cluster = settings.cluster
    app = faust.App(
        settings.group,
        broker=[f"chunked://{address}" for address in cluster.bootstrap.split(",")],
        broker_credentials=_credentials(cluster),
        store="memory://",  # state is ours, in `connector-state`
        # Faust makes a folder that stays empty: not where the worker is started, which may be read-only.
        datadir=Path(tempfile.gettempdir()) / "evcs-streams",
        # Without it Faust picks a port and, with it, serves table data to anybody.
        web_enabled=False,
        web_tables_enabled=False,
        # The default session of 60 s stalls every push for a minute after a crash.
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.5,
        broker_rebalance_timeout=20.0,
        broker_request_timeout=30.0,
        # aiokafka sees nothing fetched, and would leave the group after so long, never to join it again.
        broker_max_poll_interval=_NEVER_S,
        # Half a second of records is repeated after a crash at most, and commits stay cheap.
        broker_commit_interval=0.5,
        # Exactly-once gave the same duplicates after kill -9: consumers are idempotent instead.
        processing_guarantee="at_least_once",
        # A new group must not skip what was produced before it.
        consumer_auto_offset_reset="earliest",
        # Declared topics have their own files; Faust's would have one replica and default retention.
        topic_allow_declare=False,
        topic_disable_leader=True,
        # The default of 4096 would buffer 8 million records, since each message is a chunk.
        stream_buffer_maxsize=_BUFFERED_CHUNKS,
        # Chunks in flight are waited for by the output queue's drain, before Faust forgets their acks.
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        # Outputs go through our own queue, which acks behind them.
        stream_publish_on_commit=False,
    )
    services = Services(app, settings, OutputQueue(cluster))
    app.chunked = ChunkedTopics(  # type: ignore[attr-defined]
        cluster,
        leading=frozenset({cluster.topic(TELEMETRY)}),
        following=frozenset({cluster.topic(EVENTS)}),
        drain=[lambda: _drain(services)],
    )
    app.services = services  # type: ignore[attr-defined]
    _run_clock(app, services)
    importlib.import_module(f"streams.topologies.{settings.topology}").install(app, services)
    return app


async def _drain(services: Services) -> None:
    """Partitions are about to go. Waits until everything put out is safe; gives up after 5 s, whereupon its input is
    read again."""
    services.partitions = None
    for _ in range(1000):
        try:
            services.save()
            services.output.poll()
        except Exception as error:
            await services.fail(error)
        if services.output.empty():
            return
        await asyncio.sleep(0.005)
    log.warning("outputs are not confirmed within 5 s: their input will be read again")


def _run_clock(app: faust.App, services: Services) -> None:
    @app.task  # type: ignore[untyped-decorator]
    async def clock() -> None:
        log.info("the rules are %s", "compiled" if rules_are_compiled() else "interpreted")
        gc.set_threshold(_GC_THRESHOLD, 20, 20)
        sys.setswitchinterval(_SWITCH_S)
        elapsed = 0.0
        while not app.should_stop:
            await asyncio.sleep(0.005)
            elapsed += 0.005
            try:
                services.output.poll()
                if elapsed >= _TICK_S and not app.rebalancing:
                    elapsed = 0.0
                    services.tick()
            except Exception as error:
                await services.fail(error)


def check_topics(cluster: KafkaCluster, role: str = TRACKING_ROLE, patience_s: float = _PATIENCE_S) -> None:
    """Sees that every topic is there which names `role` as its producer or consumer, and that those joined by key have
    as many partitions.

    Waits for a cluster that does not answer, since it may be starting too. Raises BrokerAway when it has not
    answered within `patience_s`, and MisconfiguredStreams.
    """
    present = _partition_counts(cluster, patience_s)
    needed = [t.name for t in all_topics().values() if role in {*t.producers, *t.consumers}]
    missing = [cluster.topic(name) for name in needed if not present.get(cluster.topic(name))]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise MisconfiguredStreams(f"{', '.join(missing)} {verb} missing: run `evcs topics create`")
    joined = {cluster.topic(name): present[cluster.topic(name)] for name in _JOINED if name in needed}
    if len(set(joined.values())) > 1:
        counts = ", ".join(f"{name} has {count}" for name, count in joined.items())
        raise MisconfiguredStreams(f"topics joined by key must have as many partitions: {counts}")


def _partition_counts(cluster: KafkaCluster, patience_s: float) -> dict[str, int]:
    consumer = Consumer({**cluster.consumer_config(group_id="evcs-topics"), "log_level": 0})
    give_up_at = time.monotonic() + patience_s
    told = False
    try:
        while True:
            try:
                topics = consumer.list_topics(timeout=_ANSWER_S).topics
                return {name: len(topic.partitions) for name, topic in topics.items() if topic.error is None}
            except KafkaException as error:
                reason: KafkaError = error.args[0]
                what = cluster.no_answer(reason.str())
                if time.monotonic() > give_up_at:
                    raise BrokerAway(what) from error
                if not told:
                    log.warning("%s. Asking again for %.0f s", what, patience_s)
                told = True
    finally:
        consumer.close()


def run(settings: StreamsSettings, loglevel: str = "info", health: WorkerHealth | None = None) -> int:
    """Runs a worker until it is told to stop; returns its exit status, 1 if it failed. `health` watches it.

    Raises MisconfiguredStreams for topics that are missing or don't fit, BrokerAway if no broker answers.
    """
    check_topics(settings.cluster, settings.role)
    app = make_app(settings)
    for name in _REPEATING:
        seldom(name)
    services: Services = app.services  # type: ignore[attr-defined]
    if health is not None:
        health.watch(services)
    worker = app.Worker(loglevel=loglevel, quiet=True, redirect_stdouts=False)
    try:
        worker.execute_from_commandline()
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 1 if services.failure is not None else 0
