"""`evcs delivery begin`: where a part of delivery goes on that Kafka has forgotten."""

import json
from dataclasses import asdict

import click

from infra import beginning
from schemas.cluster import KafkaCluster


@click.command()
@click.argument("who", metavar="PLATFORM|router|retries")
@click.option("--at", required=True, help="earliest, latest, a date (its midnight in Beijing) or an ISO instant.")
def begin(who: str, at: str) -> None:
    """Say where the lanes of a platform, the router or the retry scheduler begin, if their group has no place.

    Kafka forgets the place of a group that has had no member for seven days; delivery then refuses to begin, since it
    would tell the platforms everything once more. What was due from the given time on is told; what was due before is
    not, and can be sent with `evcs delivery backfill`. The last line is a JSON object.

    \b
    Example:
      evcs delivery begin beijing --at 2026-03-01T08:00:00+08:00
      evcs delivery begin router --at latest
    """
    click.echo(json.dumps(asdict(beginning.begin(KafkaCluster.from_env(), who, at))))
