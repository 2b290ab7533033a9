"""Finds finalized orders by their StartChargeSeq and puts them onto a platform's lane once more."""

import contextlib
import re
from collections.abc import Sequence

from confluent_kafka import Message

from connectors.delivery.topics import lane_topic
from connectors.platform import Platform
from infra.backfill import LaneWriter, require_way, routes_of
from infra.errors import OperatorError
from infra.past_records import PastRecords
from schemas.cluster import KafkaCluster
from schemas.codec import Codec, codec_for
from schemas.errors import UndecodableRecord
from schemas.records.derived import Order

SOURCE = "charge-orders"


def redeliver(cluster: KafkaCluster, platform: Platform, seqs: Sequence[str], since: int = 0) -> list[Order]:
    """Sends these orders, all or none, to a platform; looks for them from `since` (UTC ms). Returns them.

    Raises OperatorError for one that is not there or not for this platform, ClusterProblem, KafkaRefused.
    """
    require_way(cluster, platform, [SOURCE])
    found = _find(cluster, codec_for(cluster.schema_registry_url), list(dict.fromkeys(seqs)), since)
    routes = routes_of(cluster, platform)
    for _, order in found:
        route = routes.of(order)
        if route.undecided:
            raise OperatorError(
                f"{order.start_charge_seq}: nobody can say whether {platform.name} supervises station "
                f"{order.station_id}, since it is not on station-catalog"
            )
        if not route.topics:
            raise OperatorError(
                f"{order.start_charge_seq} is not for {platform.name}: by its profile's scope, or since no interface "
                f"that is on tells of charge model {order.charge_model}"
            )
    writer = LaneWriter(cluster, "redeliver")
    topic = lane_topic(platform.name, "orders")
    for message, order in found:
        writer.put(topic, order.connector_id.encode(), message.value(), message.timestamp()[1])
    writer.commit()
    return [order for _, order in found]


def _find(cluster: KafkaCluster, codec: Codec, seqs: list[str], since: int) -> list[tuple[Message, Order]]:
    """The newest record of each, and what it holds, in the order of `seqs`."""
    any_of_them = re.compile(b"|".join(re.escape(seq.encode()) for seq in seqs))
    past = PastRecords(cluster, since, None)
    found: dict[str, tuple[Message, Order]] = {}
    try:
        past.open([SOURCE])
        for message in past:
            value = message.value()
            if value is not None and any_of_them.search(value):  # before it is decoded, which costs more
                with contextlib.suppress(UndecodableRecord):
                    order = codec.decode_as(Order, value)
                    found[order.start_charge_seq] = message, order
    finally:
        past.close()
    missing = [seq for seq in seqs if seq not in found]
    if missing:
        raise OperatorError(f"not on {SOURCE} (which keeps orders for 90 days): {', '.join(missing)}. Nothing is sent")
    return [found[seq] for seq in seqs]
