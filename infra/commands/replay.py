"""`evcs replay`: real charging sessions through the real pipeline, compared with what came out."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click
from confluent_kafka import KafkaException

from infra.interruption import told_to_end_as_by_ctrl_c
from infra.local.progress import shown_on_stderr
from infra.local.settings import LocalSettings
from infra.number_range import NumberRange
from infra.replay.errors import ReplayError
from infra.replay.run import Replayed, ReplaySettings, run_replay
from infra.replay.session_file import read_sessions
from infra.simulator.fleet.errors import FleetError
from schemas.cluster import KafkaCluster
from schemas.compacted import ReadStalled
from streams.domain.policy import TrackingPolicy

_PUSH_S = TrackingPolicy().push_ms // 1000

EPILOG = """\b
Example:
  evcs local up
  evcs replay sessions.csv
  evcs replay sessions.csv --limit 500 --sample-interval 50
"""


def _divides_push(_ctx: click.Context, _parameter: click.Parameter, value: int) -> int:
    if _PUSH_S % value:
        raise click.BadParameter(f"{value} s do not divide the {_PUSH_S} s between two pushes: use 1, 2, 5, 10, 25, 50")
    return value


@click.command("replay", epilog=EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--sample-interval",
    default=10,
    show_default=True,
    type=click.IntRange(1, _PUSH_S),
    callback=_divides_push,
    help="seconds between a charge's samples",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 8), help="streams workers")
@click.option("--limit", type=click.IntRange(1), help="the first so many sessions only")
@click.option("--timeout", default=3600.0, show_default=True, type=NumberRange(1), help="seconds for the workers")
@click.option("--keep", is_flag=True, help="leave the replay's topics on the cluster")
def command(file: Path, sample_interval: int, workers: int, limit: int | None, timeout: float, keep: bool) -> None:
    """Send FILE's charging sessions through the pipeline and check that each comes out as one order.

    FILE is CSV with the columns session, station, user, plugged_in_at, charge_started_at, charge_ended_at,
    unplugged_at (ISO 8601 with zone) and energy_kwh. Topics of its own are made on the cluster that
    EVCS_KAFKA_* names, and deleted at the end. Sessions that overlap on a station get connectors of their own.

    The last line is a JSON object; the exit status is 0 only if all its lists are empty and there are as many
    orders as sessions.
    """
    sessions = read_sessions(file, time.time_ns() // 1_000_000, limit)
    runs = LocalSettings.from_env().runs
    settings = ReplaySettings(KafkaCluster.from_env(), runs, sample_interval * 1000, workers, timeout, keep)
    try:
        # Being told to end is no reason to leave topics and workers behind.
        with told_to_end_as_by_ctrl_c(), shown_on_stderr() as tell:
            replayed = run_replay(sessions, settings, tell)
    except (FleetError, ReadStalled) as error:
        raise ReplayError(str(error)) from error
    except KafkaException as error:
        raise ReplayError(f"{settings.cluster.bootstrap}: {error.args[0].str()}") from error
    click.echo(json.dumps(_told(replayed), ensure_ascii=False))
    if not replayed.comparison.agrees:
        sys.exit(1)


def _told(replayed: Replayed) -> dict[str, object]:
    written = replayed.written
    return {
        **asdict(replayed.comparison),
        "samples": written.samples,
        "events": written.events,
        "writing_s": round(written.seconds, 1),
        "working_s": round(replayed.working_s, 1),
        "samples_per_s": round(written.samples / replayed.working_s),
    }
