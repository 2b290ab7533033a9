"""`evcs bench`: figures, each run printing one JSON line; read them as ratios within the run."""

import json
from pathlib import Path

import click

from infra.number_range import NumberRange
from schemas.cluster import KafkaCluster


def _tell(text: str) -> None:
    click.echo(text, err=True)


@click.group("bench")
def command() -> None:
    """Measure this machine's figures; progress goes to stderr, one JSON line to stdout.

    Example: evcs bench streams
    """


@command.command()
@click.option("--connectors", default=20_000, show_default=True, type=click.IntRange(10))
@click.option("--samples-each", default=100, show_default=True, type=click.IntRange(10), help="10 s apart")
@click.option("--stock-records", default=40_000, show_default=True, type=click.IntRange(1000))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="medians over so many")
@click.option(
    "--wheel", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="with compiled rules, to compare"
)
def streams(connectors: int, samples_each: int, stock_records: int, rounds: int, wheel: Path | None) -> None:
    """Records/s of this pipeline, of the same rules on stock Faust, and of a bare consumer.

    Needs a broker: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP. `make wheel` makes a wheel whose rules are compiled.

    Example: evcs bench streams --rounds 1 --wheel dist/evcs_streams-*.whl
    """
    from infra.bench.streams import measure

    measured = measure(KafkaCluster.from_env(), connectors, samples_each, stock_records, rounds, _tell, wheel)
    click.echo(json.dumps(measured))


@command.command()
@click.option("--connectors", default=100_000, show_default=True, type=click.IntRange(100))
def recovery(connectors: int) -> None:
    """Seconds until a new worker has its connectors' states back, and bytes of memory for each.

    Needs a broker: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP.

    Example: evcs bench recovery
    """
    from infra.bench.recovery import measure

    click.echo(json.dumps(measure(KafkaCluster.from_env(), connectors, _tell)))


@command.command()
@click.option("--pushes", default=20_000, show_default=True, type=click.IntRange(100))
@click.option("--default-pushes", default=1_000, show_default=True, type=click.IntRange(100), help="with plain httpx")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="medians over so many")
def delivery(pushes: int, default_pushes: int, rounds: int) -> None:
    """Sealed pushes/s from Kafka to confirmed and committed, the same bytes posted bare, and httpx's default.

    Needs a broker: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP.

    Example: evcs bench delivery --rounds 1
    """
    from infra.bench.delivery import measure

    click.echo(json.dumps(measure(KafkaCluster.from_env(), pushes, default_pushes, rounds, _tell)))


@command.command()
@click.option("--seconds", default=600.0, show_default=True, type=NumberRange(5), help="of each of the two runs")
@click.option("--platforms", default=10, show_default=True, type=click.IntRange(5))
@click.option("--per-s", default=20.0, show_default=True, type=NumberRange(1), help="records for each platform")
def isolation(seconds: float, platforms: int, per_s: float) -> None:
    """What platforms that misbehave (refuse, are slow, reset, answer garbage) cost those that do not.

    Needs a broker: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP.

    Example: evcs bench isolation --seconds 60
    """
    from infra.bench.isolation import IsolationSettings, measure

    settings = IsolationSettings(platforms=platforms, seconds=seconds, per_s=per_s)
    click.echo(json.dumps(measure(KafkaCluster.from_env(), settings, _tell)))


@command.command()
@click.option("--seconds", default=30.0, show_default=True, type=NumberRange(1))
@click.option("--per-s", default=2_000, show_default=True, type=click.IntRange(1), help="pushes, half of them statuses")
def latency(seconds: float, per_s: int) -> None:
    """How long after its change a status is confirmed, from the derived topic to the platform's answer.

    Needs a broker: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP.

    Example: evcs bench latency --seconds 10
    """
    from infra.bench.latency import measure

    click.echo(json.dumps(measure(KafkaCluster.from_env(), seconds, per_s, _tell)))


