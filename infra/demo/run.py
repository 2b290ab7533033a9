"""Runs the demo: Kafka, ClickHouse, streams worker, delivery, gateway, sink, a fleet and a city's platform; counts what
was owed and done."""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from connectors.gateway.process import LISTENS
from connectors.gateway.views.follower import READY as VIEWS_READY
from connectors.platform import load_platforms
from connectors.warehouse.sink.service import READY as SINK_READY
from infra.demo.electricity import Electricity, compare
from infra.demo.round_trip import RoundTrip, run_round_trip, today
from infra.demo.scoreboard import Scoreboard
from infra.demo.services import ServiceProcess, await_group
from infra.demo.warehouse import DemoWarehouse, Stored
from infra.demo.watch import Watch
from infra.errors import OperatorError
from infra.local.broker import LocalKafka
from infra.local.settings import LocalSettings
from infra.runs import entered, tidy_up
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from infra.simulator.platform.caller import Caller
from infra.simulator.platform.onboarding import platform_environment
from infra.simulator.platform.settings import CallerSettings
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics, declared_topics, delete_topics, id_of
from schemas.cluster import KafkaCluster
from streams.services import READY

PLATFORM = "beijing"

#: Where the gateway says in its log that it listens.
GATEWAY_URL = rf"{LISTENS} at (\S+)"

#: Orders without a bill wait so long for one; shorter than in production, so that the demo shows orders soon.
_BILL_WAIT_MS = 5_000

#: How long what is in flight may take after the fleet has stopped.
_DRAIN_TIMEOUT_S = 60.0

_VIOLATIONS_SHOWN = 10

#: A second each in which topics may still appear that the cluster was asked for before a Ctrl-C.
_HALF_MADE_ROUNDS = 3

Show = Callable[[Scoreboard, float, int, str], None]


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """`seconds` None runs until Ctrl-C."""

    connectors: int = 200
    seconds: float | None = None
    seed: int = 1


def run_demo(settings: DemoSettings, show: Show, tell: Callable[[str], None]) -> dict[str, object]:
    """Runs to its end and returns the summary; `ended` is "interrupted" if Ctrl-C came again while it drained.

    Raises OperatorError when a part of it fails, KeyboardInterrupt when Ctrl-C comes before all is at work.
    """
    local = LocalSettings.from_env()
    with ExitStack() as stack:
        run_id = uuid.uuid4().hex[:8]
        warehouse = DemoWarehouse(local, f"demo_{run_id}", tell)
        stack.callback(warehouse.close)
        warehouse.begin()
        cluster = replace(_cluster(local, stack, tell), topic_prefix=f"demo-{run_id}-")
        cluster_id = id_of(cluster)
        tidy_up(local.runs, cluster, cluster_id, tell)
        stack.enter_context(entered(local.runs, cluster, cluster_id))
        tell("making topics")
        try:
            create_topics(cluster, topics=declared_topics([PLATFORM]))
        except KeyboardInterrupt:
            # The cluster goes on with what it was asked for: what is not there yet is deleted a moment later.
            for _ in range(_HALF_MADE_ROUNDS):
                delete_topics(cluster)
                time.sleep(1.0)
            raise
        stack.callback(delete_topics, cluster)
        city = stack.enter_context(PlatformThread())
        scoreboard = Scoreboard(load_platforms().platforms[PLATFORM])
        city.ledger.subscribe(scoreboard.receipt)
        fleet_settings = FleetSettings(connectors=settings.connectors, seed=settings.seed, cluster=cluster)
        _publish_catalog(fleet_settings)
        warehouse.wait()
        services = _services(cluster, warehouse, city.base_url, local.home / "demo", stack)
        tell("starting the streams worker, delivery, the gateway and the sink")
        services[0].await_log(READY)
        await_group(cluster, f"{cluster.topic_prefix}evcs-delivery-{PLATFORM}", services[1])
        services[2].await_log(VIEWS_READY)
        services[3].await_log(SINK_READY)
        caller = Caller(
            CallerSettings(services[2].logged(GATEWAY_URL) + load_platforms().platforms[PLATFORM].gateway.base_path)
        )
        watch = Watch(cluster, scoreboard)
        watch.start()
        stack.callback(watch.stop)
        fleet = Fleet(replace(fleet_settings, publish_catalog=False))
        return _watch_it(settings, fleet, watch, scoreboard, services, city, caller, warehouse, show)


def _cluster(local: LocalSettings, stack: ExitStack, tell: Callable[[str], None]) -> KafkaCluster:
    if local.external is not None:
        return local.external
    kafka = LocalKafka(local.home, local.port, die_with_parent=True)
    if kafka.start(tell):
        stack.callback(kafka.stop)  # one that ran before goes on running
    return KafkaCluster(bootstrap=kafka.bootstrap)


def _publish_catalog(settings: FleetSettings) -> None:
    before = Fleet(settings)
    before.publish_catalog()
    before.close()


