"""`evcs delivery backfill`: records of the past onto a platform's lanes."""

import json
import sys

import click

from connectors.delivery.routing.settings import platforms_named
from infra.backfill import WHAT
from infra.past_records import instant
from schemas.cluster import KafkaCluster


@click.command()
@click.argument("platform")
@click.option("--from", "since", required=True, help="A date (its midnight in Beijing) or an ISO instant.")
@click.option("--to", "until", required=True, help="The same; what was due then or later is left out.")
@click.option(
    "--what",
    type=click.Choice(list(WHAT)),
    default="orders",
    show_default=True,
    help="charges are orders and all else of them",
)
def backfill(platform: str, since: str, until: str, what: str) -> None:
    """Send PLATFORM what was due in a span of time, whether it was confirmed or not.

    The last line is a JSON object; exit status 1 if there were records of which nobody can say who gets them.

    Example: evcs delivery backfill beijing --from 2026-03-01 --to 2026-03-02
    """
    from infra import backfill as work

    (profile,) = platforms_named([platform])
    begin, end = instant(since), instant(until)
    shown = -1

    def tell(read: int, total: int) -> None:
        nonlocal shown
        percent = 100 * read // total if total else 100
        if percent // 5 > shown:
            shown = percent // 5
            click.echo(f"{percent} % read", err=True)

    report = work.backfill(KafkaCluster.from_env(), profile, WHAT[what], begin, end, tell)
    click.echo(
        json.dumps(
            {
                "platform": platform,
                "what": what,
                "read": report.read,
                "sent": report.sent,
                "not_for_it": report.not_for_it,
                "problems": dict(report.problems),
            }
        )
    )
    if report.problems:
        sys.exit(1)
