"""What the sink reads, and what the topics' files say of it."""

import pytest

from connectors.warehouse.sink.sources import SOURCES, Source
from schemas.topic import all_topics


def test_every_topic_that_the_warehouse_reads_has_a_table() -> None:
    read = {name for name, topic in all_topics().items() if "warehouse" in topic.consumers}
    assert {source.topic for source in SOURCES} == read
    assert len({source.table for source in SOURCES}) == len(SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.topic)
def test_what_no_table_takes_has_a_topic_of_its_own(source: Source) -> None:
    assert all_topics()[source.topic].records == (source.record,)
    assert "sink" in all_topics()[f"{source.topic}-dlq"].producers