def _services(
    cluster: KafkaCluster, warehouse: DemoWarehouse, base_url: str, logs: Path, stack: ExitStack
) -> list[ServiceProcess]:
    environment = {
        "EVCS_KAFKA_BOOTSTRAP": cluster.bootstrap,
        "EVCS_TOPIC_PREFIX": cluster.topic_prefix,
        "EVCS_STREAMS_BILL_WAIT_MS": str(_BILL_WAIT_MS),
        "EVCS_GATEWAY_PORT": "0",
        "EVCS_GATEWAY_ADMIN_PORT": "0",
        "EVCS_SINK_ADMIN_PORT": "0",
        **warehouse.environment(),
        **platform_environment(PLATFORM, base_url),
    }
    services = [
        ServiceProcess("streams", ["streams"], environment, logs / "streams.log"),
        ServiceProcess("delivery", ["delivery", "run", PLATFORM], environment, logs / "delivery.log"),
        ServiceProcess("gateway", ["gateway", PLATFORM], environment, logs / "gateway.log"),
        ServiceProcess("sink", ["sink"], environment, logs / "sink.log"),
    ]
    for service in services:
        stack.callback(service.stop)
    return services


def _watch_it(
    settings: DemoSettings,
    fleet: Fleet,
    watch: Watch,
    scoreboard: Scoreboard,
    services: list[ServiceProcess],
    city: PlatformThread,
    caller: Caller,
    warehouse: DemoWarehouse,
    show: Show,
) -> dict[str, object]:
    began, first_day = time.monotonic(), today()
    around, stored, electricity = RoundTrip(), Stored(warehouse, watch.rows), Electricity()
    platform = threading.Thread(target=run_round_trip, args=(caller, city.ledger, around), name="round-trip")

    def check(note: str) -> None:
        for service in services:
            service.check()
        for failure in (watch.failure, fleet.failure):
            if failure is not None:
                raise OperatorError(f"the demo's own part failed: {type(failure).__name__}: {failure}") from failure
        show(scoreboard, time.monotonic() - began, fleet.counters().telemetry, note)
        time.sleep(0.25)

    fleet.start()
    platform.start()
    try:
        while settings.seconds is None or time.monotonic() - began < settings.seconds:
            ends = "Ctrl-C ends it" if settings.seconds is None else f"ends after {settings.seconds:.0f} s"
            check(f"{ends}; {_told(around)}")
    except KeyboardInterrupt:
        pass
    ended = "in order"
    try:
        while platform.is_alive():
            check(_told(around))
        fleet.stop()
        _drain(fleet, scoreboard, stored, check)
        check("comparing the electricity that the platform is told of with the meters")
        stations = {station.station_id for station in fleet.population.stations}
        electricity = compare(warehouse, caller.settings, stations, fleet.metered_wh(), first_day)
    except KeyboardInterrupt:
        ended = "interrupted"
    return {
        "ended": ended,
        **summary(time.monotonic() - began, fleet, scoreboard, city, stored),
        "electricity": asdict(electricity),
        "round_trip": asdict(around),
    }


def _told(around: RoundTrip) -> str:
    return f"the platform: {around.failure or around.step}"


def _drain(fleet: Fleet, scoreboard: Scoreboard, stored: Stored, check: Callable[[str], None]) -> None:
    """Waits until every order is there, every push confirmed and every row stored, and stays so for a second."""
    deadline = time.monotonic() + _DRAIN_TIMEOUT_S
    quiet_since = time.monotonic()
    while time.monotonic() < deadline:
        missing = fleet.book.lost(scoreboard.orders)
        if missing or scoreboard.open() or stored.missing():
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > 1.0:
            break
        check(
            f"draining: {len(missing)} orders to be finalized, {scoreboard.open()} pushes to be confirmed, "
            f"{stored.missing()} rows to be stored"
        )


def summary(
    elapsed_s: float, fleet: Fleet, scoreboard: Scoreboard, city: PlatformThread, stored: Stored
) -> dict[str, object]:
    """The figures; `lost` counts charges without an order, pushes not confirmed, records dead-lettered and rows that
    the warehouse does not hold."""
    dead = sum(count for what, count in scoreboard.troubles.items() if what.startswith("dead letter"))
    violations = [f"{v.kind} {v.interface} {v.key} {v.field}: {v.message}" for v in city.ledger.violations]
    return {
        "seconds": round(elapsed_s, 1),
        "telemetry": fleet.counters().telemetry,
        "pushes": {
            name: {"due": line.due, "confirmed": line.confirmed, "late": line.late, "replaced": line.replaced}
            for name, line in sorted(scoreboard.lines.items())
        },
        "orders": {"finalized": len(scoreboard.orders), "confirmed": scoreboard.confirmed_orders()},
        "rows_stored": stored.rows,
        "late_examples": scoreboard.late_examples,
        "violations": violations[:_VIOLATIONS_SHOWN],
        "lost": len(fleet.book.lost(scoreboard.orders)) + scoreboard.open() + dead + stored.missing(),
    }
