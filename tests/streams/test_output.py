"""The output queue against a real broker: a state never says that something was put out which was not."""

from dataclasses import replace

import pytest

from schemas.cluster import KafkaCluster
from schemas.compacted import read_to_end
from streams.domain.outputs import Output, StateWrite
from streams.errors import OutputLost
from streams.output import STATE_TOPIC, OutputQueue
from tests.whole.topics import until

pytestmark = pytest.mark.kafka

CHANGES = "connector-status-changes"
AT = 1_700_000_000_000


def _output(number: int, topic: str = CHANGES) -> Output:
    return Output(topic, b"key%d" % number, b"output%d" % number, AT)


def _state(number: int) -> StateWrite:
    return StateWrite(b"key%d" % number, b"state%d" % number, AT)


def _values(cluster: KafkaCluster, topic: str, partition: int | None = None) -> list[bytes | None]:
    partitions = None if partition is None else [partition]
    return [m.value() for batch in read_to_end(cluster, cluster.topic(topic), partitions) for m in batch]


def _drain(queue: OutputQueue) -> None:
    def drained() -> bool:
        queue.poll()
        return queue.empty()

    until(drained, "everything is confirmed", every_s=0.002)


def test_steps_are_safe_in_order_once_outputs_and_states_are_there(kafka: KafkaCluster) -> None:
    queue = OutputQueue(kafka)
    safe: list[int] = []
    seen: dict[int, tuple[int, int]] = {}

    def is_safe(number: int) -> None:
        safe.append(number)
        if number in (0, 199):
            seen[number] = (len(_values(kafka, CHANGES)), len(_values(kafka, STATE_TOPIC)))

    for number in range(200):
        outputs = [_output(number)] if number % 3 else []
        states = [_state(number)] if number % 2 else []
        queue.submit(number % 8, outputs, states, lambda number=number: is_safe(number))  # type: ignore[misc]
    assert not queue.empty()
    assert not queue.congested()
    _drain(queue)
    assert safe == list(range(200))
    assert seen[199] == (133, 100)
    assert queue.produced == {kafka.topic(CHANGES): 133, kafka.topic(STATE_TOPIC): 100}
    assert queue.unconfirmed == 0
    assert queue.close(5) == 0


def test_states_go_to_the_partition_of_their_step(kafka: KafkaCluster) -> None:
    queue = OutputQueue(kafka)
    queue.submit(5, [], [_state(1), _state(2)])
    _drain(queue)
    assert _values(kafka, STATE_TOPIC, 5) == [b"state1", b"state2"]


def test_an_output_that_can_not_be_put_out_stops_everything_behind_it(kafka: KafkaCluster) -> None:
    # By default the client waits half a minute for a topic that may be about to appear.
    impatient = replace(kafka, security={"topic.metadata.propagation.max.ms": "300"})
    queue = OutputQueue(impatient)
    safe: list[str] = []
    queue.submit(0, [_output(1)], [_state(1)], lambda: safe.append("before"))
    _drain(queue)
    queue.submit(0, [_output(2, "no-such-topic"), _output(3)], [_state(2)], lambda: safe.append("lost"))
    queue.submit(1, [_output(4)], [_state(4)], lambda: safe.append("behind"))
    with pytest.raises(OutputLost, match=r"1 outputs .*no-such-topic"):
        _drain(queue)
    queue.close(5)
    assert safe == ["before"]
    assert _values(kafka, STATE_TOPIC) == [b"state1"]


def test_states_of_a_partition_that_has_gone_are_not_written(kafka: KafkaCluster) -> None:
    queue = OutputQueue(kafka)
    safe: list[int] = []
    for number in (3, 4):
        queue.submit(number, [_output(number)], [_state(number)], lambda number=number: safe.append(number))  # type: ignore[misc]
    queue.forget({3})
    _drain(queue)
    assert safe == [3, 4]
    assert _values(kafka, STATE_TOPIC) == [b"state4"]
    assert sorted(map(str, _values(kafka, CHANGES))) == ["b'output3'", "b'output4'"]