@command.command()
@click.option("--connectors", default=100_000, show_default=True, type=click.IntRange(100))
@click.option("--calls", default=20_000, show_default=True, type=click.IntRange(100), help="in each round")
@click.option("--in-flight", default=32, show_default=True, type=click.IntRange(1, 500), help="of those")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="medians over so many")
@click.option("--per-s", default=500.0, show_default=True, type=NumberRange(1), help="mixed calls, for latencies")
@click.option("--seconds", default=30.0, show_default=True, type=NumberRange(1), help="of those")
def gateway(connectors: int, calls: int, in_flight: int, rounds: int, per_s: float, seconds: float) -> None:
    """Calls/s that the gateway answers, beside an empty endpoint on the same server; latencies, start and memory.

    Needs a broker: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP.

    Example: evcs bench gateway --rounds 1 --seconds 10
    """
    from infra.bench.gateway import GatewayBenchSettings, measure
    from infra.interruption import told_to_end_as_by_ctrl_c
    from infra.local.settings import LocalSettings

    settings = GatewayBenchSettings(connectors, calls, in_flight, rounds, per_s, seconds)
    with told_to_end_as_by_ctrl_c():
        found = measure(KafkaCluster.from_env(), settings, LocalSettings.from_env().runs, _tell)
    click.echo(json.dumps(found))


@command.command()
@click.option("--orders", default=100_000, show_default=True, type=click.IntRange(1), help="of the day that is checked")
@click.option("--others", default=1_000_000, show_default=True, type=click.IntRange(0), help="of the year before it")
def nightly(orders: int, others: int) -> None:
    """Seconds and memory of the nightly check of a day's orders with a strict platform.

    Needs a broker and ClickHouse: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP and EVCS_CLICKHOUSE_URL.

    Example: evcs bench nightly --others 10000000
    """
    from connectors.warehouse.settings import Warehouse
    from infra.bench.nightly import measure
    from infra.interruption import told_to_end_as_by_ctrl_c

    with told_to_end_as_by_ctrl_c():
        found = measure(KafkaCluster.from_env(), Warehouse.from_env(), orders, others, _tell)
    click.echo(json.dumps(found))


@command.command()
@click.option("--connectors", default=20_000, show_default=True, type=click.IntRange(10), help="of 100 samples each")
@click.option("--rows", default=200_000, show_default=True, type=click.IntRange(1000), help="inserted by rows")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="medians over so many")
def warehouse(connectors: int, rows: int, rounds: int) -> None:
    """Samples/s from Kafka into ClickHouse, of the insertion alone of ready-made blocks, and by rows.

    Needs both servers: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP and EVCS_CLICKHOUSE_URL.

    Example: evcs bench warehouse --rounds 1
    """
    from connectors.warehouse.settings import Warehouse
    from infra.bench.warehouse import measure
    from infra.interruption import told_to_end_as_by_ctrl_c

    with told_to_end_as_by_ctrl_c():
        found = measure(KafkaCluster.from_env(), Warehouse.from_env(), connectors, rows, rounds, _tell)
    click.echo(json.dumps(found))


@command.command()
@click.option("--connectors", default=10_000, show_default=True, type=click.IntRange(10))
@click.option(
    "--others", default=10_000_000, show_default=True, type=click.IntRange(0), help="orders of the year before"
)
@click.option("--per-s", default=5.0, show_default=True, type=NumberRange(0.1), help="questions for statistics")
@click.option("--seconds", default=60.0, show_default=True, type=NumberRange(1), help="of those")
def year(connectors: int, others: int, per_s: float, seconds: float) -> None:
    """Milliseconds of a month's statistics through the gateway, and seconds of the audit of a day, with a year in the
    warehouse.

    Needs both servers: `evcs local up`, or EVCS_KAFKA_BOOTSTRAP and EVCS_CLICKHOUSE_URL.

    Example: evcs bench year --connectors 1000 --others 100000
    """
    from connectors.warehouse.settings import Warehouse
    from infra.bench.year import YearBenchSettings, measure
    from infra.interruption import told_to_end_as_by_ctrl_c
    from infra.local.settings import LocalSettings

    settings = YearBenchSettings(connectors, others, per_s, seconds)
    with told_to_end_as_by_ctrl_c():
        found = measure(KafkaCluster.from_env(), Warehouse.from_env(), settings, LocalSettings.from_env().runs, _tell)
    click.echo(json.dumps(found))
