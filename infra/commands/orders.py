"""`evcs orders`: single orders, by their StartChargeSeq."""

import click

from connectors.delivery.routing.settings import platforms_named
from infra.past_records import instant
from schemas.cluster import KafkaCluster


@click.group("orders")
def command() -> None:
    """Look after single orders.

    Example: evcs orders redeliver MA7L4KFB0202603010000000001 --platform beijing
    """


@command.command()
@click.argument("seqs", nargs=-1, required=True, metavar="SEQ...")
@click.option("--platform", required=True, help="who is to get them")
@click.option("--from", "since", help="look from this date or instant on, which is quicker than all 90 days")
def redeliver(seqs: tuple[str, ...], platform: str, since: str | None) -> None:
    """Send the orders with these StartChargeSeq to a platform once more, all or none, whether they were confirmed or
    not.

    Example: evcs orders redeliver MA7L4KFB0202603010000000001 --platform beijing --from 2026-03-01
    """
    from infra import redelivery

    (profile,) = platforms_named([platform])
    orders = redelivery.redeliver(KafkaCluster.from_env(), profile, seqs, instant(since) if since else 0)
    for order in orders:
        click.echo(f"{order.start_charge_seq} of {order.connector_id}: {order.total_money} CNY, on its way")
