"""The topics of delivery, which follow from the platforms' profiles: lanes, ladders and dead letters.

What flows on them is a source record's bytes under its ConnectorID, with `connectors.delivery.parcel`'s headers.
"""

import re
from collections.abc import Iterable
from typing import Literal

from connectors.interfaces.registry import interfaces
from connectors.platform import Platform
from schemas.records.derived import Order
from schemas.topic import Topic

Lane = Literal["states", "orders"]

#: Of a status only the newest counts; of a charge everything counts, in its order.
LANES: dict[Lane, tuple[str, ...]] = {
    "states": ("status_change",),
    "orders": ("start_result", "charge_progress", "stop_result", "order"),
}

#: Derived topics and the lane that each is routed to.
SOURCES: dict[str, Lane] = {
    "connector-status-changes": "states",
    "charge-start-results": "orders",
    "charge-progress": "orders",
    "charge-stop-results": "orders",
    "charge-orders": "orders",
}

#: Every ladder's topics, as a regular expression.
RETRY_TOPICS = "delivery-retry-[0-9]+s"

_NAME = re.compile(rf"{RETRY_TOPICS}|delivery-[a-z0-9-]+-(states|orders)(-dlq)?")

_PARTITIONS = 8
_RETRY_PARTITIONS = 4
_REPLICATION = 3
_DAY_MS = 86_400_000

#: A state is worthless after a week. An order is money: it keeps its own time on lanes and ladders, which the broker
#: counts from, so they hold it for a year, whoever is away meanwhile.
_RETENTION_MS: dict[Lane, int] = {"states": 7 * _DAY_MS, "orders": 365 * _DAY_MS}


def lane_topic(platform: str, lane: Lane) -> str:
    """The topic of a platform's lane."""
    return f"delivery-{platform}-{lane}"


def retry_topic(delay_s: int) -> str:
    """Where orders of all platforms wait for so many seconds."""
    return f"delivery-retry-{delay_s}s"


def dead_letter_topic(topic: str) -> str:
    """Where the dead letters of a topic lie."""
    return f"{topic}-dlq"


def is_delivery_topic(name: str) -> bool:
    """Whether the name is one of those here, whatever the platform: what a platform left behind is found by it."""
    return _NAME.fullmatch(name) is not None


def rungs(platforms: Iterable[Platform]) -> list[int]:
    """Every wait of every ladder, in seconds, each once."""
    orders = [name for name, interface in interfaces().items() if interface.record is Order]
    return sorted({rung for p in platforms for name in orders if p.is_on(name) for rung in p.ladder_s(name)})


def delivery_topics(platforms: Iterable[Platform]) -> list[Topic]:
    """Every topic that these platforms need."""
    known = list(platforms)
    lanes = [topic for platform in known for lane in LANES for topic in _of_lane(platform.name, lane)]
    return lanes + [_of_rung(delay_s) for delay_s in rungs(known)]


def _of_rung(delay_s: int) -> Topic:
    return _topic(
        retry_topic(delay_s),
        f"Orders that a platform has not taken, to be sent again after {delay_s} s, in the order of their times.",
        ("order",),
        producers=("lanes",),
        consumers=("retry scheduler",),
        partitions=_RETRY_PARTITIONS,
        retention_ms=_RETENTION_MS["orders"],
    )


def _of_lane(platform: str, lane: Lane) -> list[Topic]:
    name = lane_topic(platform, lane)
    what = "Status changes" if lane == "states" else "What there is to tell of charges"
    return [
        _topic(
            name,
            f"{what} for {platform}, of its stations only, in the order of each connector.",
            LANES[lane],
            producers=("router", "retry scheduler"),
            consumers=("lanes",),
            partitions=_PARTITIONS,
            retention_ms=_RETENTION_MS[lane],
        ),
        _topic(
            dead_letter_topic(name),
            f"Records that {platform}, or the standard, can never take, with the reason.",
            ("dead_letter",),
            producers=("lanes",),
            consumers=("people",),
            partitions=1,
            retention_ms=_RETENTION_MS["orders"],
        ),
    ]


def _topic(
    name: str,
    why: str,
    records: tuple[str, ...],
    producers: tuple[str, ...],
    consumers: tuple[str, ...],
    partitions: int,
    retention_ms: int,
) -> Topic:
    return Topic(
        name=name,
        why=why,
        key="ConnectorID",
        records=records,
        producers=producers,
        consumers=consumers,
        partitions=partitions,
        replication=_REPLICATION,
        cleanup="delete",
        retention_ms=retention_ms,
    )
