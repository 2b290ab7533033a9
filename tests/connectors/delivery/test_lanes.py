"""The lanes' flow: order within a charge, the newest of a state, limits, pace, and an end without loss. All time is
virtual."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from connectors.interfaces.registry import Interface
from connectors.platform import Platform
from schemas.records.derived import Derived, ProgressKind
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.bench import Bench, deliver, of, once
from tests.connectors.delivery.city import sealed
from tests.connectors.delivery.virtual_time import now_s


def limited(platform: Platform = c.BEIJING, **limits: float) -> Platform:
    """With other limits."""
    return replace(platform, limits=replace(platform.limits, **limits))  # type: ignore[arg-type]


def told(bench: Bench) -> list[str]:
    """The pushed interfaces, in their order."""
    return [call.interface for call in bench.city.pushes]


def statuses(bench: Bench) -> list[int]:
    """The pushed statuses, in their order."""
    return [call.payload["ConnectorStatusInfo"]["Status"] for call in bench.city.pushes]  # type: ignore[index]


async def slowly(_: c.Call) -> c.Answer:
    """An answer that takes a second."""
    await asyncio.sleep(1)
    return None


CHARGE: tuple[Derived, ...] = (
    r.start(1, "A"),
    r.progress(1, "A"),
    r.progress(1, "A", ProgressKind.STOPPED, 5000),
    r.stop(1, "A"),
    r.order(1, "A", charge_model=1),
)


class TestCharges:
    def test_one_is_told_in_its_order(self) -> None:
        async def scenario(bench: Bench) -> None:
            for number, record in enumerate(CHARGE):
                bench.put(record, str(number))
                await asyncio.sleep(0.001)

        bench = deliver(scenario)
        assert told(bench) == [c.START, c.PROGRESS, c.PROGRESS, c.STOP, c.ORDER, c.BONUS]
        assert bench.done == ["0", "1", "2", "3", "4"]
        assert bench.lanes.held == 0

    @pytest.mark.parametrize("failing", [c.START, c.PROGRESS, c.STOP])
    def test_the_order_is_kept_while_a_push_is_repeated(self, failing: str) -> None:
        bench = deliver(of(*CHARGE), once(500, failing, times=2))
        first_told = list(dict.fromkeys(told(bench)))
        assert first_told == [c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS]
        assert told(bench).count(failing) == 3

    def test_one_call_of_a_charge_at_a_time(self) -> None:
        under_way: Counter[object] = Counter()

        async def script(call: c.Call) -> c.Answer:
            charge = call.payload.get("StartChargeSeq")
            under_way[charge] += 1
            assert under_way[charge] == 1
            await asyncio.sleep(1)
            under_way[charge] -= 1
            return None

        charges = [(r.start(n, "A"), r.stop(n, "A"), r.order(n, "A")) for n in range(4)]
        bench = deliver(of(*(record for charge in charges for record in charge)), script)
        assert bench.city.most_at_once == 4
        # A token, and three calls one after the other: charges do not wait for each other.
        assert bench.city.pushes[-1].at == pytest.approx(1 + 2)

    def test_newer_progress_replaces_what_waits(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.start(1, "A"))
            await asyncio.sleep(0.5)
            for energy_wh in (1000, 2000, 3000):
                bench.put(r.progress(1, "A", ProgressKind.PERIODIC, energy_wh))
            assert bench.done == [r.seq(1)] * 2

        bench = deliver(scenario, slowly)
        assert [call.payload.get("TotalPower") for call in bench.city.pushes] == [None, 3]
        assert bench.lanes.backlogs["orders"].superseded == 2

    def test_newer_progress_replaces_what_waits_for_its_repetition(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.progress(1, "A", ProgressKind.PERIODIC, 1000))
            await bench.at(0.5)
            bench.put(r.progress(1, "A", ProgressKind.PERIODIC, 2000))

        bench = deliver(scenario, once(500))
        assert [call.payload["TotalPower"] for call in bench.city.pushes] == [1, 2]

    def test_progress_on_its_way_is_not_replaced(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.progress(1, "A", ProgressKind.PERIODIC, 1000))
            await bench.at(0.5)
            bench.put(r.progress(1, "A", ProgressKind.PERIODIC, 2000))
            assert bench.done == []

        bench = deliver(scenario, slowly)
        assert [call.payload["TotalPower"] for call in bench.city.pushes] == [1, 2]
        assert bench.lanes.backlogs["orders"].superseded == 0

    def test_progress_does_not_pass_what_stands_between(self) -> None:
        records: list[Derived] = [
            r.progress(1, "A", ProgressKind.PERIODIC, 1000),
            r.stop(1, "A"),
            r.progress(1, "A", ProgressKind.STOPPED, 2000),
        ]
        assert told(deliver(of(*records))) == [c.PROGRESS, c.STOP, c.PROGRESS]

    @pytest.mark.parametrize("kind", [ProgressKind.STARTED, ProgressKind.PERIODIC])
    def test_stale_progress_is_not_told(self, kind: ProgressKind) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.progress(1, "A", kind), "stale", recorded_at=bench.now_ms() - 600_001)
            bench.put(r.progress(2, "B", kind), "fresh", recorded_at=bench.now_ms() - 600_000)

        bench = deliver(scenario)
        assert [call.connector for call in bench.city.pushes] == ["B"]
        assert bench.lanes.backlogs["orders"].superseded == 1
        assert bench.letters == []

    def test_the_progress_of_a_stop_is_never_stale(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.progress(1, "A", ProgressKind.STOPPED), recorded_at=0)

        assert told(deliver(scenario)) == [c.PROGRESS]

    def test_stale_progress_in_front_does_not_keep_the_rest(self) -> None:
        async def scenario(bench: Bench) -> None:
            for record in CHARGE:
                bench.put(record, recorded_at=0)

        assert told(deliver(scenario)) == [c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS]


class TestResultsThatAreNotTaken:
    REFUSED = sealed({"SuccStat": 1, "FailReason": 1})

    @pytest.mark.parametrize("record", [r.start(1, "A"), r.stop(1, "A")])
    def test_are_given_up_after_the_profiles_attempts(self, record: r.Result) -> None:
        bench = deliver(of(record), lambda call: None if call.interface == c.TOKEN else self.REFUSED)
        assert [call.at for call in bench.city.pushes] == pytest.approx([0, 1, 3, 8, 18, 48, 108, 168])
        assert bench.outcomes == ["AGAIN"] * 7 + ["DEAD_LETTER"]
        (letter,) = bench.letters
        (interface,) = (i.name for i in c.BEIJING.pushes(record))
        assert letter.reason == "not_taken"
        assert letter.detail == f"beijing {interface}: after 8 refusals: REFUSED with code 1"

    def test_sooner_when_an_order_waits_behind_which_then_leaves(self) -> None:
        bench = deliver(of(*CHARGE), lambda call: self.REFUSED if call.interface == c.STOP else None)
        assert told(bench)[-6:] == [c.STOP] * 4 + [c.ORDER, c.BONUS]
        assert bench.city.pushes[-1].at == pytest.approx(8)
        assert [letter.reason for letter in bench.letters] == ["not_taken"]

    def test_an_order_that_comes_late_shortens_what_is_under_way(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.stop(1, "A"))
            await bench.at(20)  # five were refused, the sixth is due at 48 s
            bench.put(r.order(1, "A"))

        bench = deliver(scenario, lambda call: self.REFUSED if call.interface == c.STOP else None)
        assert bench.city.counts == {c.TOKEN: 1, c.STOP: 6, c.BONUS: 1}
        assert bench.city.pushes[-1].at == pytest.approx(48)

    def test_another_charges_order_shortens_nothing(self) -> None:
        bench = deliver(
            of(r.stop(1, "A"), r.order(2, "A")), lambda call: self.REFUSED if call.interface == c.STOP else None
        )
        assert bench.city.counts[c.STOP] == 8

    def test_a_platform_that_answers_nobody_refuses_nothing(self) -> None:
        """In a small city nothing but one charge is under way, and the breaker is not open yet."""
        patient = replace(c.BEIJING, breaker=replace(c.BEIJING.breaker, consecutive=1000, least=1000))

        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.at(1)
            for record in CHARGE:
                bench.put(record)

        bench = deliver(scenario, lambda call: 500 if 1 <= call.at < 600 else None, patient)
        assert bench.letters == []
        assert bench.lanes.tally.confirmed[c.START] == bench.lanes.tally.confirmed[c.STOP] == 1

    @pytest.mark.parametrize(("behind", "attempts"), [([], 8), ([r.order(1, "A")], 4)])
    @pytest.mark.parametrize("answer", [500, sealed(None, -1), b"garbage"])
    def test_one_that_fails_while_others_are_taken_is_at_fault_itself(
        self, behind: list[Derived], attempts: int, answer: c.Answer
    ) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("B"))
            await bench.at(0.5)
            for record in (r.stop(1, "A"), *behind):
                bench.put(record, record.connector_id + type(record).__name__)
            for second in range(170):
                await bench.at(second + 0.9)
                bench.put(r.status("B", second))

        bench = deliver(scenario, lambda call: answer if call.interface == c.STOP else None)
        # Before the first failure nothing was taken since the result came: only those after it count.
        assert bench.city.counts[c.STOP] == attempts + 1
        assert [letter.reason for letter in bench.letters] == ["not_taken"]

    def test_failures_while_the_breaker_is_open_do_not_count(self) -> None:
        quick = replace(c.BEIJING, breaker=replace(c.BEIJING.breaker, consecutive=2))

        def script(call: c.Call) -> c.Answer:
            return 500 if call.interface != c.TOKEN and call.at < 600 else None

        bench = deliver(of(*CHARGE), script, quick)
        assert bench.letters == []
        assert list(dict.fromkeys(told(bench))) == [c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS]
        # Two, and then after 5, 10, 20, 40 and 60 s, and 60 s again and again.
        assert len([call for call in bench.city.pushes if call.at < 600]) == pytest.approx(14, abs=1)

    def test_nothing_is_given_up_by_a_failure_that_does_not_count(self) -> None:
        """Five refusals count; then the platform is away when the order comes, which would make four enough."""
        quick = replace(c.BEIJING, breaker=replace(c.BEIJING.breaker, consecutive=1))

        def script(call: c.Call) -> c.Answer:
            if call.at < 20 and call.interface == c.STOP:
                return self.REFUSED
            return 500 if call.at < 200 and call.interface != c.TOKEN else None

        async def scenario(bench: Bench) -> None:
            bench.put(r.stop(1, "A"))
            await bench.at(21)
            bench.put(r.status("Z"))
            bench.put(r.order(1, "A"))

        bench = deliver(scenario, script, quick)
        assert bench.letters == []
        assert bench.city.counts[c.BONUS] == 1

    def test_a_status_is_never_given_up(self) -> None:
        bench = deliver(of(r.status("A")), once(sealed({"Status": 7}), times=200))
        assert len(bench.city.pushes) == 201
        assert bench.letters == []
        pauses = [later.at - earlier.at for earlier, later in pairwise(bench.city.pushes)]
        assert pauses[:6] == pytest.approx([1, 2, 5, 10, 30, 60])
        assert pauses[6:] == pytest.approx([60] * 194)


class TestStates:
    def test_the_newest_wins_while_one_waits(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A", 1), "first")
            await bench.at(0.5)
            for status in (2, 3, 4):
                bench.put(r.status("A", status), str(status))
            assert bench.done == ["2", "3"]
            assert bench.lanes.held == 2

        bench = deliver(scenario, slowly)
        assert statuses(bench) == [1, 4]
        assert bench.done == ["2", "3", "first", "4"]

    def test_the_newest_wins_while_one_rests(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A", 1), "first")
            await bench.at(0.5)
            assert bench.done == []
            bench.put(r.status("A", 2), "second")
            assert bench.done == ["first"]

        bench = deliver(scenario, once(500))
        assert statuses(bench) == [1, 2]
        # It keeps its place: the new one is no reason to ask sooner.
        assert [call.at for call in bench.city.pushes] == pytest.approx([0, 1])

    def test_one_that_failed_on_its_way_is_not_sent_after_a_newer_one(self) -> None:
        async def script(call: c.Call) -> c.Answer:
            await asyncio.sleep(1)
            return failure(call)

        failure = once(500, c.STATUS)

        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A", 1), "old")
            await bench.at(1.5)
            bench.put(r.status("A", 2), "new")
            await bench.at(2.1)
            assert bench.done == ["old"]

        assert statuses(deliver(scenario, script)) == [1, 2]

    def test_it_continues_at_its_connectors_rung(self) -> None:
        async def scenario(bench: Bench) -> None:
            for second in range(30):
                await bench.at(second)
                bench.put(r.status("A", second % 5))

        bench = deliver(scenario, once(500, times=4))
        assert [call.at for call in bench.city.pushes][:5] == pytest.approx([0, 1, 3, 8, 18], abs=0.01)

    def test_one_call_of_a_connector_at_a_time(self) -> None:
        under_way: Counter[str] = Counter()

        async def script(call: c.Call) -> c.Answer:
            under_way[call.connector] += 1
            assert under_way[call.connector] == 1
            await asyncio.sleep(0.3)
            under_way[call.connector] -= 1
            return None

        async def scenario(bench: Bench) -> None:
            for number in range(40):
                bench.put(r.status(f"C{number % 4}"))
                await asyncio.sleep(0.1)

        deliver(scenario, script)

    def test_others_go_on_while_one_is_stuck(self) -> None:
        async def scenario(bench: Bench) -> None:
            for name in ("stuck", "A", "B"):
                bench.put(r.status(name))
            await bench.at(30)
            assert sorted(bench.done) == ["A", "B"]
            bench.city.script = None

        deliver(scenario, lambda call: sealed({"Status": 7}) if call.connector == "stuck" else None)

    def test_a_connector_that_comes_back_after_its_lane_was_empty(self) -> None:
        async def scenario(bench: Bench) -> None:
            for _ in range(3):
                bench.put(r.status("A"))
                await bench.finish()

        assert statuses(deliver(scenario)) == [1, 1, 1]

    def test_thousands_of_connectors(self) -> None:
        bench = deliver(of(*(r.status(f"C{number % 1500}") for number in range(3000))))
        assert bench.city.counts == {c.TOKEN: 1, c.STATUS: 1500}


class TestLimits:
    @pytest.mark.parametrize("bound", [1, 7])
    def test_calls_of_each_lane_at_once(self, bound: int) -> None:
        at_once: Counter[bool] = Counter()
        most: Counter[bool] = Counter()

        async def script(call: c.Call) -> c.Answer:
            lane = call.interface == c.STATUS
            if call.interface != c.TOKEN:
                at_once[lane] += 1
                most[lane] = max(most[lane], at_once[lane])
                await asyncio.sleep(1)
                at_once[lane] -= 1
            return None

        records = [record for n in range(40) for record in (r.status(f"C{n}"), r.order(n, f"C{n}"))]
        deliver(of(*records), script, limited(states_in_flight=bound, orders_in_flight=bound + 2))
        assert most == {True: bound, False: bound + 2}

    def test_a_pause_holds_no_place(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("stuck"))
            await bench.at(50)
            bench.put(r.status("A"))
            await asyncio.sleep(0.01)
            assert bench.done == ["A"]
            bench.city.script = None

        deliver(
            scenario,
            lambda call: sealed({"Status": 7}) if call.connector == "stuck" else None,
            limited(states_in_flight=1),
        )

    def test_orders_do_not_wait_for_states(self) -> None:
        """The platform takes no status in time, and thousands wait."""

        async def script(call: c.Call) -> c.Answer:
            if call.interface == c.STATUS:
                await asyncio.sleep(1000)
            return None

        async def scenario(bench: Bench) -> None:
            for number in range(2000):
                bench.put(r.status(f"C{number}"))
            await bench.at(10)
            for record in CHARGE:
                bench.put(record)
            await bench.at(11)
            assert bench.lanes.backlogs["orders"].held == 0
            assert bench.lanes.in_flight == c.BEIJING.limits.states_in_flight
            bench.city.script = None

        bench = deliver(scenario, script)
        assert bench.lanes.tally.confirmed[c.BONUS] == 1

    def test_states_do_not_wait_for_orders(self) -> None:
        async def script(call: c.Call) -> c.Answer:
            if call.interface == c.BONUS:
                await asyncio.sleep(1000)
            return None

        async def scenario(bench: Bench) -> None:
            for number in range(100):
                bench.put(r.order(number, "A"))
            await bench.at(10)
            bench.put(r.status("A"))
            await bench.at(11)
            assert bench.lanes.backlogs["states"].held == 0
            bench.city.script = None

        deliver(scenario, script)


class TestPace:
    def test_calls_a_second_of_both_lanes(self) -> None:
        records = [record for n in range(25) for record in (r.status(f"C{n}"), r.stop(n, f"C{n}"))]
        bench = deliver(of(*records), platform=limited(per_second=5))
        gaps = [later.at - earlier.at for earlier, later in pairwise(bench.city.pushes)]
        assert gaps[1:] == pytest.approx([0.2] * 48)

    def test_an_order_for_two_interfaces_is_two_calls(self) -> None:
        bench = deliver(of(*(r.order(n, "A", charge_model=1) for n in range(20))), platform=limited(per_second=2))
        calls = [call.at for call in bench.city.pushes]
        assert len(calls) == 40
        assert calls[-1] == pytest.approx(39 * 0.5, abs=0.11)

    def test_what_waits_for_its_place_does_not_go_once_the_breaker_is_open(self) -> None:
        nervous = replace(limited(per_second=5), breaker=replace(c.BEIJING.breaker, consecutive=1))

        async def script(call: c.Call) -> c.Answer:
            if call.interface != c.TOKEN:
                await asyncio.sleep(0.5)
            return 500 if call.at < 10 and call.interface != c.TOKEN else None

        bench = deliver(of(*(r.status(f"C{n}") for n in range(20))), script, nervous)
        # It opens at half a second, is probed 5 s later, and again 10 s after that has failed.
        while_open = [call.at for call in bench.city.pushes if 0.51 < call.at < 16.4]
        assert while_open == pytest.approx([5.5, 16], abs=0.2)


class TestKafkaThatIsFull:
    def test_holds_both_lanes_until_it_has_room(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.kafka.queued = 100_001
            bench.put(r.status("A"))
            bench.put(r.order(1, "A"))
            await bench.at(30)
            assert bench.city.calls == []
            bench.kafka.queued = 0
            await bench.at(30.2)
            assert len(bench.done) == 2

        deliver(scenario)

    def test_everything_leaves_when_it_has_room_again(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.kafka.queued = 100_001
            for number in range(100):
                bench.put(r.status(f"C{number}"))
            await bench.at(5)
            bench.kafka.queued = 0

        bench = deliver(scenario, slowly)
        assert bench.city.most_at_once == c.BEIJING.limits.states_in_flight


class TestEnding:
    def test_drain_of_nothing(self) -> None:
        async def scenario(bench: Bench) -> None:
            await bench.lanes.drain(10)
            assert now_s() == 0

        deliver(scenario)

    def test_what_is_in_flight_ends_and_nothing_else_begins(self) -> None:
        async def scenario(bench: Bench) -> None:
            for number in range(100):
                bench.put(r.status(f"C{number}"))
                bench.put(r.order(number, "A", charge_model=1))
            await bench.at(1.5)
            await bench.lanes.drain(10)
            assert now_s() == pytest.approx(2)
            assert bench.lanes.held == 200 - len(bench.done)

        bench = deliver(scenario, slowly, whole=False)
        assert len(bench.city.pushes) == 48
        # The orders are to be told to another interface yet, and are not done.
        assert len(bench.done) == 32

    def test_what_waits_for_its_place_does_not_begin(self) -> None:
        async def scenario(bench: Bench) -> None:
            for number in range(10):
                bench.put(r.status(f"C{number}"))
            await bench.at(1.5)
            await bench.lanes.drain(100)

        bench = deliver(scenario, platform=limited(per_second=1), whole=False)
        assert len(bench.city.pushes) == 2

    def test_what_the_breaker_holds_does_not_begin(self) -> None:
        nervous = replace(c.BEIJING, breaker=replace(c.BEIJING.breaker, consecutive=1))

        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.at(4.99)
            await bench.lanes.drain(100)

        bench = deliver(scenario, lambda call: 500 if call.interface == c.STATUS else None, nervous, whole=False)
        assert bench.city.counts[c.STATUS] == 1

    def test_what_hangs_is_cut_off_and_not_called_done(self) -> None:
        async def never(_: c.Call) -> c.Answer:
            await asyncio.sleep(100_000)
            return None

        async def scenario(bench: Bench) -> None:
            for number in range(10):
                bench.put(r.status(f"C{number}"))
            await bench.at(1)
            await bench.lanes.drain(10)
            assert now_s() == pytest.approx(11)
            assert bench.lanes.in_flight == 0
            assert bench.lanes.failure is None

        assert deliver(scenario, never, whole=False).done == []


class TestPartitionsThatGo:
    """A record whose partition went to another process is that process's to deliver."""

    def test_what_waits_is_dropped_and_what_is_on_its_way_ends(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.start(1, "A"), "on its way", place=("t", 0, 1))
            bench.put(r.stop(1, "A"), "waits", place=("t", 0, 2))
            bench.put(r.start(2, "B"), "another's", place=("t", 1, 1))
            await bench.at(1.5)
            bench.lanes.backlogs["orders"].drop(("t", 0))
            await bench.finish()

        bench = deliver(scenario, slowly, whole=False)
        assert sorted(bench.done) == ["another's", "on its way"]
        assert bench.city.counts[c.STOP] == 0

    def test_what_rests_is_not_sent_again(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"), place=("t", 0, 1))
            await bench.at(0.5)
            bench.lanes.backlogs["states"].drop(("t", 0))
            assert bench.lanes.held == 0
            await bench.at(10)

        bench = deliver(scenario, once(500), whole=False)
        assert (bench.done, len(bench.city.pushes)) == ([], 1)

    def test_what_fails_on_its_way_is_not_sent_again(self) -> None:
        """The new owner may have told of a newer state meanwhile."""

        async def script(call: c.Call) -> c.Answer:
            await asyncio.sleep(1)
            return 500 if call.interface == c.STATUS else None

        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"), place=("t", 0, 1))
            await bench.at(1.5)
            bench.lanes.backlogs["states"].drop(("t", 0))
            await bench.at(100)
            assert bench.lanes.held == 0

        bench = deliver(scenario, script, whole=False)
        assert (bench.done, len(bench.city.pushes)) == ([], 1)

    def test_a_partition_that_comes_back_begins_anew(self) -> None:
        async def script(call: c.Call) -> c.Answer:
            await asyncio.sleep(1)
            return 500 if call.interface == c.STATUS and call.at < 2 else None

        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A", 1), "before", place=("t", 0, 1))
            await bench.at(1.5)
            bench.lanes.backlogs["states"].drop(("t", 0))
            bench.put(r.status("A", 1), "again", place=("t", 0, 1))
            await bench.finish()

        bench = deliver(scenario, script, whole=False)
        assert (bench.done, len(bench.city.pushes)) == (["again"], 2)


class TestBugs:
    def test_one_in_a_payload_surfaces(self) -> None:
        def broken(record: object, dialect: object) -> dict[str, object]:
            raise ZeroDivisionError

        async def scenario(bench: Bench) -> None:
            job = bench.put(r.status("A"))
            (interface,) = job.remaining
            job.remaining = (replace_payload(interface, broken),)
            bench.put(r.status("B"))
            await bench.finish()
            assert isinstance(bench.lanes.failure, ZeroDivisionError)

        bench = deliver(scenario, whole=False)
        assert "A" not in bench.done
        assert bench.letters == []

    def test_one_in_a_call_surfaces(self) -> None:
        bench = deliver(
            of(r.order(1, "A")), lambda call: KeyError() if call.interface == c.BONUS else None, whole=False
        )
        assert bench.done == []

    def test_the_first_of_several_is_kept(self) -> None:
        bugs: list[Exception] = [ZeroDivisionError(), KeyError(), ValueError()]

        async def scenario(bench: Bench) -> None:
            for name in "ABC":
                bench.put(r.status(name))
            await bench.at(1)
            assert isinstance(bench.lanes.failure, ZeroDivisionError)
            assert bench.lanes.in_flight == 0

        deliver(
            scenario,
            lambda call: bugs.pop(0) if call.interface == c.STATUS else None,
            limited(states_in_flight=1),
            whole=False,
        )

    def test_a_record_that_the_standard_has_no_room_for_is_none(self, caplog: pytest.LogCaptureFixture) -> None:
        bench = deliver(of(r.unreportable(r.status("A")), r.order(1, "x" * 27, charge_model=1), r.status("B")))
        assert told(bench) == [c.STATUS]
        detail = "ConnectorID: has 27 characters, 26 are allowed"
        assert sorted((letter.reason, letter.detail) for letter in bench.letters) == [
            ("unreportable", f"beijing {interface}: {detail}") for interface in (c.ORDER, c.BONUS, c.STATUS)
        ]
        assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 3


def replace_payload(interface: Interface, payload: object) -> Interface:
    """The interface with another payload."""
    return replace(interface, payload=payload)  # type: ignore[arg-type]
