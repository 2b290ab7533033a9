"""A station that two platforms see: a charge that one of them has ordered is not the other's to start or stop, nor
platform-started in its eyes (ChargeModel 1, Beijing V1.1 §2.2.1)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas.records.charger_commands import StartCharge
from schemas.registry import SchemaVersion
from tests.connectors.gateway.callers import CITY, HARBOUR, Caller
from tests.connectors.gateway.house import House, a_station, harbour, peer
from tests.connectors.gateway.test_command_desk import ENDED, REFUSED, SEQ_IN_USE, STARTING, TAKEN, start
from tests.connectors.gateway.test_command_desk_stops import NOT_YOURS
from tests.schemas.test_examples import CODEC
from tests.schemas.versions import written
from tests.streams.domain.records import (
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

NONE, ALREADY_STOPPED = 0, 3
ASKED = {"StartChargeSeq": SEQ, "ConnectorID": CONNECTOR}


class Shared:
    """A house in which the harbour's platform sees the city's station, too, and the city's has ordered a charge."""

    def __init__(self) -> None:
        self.house = House(peer(), harbour(areas=("11", "31")))
        self.run = Partition(a_station()).sample(sample(NOON))
        self.house.follow(self.run)
        self.is_ordered()

    def is_ordered(self) -> None:
        assert start(self.house) == (TAKEN, NONE, STARTING)

    def runs(self) -> None:
        self.run.event(started(NOON)).sample(charging(NOON))
        self.house.follow(self.run)

    def ends(self) -> None:
        self.run.event(stopped(NOON + MINUTE, 1_000_100)).sample(plugged(NOON + MINUTE + SECOND, 1_000_100))
        self.house.follow(self.run)

    def is_billed(self) -> None:
        self.run.event(bill(NOON + MINUTE + 2 * SECOND))
        self.house.follow(self.run)

    def stages(self) -> list[Callable[[], None]]:
        """What becomes of the charge, from its order on."""
        return [self.is_ordered, self.runs, self.ends, self.is_billed]

    def stop(self, caller: Caller) -> tuple[int, int]:
        """SuccStat and FailReason."""
        told = self.house.answer("query_stop_charge", ASKED, caller)
        return told["SuccStat"], told["FailReason"]

    def model(self, caller: Caller) -> object:
        return self.house.answer("query_equip_charge_status", {"StartChargeSeq": SEQ}, caller)["ChargeModel"]


def test_only_who_has_ordered_it_may_stop_it() -> None:
    shared = Shared()
    assert shared.stop(HARBOUR) == (REFUSED, NOT_YOURS)
    shared.runs()
    assert shared.stop(HARBOUR) == (REFUSED, NOT_YOURS)
    assert len(shared.house.topic.commands) == 1
    assert shared.stop(CITY) == (TAKEN, NONE)
    shared.ends()
    assert shared.stop(HARBOUR) == (REFUSED, NOT_YOURS)
    assert shared.stop(CITY) == (REFUSED, ALREADY_STOPPED)


def test_its_seq_is_in_use_for_all_others() -> None:
    shared = Shared()
    for go_on in shared.stages():
        go_on()
        assert start(shared.house, caller=HARBOUR) == (REFUSED, SEQ_IN_USE, ENDED)
        assert start(shared.house)[0] == TAKEN
    assert len(shared.house.topic.commands) == 1


def test_only_who_has_ordered_it_sees_model_1() -> None:
    shared = Shared()
    for go_on in shared.stages():
        go_on()
        assert (shared.model(CITY), shared.model(HARBOUR)) == (1, 3)


@pytest.mark.parametrize("model", [0, 2, 3])
def test_what_its_charger_calls_otherwise_is_told_as_it_is(model: int) -> None:
    shared = Shared()
    run = Partition(a_station()).event(started(NOON, charge_model=model)).sample(charging(NOON, charge_model=model))
    shared.house.follow(run)
    assert (shared.model(CITY), shared.model(HARBOUR)) == (model, model)


def test_where_it_is_not_known_who_has_ordered_it() -> None:
    """An instance of before has put its start on the topic, or its start has left it."""
    for has_start in (True, False):
        shared, house = Shared(), House(peer(), harbour(areas=("11", "31")))
        (command,) = shared.house.topic.commands
        if has_start:
            house.views.commands.put(written(SchemaVersion("start_charge", 1), command))
        shared.house, shared.run = house, Partition(a_station())
        shared.runs()
        assert (shared.model(CITY), shared.model(HARBOUR)) == (1, 1)
        assert shared.stop(HARBOUR) == (TAKEN, NONE)


def test_another_instance_knows_it_from_the_topic() -> None:
    shared, other = Shared(), House(peer(), harbour(areas=("11", "31")))
    (command,) = shared.house.topic.commands
    assert isinstance(command, StartCharge)
    other.views.commands.put(CODEC.encode(command))
    other.views.commands.put(CODEC.encode(replace(command, platform="harbour")))
    other.follow(Partition(a_station()).sample(sample(NOON)))
    assert start(other, caller=HARBOUR) == (REFUSED, SEQ_IN_USE, ENDED)
    assert start(other)[0] == TAKEN
