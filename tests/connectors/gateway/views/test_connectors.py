"""The connectors' states in memory: how each stands, and where each open charge is."""

import gc

import pytest

from connectors.gateway.views.connectors import UNHEARD, Connectors, Statuses
from schemas.errors import UndecodableRecord
from tests.connectors.gateway.house import NEIGHBOUR, a_station
from tests.streams.domain.records import (
    CODEC,
    CONNECTOR,
    MINUTE,
    NOON,
    SECOND,
    SEQ,
    Partition,
    bill,
    charging,
    plugged,
    sample,
    started,
    stopped,
)

OTHER_SEQ = SEQ[:-1] + "2"


def follow(view: Connectors, run: Partition) -> Connectors:
    for state in run.states:
        view.put(state.key, state.value)
    return view


def run() -> Partition:
    return Partition(a_station())


def test_how_a_connector_stands() -> None:
    view = follow(Connectors(CODEC), run().sample(charging(NOON)))
    assert view.statuses(CONNECTOR) == Statuses(status=3, park_status=50, lock_status=50)
    state = view.state(CONNECTOR)
    assert state is not None
    assert (state.connector_id, state.status, len(view)) == (CONNECTOR, 3, 1)


def test_one_that_has_never_said_anything() -> None:
    view = Connectors(CODEC)
    assert view.statuses(CONNECTOR) == UNHEARD == (0, 0, 0)
    assert view.state(CONNECTOR) is None
    assert view.of_charge(SEQ) is None


def test_only_the_newest_counts() -> None:
    view, partition = Connectors(CODEC), run()
    for one, status in ((sample(NOON), 1), (plugged(NOON + 1000), 2), (charging(NOON + 2000), 3)):
        follow(view, partition.sample(one))
        assert view.statuses(CONNECTOR).status == status
    assert len(view) == 1


def test_an_open_charge_is_found_until_it_is_closed() -> None:
    view, partition = Connectors(CODEC), run().event(started(NOON)).sample(charging(NOON))
    assert follow(view, partition).of_charge(SEQ) == CONNECTOR
    partition.event(stopped(NOON + MINUTE, 1_000_100)).sample(plugged(NOON + MINUTE + 10 * SECOND, 1_000_100))
    assert follow(view, partition).of_charge(SEQ) == CONNECTOR
    partition.event(bill(NOON + MINUTE + 20 * SECOND)).tick(NOON + 3 * MINUTE)
    assert follow(view, partition).of_charge(SEQ) is None
    state = view.state(CONNECTOR)
    assert state is not None
    assert state.closed_seqs == (SEQ,)


def test_several_open_charges_of_one_connector() -> None:
    partition = run().event(started(NOON)).event(stopped(NOON + 1000, 1_000_000))
    partition.event(started(NOON + 2000, start_charge_seq=OTHER_SEQ))
    view = follow(Connectors(CODEC), partition)
    assert (view.of_charge(SEQ), view.of_charge(OTHER_SEQ)) == (CONNECTOR, CONNECTOR)


def test_a_charge_that_is_elsewhere_now_is_found_there() -> None:
    view = follow(Connectors(CODEC), run().event(started(NOON)))
    follow(view, run().event(started(NOON, connector_id=NEIGHBOUR)))
    assert view.of_charge(SEQ) == NEIGHBOUR
    view.put(CONNECTOR.encode(), None)
    assert view.of_charge(SEQ) == NEIGHBOUR


def test_a_connector_that_is_gone_is_forgotten() -> None:
    view = follow(Connectors(CODEC), run().event(started(NOON)).sample(charging(NOON)))
    view.put(CONNECTOR.encode(), None)
    view.put(b"never heard of", None)
    assert (view.statuses(CONNECTOR), view.state(CONNECTOR), view.of_charge(SEQ)) == (UNHEARD, None, None)
    assert len(view) == 0


@pytest.mark.parametrize("damaged", [b"", b"\0\0", CODEC.encode(sample(NOON))])
def test_a_damaged_state_is_refused_and_the_one_before_stays(damaged: bytes) -> None:
    view = follow(Connectors(CODEC), run().event(started(NOON)).sample(charging(NOON)))
    with pytest.raises(UndecodableRecord):
        view.put(CONNECTOR.encode(), damaged)
    assert (view.statuses(CONNECTOR).status, view.of_charge(SEQ)) == (3, CONNECTOR)


def test_a_charge_whose_state_breaks_off_is_refused_once_all_was_read() -> None:
    partition = run().event(started(NOON)).sample(charging(NOON))
    view = follow(Connectors(CODEC), partition)
    broken = partition.states[-1].value[:-1]
    view.put(CONNECTOR.encode(), broken)
    assert (view.state(CONNECTOR), view.of_charge(SEQ)) == (None, CONNECTOR)
    view.settle()
    assert view.state(CONNECTOR) is None
    follow(view, partition)
    with pytest.raises(UndecodableRecord):
        view.put(CONNECTOR.encode(), broken)
    state = view.state(CONNECTOR)
    assert state is not None
    assert state.charges[0].start_charge_seq == SEQ


def test_to_settle_changes_no_answer() -> None:
    view = follow(Connectors(CODEC), run().event(started(NOON)).sample(charging(NOON)))
    before = view.state(CONNECTOR)
    view.settle()
    assert view.state(CONNECTOR) == before is not None


def test_equal_statuses_are_kept_once() -> None:
    view = follow(Connectors(CODEC), run().sample(charging(NOON)))
    follow(view, run().sample(charging(NOON, connector_id=NEIGHBOUR, start_charge_seq=OTHER_SEQ)))
    assert view.statuses(CONNECTOR) is view.statuses(NEIGHBOUR)


def test_the_garbage_collector_has_nothing_to_walk_for_a_connector() -> None:
    view, partition = Connectors(CODEC), run().sample(charging(NOON))
    follow(view, partition)
    gc.collect()
    kept = (view._records[CONNECTOR], view._open_seqs[CONNECTOR])
    assert not any(gc.is_tracked(one) for one in kept)
    assert view.statuses(CONNECTOR) is view._alike[view.statuses(CONNECTOR)]
