"""Who begins last writes, and nobody else: an older process can neither fix requests nor say how one ended."""

import time

import pytest

from connectors.errors import PlaceTaken
from connectors.reconciliation.notes import Fixed, Notes
from schemas.cluster import KafkaCluster
from tests.connectors.reconciliation.test_book import CODEC, DAY, planned
from tests.connectors.reconciliation.test_topic import read

pytestmark = pytest.mark.kafka


def started(cluster: KafkaCluster, platform: str = "beijing") -> Notes:
    notes = Notes(cluster, CODEC, platform, lambda: False)
    notes.start()
    return notes


def fixed(number: int, *amounts: str) -> list[Fixed]:
    return [Fixed(len(amounts), CODEC.encode(planned(number, *amounts)))]


def test_an_older_process_fixes_nothing_any_more(kafka: KafkaCluster) -> None:
    """Both have found nothing fixed, and other orders: only one plan is there in the end."""
    older = started(kafka)
    newer = started(kafka)
    with pytest.raises(PlaceTaken, match="another process checks the orders of beijing"):
        older.fix(fixed(1, "1.00"), 0)
    newer.fix(fixed(1, "1.00", "2.00"), 0)
    while not (day := read(kafka, "beijing").day(DAY)).requests:
        time.sleep(0.1)
    assert [request.count for request in day.requests.values()] == [2]


def test_platforms_do_not_take_each_others_place(kafka: KafkaCluster) -> None:
    beijing = started(kafka)
    started(kafka, "chengdu")
    beijing.fix(fixed(1, "1.00"), 0)
