"""Whatever bytes arrive, nothing is raised, nothing undecodable is put out, and the stream goes on."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records.derived import StatusChange
from schemas.values import ConnectorStatus
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    DAY_AND_NIGHT,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    Partition,
    bill,
    charging,
    failed,
    newest_states,
    plugged,
    sample,
    started,
    station,
    stopped,
)

VALID = [
    CODEC.encode(record)
    for record in (
        sample(NOON),
        sample(NOON + 10 * SECOND),
        plugged(NOON + 20 * SECOND),
        charging(NOON + 30 * SECOND),
        charging(NOON + 40 * SECOND, 1_000_100),
        charging(NOON + 90 * SECOND, 1_000_600),
        charging(NOON + 90 * SECOND, 5),
        charging(NOON + 95 * SECOND, 1_000_650, start_charge_seq="another"),
        plugged(NOON + 100 * SECOND, 1_000_700),
        started(NOON + 30 * SECOND),
        started(NOON - 20 * HOUR),
        failed(NOON + 25 * SECOND),
        failed(NOON + 94 * SECOND, start_charge_seq="another"),
        started(NOON + 95 * SECOND, start_charge_seq="another"),
        stopped(NOON + 100 * SECOND, 1_000_700),
        stopped(NOON, 1),
        bill(NOON + 101 * SECOND),
        bill(NOON + 101 * SECOND, start_charge_seq="another"),
    )
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid record in which some bytes are changed, cut out, or put in."""
    payload = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(payload)))
        cut = draw(st.integers(0, 3))
        payload[at : at + cut] = draw(st.binary(max_size=4))
    return bytes(payload)


PAYLOADS = st.one_of(st.none(), st.binary(max_size=80), st.sampled_from(VALID), mutated(), mutated())
KEYS = st.one_of(st.just(CONNECTOR.encode()), st.just(CONNECTOR.encode()), st.none(), st.binary(max_size=3))


@settings(deadline=None, max_examples=250)
@given(data=st.lists(st.tuples(st.sampled_from(["sample", "event", "tick", "restart"]), PAYLOADS, KEYS), max_size=25))
def test_nothing_is_raised_and_all_that_is_put_out_can_be_read(
    data: list[tuple[str, bytes | None, bytes | None]],
) -> None:
    run, now = Partition(station(DAY_AND_NIGHT)), NOON
    for kind, payload, key in data:
        now += 7 * SECOND
        if kind == "sample":
            run.raw_sample(payload, now, key)
        elif kind == "event":
            run.raw_event(payload, now, key)
        elif kind == "tick":
            run.tick(now)
        else:
            _check(run)
            run = run.restarted(now)
    for later in (30 * SECOND, MINUTE, 10 * MINUTE, 4 * HOUR, 30 * HOUR, 60 * HOUR):
        run.tick(now + later)
    _check(run)
    assert not any(connector.charges for connector in run.tracker.connectors.values())
    connector = run.tracker.connectors.get(CONNECTOR.encode())
    if connector is not None:
        assert connector.status in (-1, ConnectorStatus.OFFLINE)
    run.forget_outputs().sample(sample(now + 61 * HOUR))
    assert [change.status for change in run.of(StatusChange)] == [ConnectorStatus.IDLE]


def _check(run: Partition) -> None:
    """All outputs and states decode to what their bytes say."""
    for output in run.outputs:
        CODEC.decode(output.value)
    newest_states(run.states)
