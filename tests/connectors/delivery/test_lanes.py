"""Lanes: order within a connector, none between connectors, patience with a platform, and nothing given up
unseen. No test waits: the pauses are recorded, or last until the test ends them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from connectors.delivery.lanes import Job, Lanes
from connectors.delivery.settings import DeliverySettings
from connectors.delivery.tokens import TokenKeeper
from schemas.records.derived import Derived
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.city import CREDENTIALS, City, sealed, unsigned

DONE = "done"


class Pauses:
    """Notes every pause; each takes no time, or lasts until `end` when `held`."""

    def __init__(self, held: bool = False) -> None:
        self.seconds: list[float] = []
        self._over = asyncio.Event()
        if not held:
            self._over.set()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self._over.wait()
        await asyncio.sleep(0)

    def end(self) -> None:
        """Wakes all who pause, and lets none pause again."""
        self._over.set()


class Bench:
    """Lanes over a city, and a note of what became of every job, in order."""

    def __init__(self, city: City, pauses: Pauses, settings: DeliverySettings) -> None:
        self.city = city
        self.pauses = pauses
        self.lanes = Lanes(settings, city.caller(), TokenKeeper(city.caller(), CREDENTIALS, lambda: 0.0), pauses)
        self.fates: list[tuple[str, ...]] = []
        self.unwanted: set[str] = set()

    def put(self, record: Derived, name: str = "") -> None:
        """Queues a record under a name for its fate, by default its connector's."""
        name = name or record.connector_id

        async def give_up(reason: str, detail: str) -> None:
            await asyncio.sleep(0)
            self.fates.append((name, reason, detail))

        self.lanes.put(
            Job(record, 0, lambda: self.fates.append((name, DONE)), give_up, lambda: name not in self.unwanted)
        )

    async def finish(self) -> None:
        """Until all is delivered."""
        assert await self.lanes.drain(120)

    @property
    def done(self) -> list[str]:
        """The names of the jobs that are done, in order."""
        return [name for name, what, *_ in self.fates if what == DONE]


def run(
    scenario: Callable[[Bench], Awaitable[None]],
    script: c.Script | None = None,
    held: bool = False,
    **settings: object,
) -> Bench:
    async def go() -> Bench:
        bench = Bench(City(script), Pauses(held), c.settings(**settings))
        await scenario(bench)
        return bench

    return asyncio.run(go())


async def settle() -> None:
    """Lets every task go as far as it can."""
    for _ in range(200):
        await asyncio.sleep(0)


def once(answer: c.Answer, interface: str = c.STATUS, times: int = 1) -> c.Script:
    """That answer so many times at that interface, the good one afterwards."""
    left = [answer] * times

    def script(call: c.Call) -> c.Answer:
        return left.pop() if call.interface == interface and left else None

    return script


class TestOrder:
    def test_a_charge_is_told_in_its_order(self) -> None:
        async def scenario(bench: Bench) -> None:
            charge: tuple[Derived, ...] = (
                r.status("A"),
                r.start(1, "A"),
                r.progress(1, "A"),
                r.stop(1, "A"),
                r.order(1, "A", 1),
            )
            for number, record in enumerate(charge):
                bench.put(record, str(number))
            assert bench.lanes.pending == 5
            await bench.finish()
            assert bench.lanes.pending == 0

        bench = run(scenario)
        told = [call.interface for call in bench.city.pushes]
        assert told == [c.STATUS, c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS]
        assert bench.done == ["0", "1", "2", "3", "4"]
        assert bench.lanes.confirmed == dict.fromkeys(told, 1)
        assert not bench.lanes.failures

    def test_it_is_kept_while_a_push_is_repeated(self) -> None:
        async def scenario(bench: Bench) -> None:
            for status in (1, 2, 3, 1):
                bench.put(r.status("A", status))
            await bench.finish()

        bench = run(scenario, once(500, times=5))
        told = [call.payload["ConnectorStatusInfo"]["Status"] for call in bench.city.pushes]  # type: ignore[index]
        assert told == [1] * 6 + [2, 3, 1]

    def test_one_call_of_a_connector_at_a_time(self) -> None:
        under_way: set[str] = set()

        async def slowly(call: c.Call) -> c.Answer:
            if call.interface != c.TOKEN:
                assert call.connector not in under_way
                under_way.add(call.connector)
                await settle()
                under_way.remove(call.connector)
            return None

        async def scenario(bench: Bench) -> None:
            for status in range(40):
                bench.put(r.status(f"C{status % 4}", 1))
            await bench.finish()

        assert len(run(scenario, slowly).city.pushes) == 40

    def test_others_go_on_while_one_is_stuck(self) -> None:
        def script(call: c.Call) -> c.Answer:
            return 500 if call.connector == "stuck" and not healed else None

        healed: list[bool] = []

        async def scenario(bench: Bench) -> None:
            for name in ("stuck", "A", "stuck", "B", "A"):
                bench.put(r.status(name))
            await settle()
            assert sorted(bench.done) == ["A", "A", "B"]
            assert bench.lanes.pending == 2
            assert not await bench.lanes.drain(0)
            healed.append(True)
            bench.pauses.end()
            await bench.finish()
            assert bench.done[3:] == ["stuck", "stuck"]

        run(scenario, script, held=True)

    def test_a_connector_that_comes_back_after_its_lane_was_empty(self) -> None:
        async def scenario(bench: Bench) -> None:
            for _ in range(3):
                bench.put(r.status("A"))
                await bench.finish()

        assert run(scenario).done == ["A"] * 3

    def test_thousands_of_connectors(self) -> None:
        async def scenario(bench: Bench) -> None:
            for number in range(3000):
                bench.put(r.status(f"C{number % 1500}"))
            await bench.finish()

        bench = run(scenario)
        assert len(bench.done) == 3000
        assert bench.city.counts[c.TOKEN] == 1


class TestInFlight:
    @pytest.mark.parametrize("bound", [1, 7])
    def test_is_bounded(self, bound: int) -> None:
        async def slowly(_: c.Call) -> c.Answer:
            await settle()
            return None

        async def scenario(bench: Bench) -> None:
            for number in range(50):
                bench.put(r.status(f"C{number}"))
            await bench.finish()

        assert run(scenario, slowly, in_flight=bound).city.most_at_once == bound

    def test_a_pause_holds_no_slot(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("stuck"))
            await settle()
            assert bench.pauses.seconds
            bench.put(r.status("A"))
            await settle()
            assert bench.done == ["A"]
            bench.lanes.cancel()
            assert await bench.lanes.drain(120)

        run(scenario, lambda call: 500 if call.connector == "stuck" else None, held=True, in_flight=1)


RETRIED: list[tuple[str, c.Answer]] = [
    ("busy", sealed(None, -1)),
    ("system error", sealed(None, 500)),
    ("bad signature of ours", sealed(None, 4001)),
    ("bad request", sealed(None, 4003)),
    ("unsigned 4004", unsigned(sealed(None, 4004))),
    ("refused", sealed({"Status": 7})),
    ("garbage", b"garbage"),
    ("signed by another", sealed({"Status": 0}, by=c.OTHERS)),
    ("HTTP 500", 500),
    ("HTTP 429", 429),
    ("time-out", httpx.ReadTimeout("")),
    ("reset", httpx.ReadError("")),
    ("down", httpx.ConnectError("")),
]


class TestRetries:
    @pytest.mark.parametrize(("what", "answer"), RETRIED, ids=[what for what, _ in RETRIED])
    def test_with_growing_pauses_up_to_a_cap(self, what: str, answer: c.Answer) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.finish()

        bench = run(scenario, once(answer, times=8), retry_first_s=1.0, retry_max_s=60.0)
        assert bench.pauses.seconds == [1, 2, 4, 8, 16, 32, 60, 60]
        assert bench.fates == [("A", DONE)]
        assert len(bench.city.pushes) == 9
        assert bench.lanes.failures.total() == 8

    def test_every_record_begins_with_the_shortest(self) -> None:
        bad = [500, 500, None, 500, 500, None]

        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            bench.put(r.status("A"))
            await bench.finish()

        bench = run(scenario, lambda call: bad.pop(0) if call.interface == c.STATUS else None)
        assert bench.pauses.seconds == [1, 2, 1, 2]

    def test_what_was_confirmed_is_not_sent_again(self) -> None:
        """Of an order that goes to two interfaces, only the one that failed is repeated."""

        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "A", 1))
            await bench.finish()

        bench = run(scenario, once(500, c.BONUS, times=3))
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 1, c.BONUS: 4}

    def test_a_platform_that_grants_no_token(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.finish()

        bench = run(scenario, once(sealed({"SuccStat": 1, "FailReason": 2}), c.TOKEN, times=3))
        assert bench.pauses.seconds == [1, 2, 4]
        assert bench.city.counts == {c.TOKEN: 4, c.STATUS: 1}

    def test_no_token_is_asked_once_for_all_who_wait(self) -> None:
        async def refused(call: c.Call) -> c.Answer:
            await settle()
            return sealed({"SuccStat": 1, "FailReason": 2})

        async def scenario(bench: Bench) -> None:
            for number in range(30):
                bench.put(r.status(f"C{number}"))
            for _ in range(10):
                await settle()
            assert len(bench.pauses.seconds) == 30
            assert bench.city.counts[c.TOKEN] == 1
            bench.city.script = None
            bench.pauses.end()
            await bench.finish()
            assert bench.city.counts[c.TOKEN] == 2

        assert len(run(scenario, refused, held=True, in_flight=32).done) == 30

    @pytest.mark.parametrize(
        ("answer", "level"),
        [
            (sealed(None, -1), "WARNING"),
            (500, "WARNING"),
            (sealed(None, 4001), "ERROR"),
            (sealed(None, 4003), "ERROR"),
        ],
    )
    def test_faults_of_ours_are_told_to_people(
        self, answer: c.Answer, level: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.finish()

        run(scenario, once(answer))
        assert [record.levelname for record in caplog.records if "again in" in record.message] == [level]
        assert c.SECRET not in caplog.text


class TestRet4002:
    def test_renewed_and_resent_at_once(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.finish()

        bench = run(scenario, once(sealed(None, 4002)))
        assert [(call.interface, call.authorization) for call in bench.city.calls] == [
            (c.TOKEN, None),
            (c.STATUS, "Bearer token-1"),
            (c.TOKEN, None),
            (c.STATUS, "Bearer token-2"),
        ]
        assert bench.pauses.seconds == []
        assert bench.fates == [("A", DONE)]

    def test_twice_is_a_pause_and_an_alert(self, caplog: pytest.LogCaptureFixture) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.finish()

        bench = run(scenario, once(sealed(None, 4002), times=5))
        assert bench.pauses.seconds == [1, 2]
        assert bench.city.counts == {c.TOKEN: 6, c.STATUS: 6}
        assert [record.levelname for record in caplog.records if "again in" in record.message] == ["ERROR"] * 2

    def test_a_token_that_ends_under_many_pushes_is_fetched_once(self) -> None:
        ended = {"Bearer token-1"}

        async def script(call: c.Call) -> c.Answer:
            await settle()
            return sealed(None, 4002) if call.authorization in ended else None

        async def scenario(bench: Bench) -> None:
            for number in range(50):
                bench.put(r.status(f"C{number}"))
            await bench.finish()

        bench = run(scenario, script, in_flight=50)
        assert bench.city.counts == {c.TOKEN: 2, c.STATUS: 100}
        assert bench.pauses.seconds == []
        assert len(bench.done) == 50


class TestGivingUp:
    def test_4004_is_dead_lettered_before_it_is_done_and_the_lane_goes_on(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"), "bad")
            bench.put(r.status("A", 2), "good")
            await bench.finish()

        bench = run(scenario, once(sealed(None, 4004, "Status: what")))
        detail = "beijing notification_stationStatus: 请求的业务参数不合法: Status: what"
        assert bench.fates == [("bad", "rejected_by_platform", detail), ("bad", DONE), ("good", DONE)]
        assert bench.pauses.seconds == []
        assert bench.lanes.confirmed == {c.STATUS: 1}

    def test_4004_of_one_interface_and_the_next_goes_on(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "A", 1))
            await bench.finish()

        bench = run(scenario, once(sealed(None, 4004), c.ORDER))
        assert [what for _, what, *_ in bench.fates] == ["rejected_by_platform", DONE]
        assert c.ORDER in bench.fates[0][2]
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 1, c.BONUS: 1}

    def test_what_the_standard_has_no_room_for(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.unreportable(r.status("A")), "bad")
            await bench.finish()

        bench = run(scenario)
        detail = "beijing notification_stationStatus: ConnectorID: has 27 characters, 26 are allowed"
        assert bench.fates == [("bad", "unreportable", detail), ("bad", DONE)]
        assert bench.city.calls == []

    def test_an_order_without_room_is_dead_lettered_for_each_interface(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "x" * 27, 1), "bad")
            await bench.finish()

        fates = run(scenario).fates
        assert [what for _, what, *_ in fates] == ["unreportable", "unreportable", DONE]
        assert c.ORDER + ":" in fates[0][2]
        assert c.BONUS + ":" in fates[1][2]

    def test_a_record_that_the_profile_tells_nobody_of_is_done(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.finish()

        off = {name: policy for name, policy in c.BEIJING.interfaces.items() if name != c.STATUS}
        bench = run(scenario, platform=replace(c.BEIJING, interfaces=off))
        assert bench.fates == [("A", DONE)]
        assert bench.city.calls == []


class TestBusinessResults:
    @pytest.mark.parametrize(("code", "verdict"), [(1, "DISPUTED"), (7, "CUSTOM")])
    def test_a_contested_order_is_for_people_and_not_sent_again(
        self, code: int, verdict: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "A"))
            await bench.finish()

        bench = run(scenario, once(sealed({"ConfirmResult": code}), c.BONUS))
        assert bench.city.counts[c.BONUS] == 1
        assert bench.fates == [("A", DONE)]
        assert bench.lanes.failures == {verdict: 1}
        (told,) = (record for record in caplog.records if "contests" in record.message)
        assert told.levelno == logging.ERROR
        assert f"{r.seq(1)} (code {code})" in told.message

    def test_a_status_that_the_platform_ignores_is_done(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await bench.finish()

        bench = run(scenario, once(sealed({"Status": 1})))
        assert bench.city.counts[c.STATUS] == 1
        assert bench.fates == [("A", DONE)]

    @pytest.mark.parametrize("record", [r.start(1, "A"), r.progress(1, "A"), r.stop(1, "A")])
    def test_what_was_not_received_is_sent_again(self, record: Derived) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(record)
            await bench.finish()

        (interface,) = (i.name for i in c.BEIJING.pushes(record))
        bench = run(scenario, once(sealed({"SuccStat": 1, "FailReason": 1}), interface, times=2))
        assert bench.city.counts[interface] == 3
        assert bench.pauses.seconds == [1, 2]


class TestUnwanted:
    """A record whose partition went to another process is that process's to deliver."""

    def test_what_waits_is_dropped(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A", 1), "old")
            bench.put(r.status("A", 2), "gone")
            bench.put(r.status("A", 3), "kept")
            bench.unwanted.add("gone")
            await bench.finish()
            assert bench.lanes.pending == 0

        bench = run(scenario)
        assert bench.done == ["old", "kept"]
        assert bench.city.counts[c.STATUS] == 2

    def test_what_is_repeated_is_dropped_after_its_pause(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("A"))
            await settle()
            bench.unwanted.add("A")
            bench.pauses.end()
            await bench.finish()

        bench = run(scenario, lambda call: 500 if call.interface == c.STATUS else None, held=True)
        assert bench.fates == []
        assert bench.city.counts[c.STATUS] == 1

    def test_the_second_interface_of_an_order_is_left_out(self) -> None:
        async def scenario(bench: Bench) -> None:
            def script(call: c.Call) -> c.Answer:
                if call.interface == c.ORDER:
                    bench.unwanted.add("A")
                return None

            bench.city.script = script
            bench.put(r.order(1, "A", 1))
            await bench.finish()

        bench = run(scenario)
        assert bench.fates == []
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 1}


class TestEnding:
    def test_drain_of_nothing(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert await bench.lanes.drain(0)

        run(scenario)

    def test_drain_waits_for_what_is_in_flight(self) -> None:
        async def slowly(_: c.Call) -> c.Answer:
            await settle()
            return None

        async def scenario(bench: Bench) -> None:
            for number in range(20):
                bench.put(r.status(f"C{number % 5}"))
            assert await bench.lanes.drain(120)
            assert len(bench.done) == 20

        run(scenario, slowly)

    def test_cancel_drops_what_is_left_without_calling_it_done(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("stuck"))
            bench.put(r.status("stuck"))
            bench.put(r.status("A"))
            await settle()
            assert not await bench.lanes.drain(0)
            bench.lanes.cancel()
            assert await bench.lanes.drain(120)
            assert bench.fates == [("A", DONE)]
            assert bench.lanes.failure is None

        run(scenario, lambda call: 500 if call.connector == "stuck" else None, held=True)

    def test_cancel_in_the_middle_of_a_call(self) -> None:
        async def never(_: c.Call) -> c.Answer:
            await asyncio.Event().wait()
            return None

        async def scenario(bench: Bench) -> None:
            for number in range(10):
                bench.put(r.status(f"C{number}"))
            await settle()
            bench.lanes.cancel()
            assert await bench.lanes.drain(120)
            assert bench.fates == []
            assert bench.lanes.failure is None

        run(scenario, never)


class TestBugs:
    def test_one_in_a_call_surfaces(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.status("bug"))
            bench.put(r.status("A"))
            await bench.finish()
            assert isinstance(bench.lanes.failure, ZeroDivisionError)
            assert bench.done == ["A"]

        run(scenario, lambda call: ZeroDivisionError() if call.connector == "bug" else None)

    def test_one_in_giving_up_surfaces_and_the_record_is_not_done(self) -> None:
        async def scenario(bench: Bench) -> None:
            async def give_up(reason: str, detail: str) -> None:
                raise OSError("no disk")

            bench.lanes.put(Job(r.status("A"), 0, lambda: bench.fates.append(("A", DONE)), give_up))
            await bench.finish()
            assert isinstance(bench.lanes.failure, OSError)
            assert bench.fates == []

        run(scenario, once(sealed(None, 4004)))

    def test_the_first_of_several_is_kept(self) -> None:
        bugs: list[Exception] = [ZeroDivisionError(), KeyError(), ValueError()]

        async def scenario(bench: Bench) -> None:
            for name in "ABC":
                bench.put(r.status(name))
            await bench.finish()
            assert isinstance(bench.lanes.failure, ZeroDivisionError)

        run(scenario, lambda call: bugs.pop(0) if call.interface == c.STATUS else None, in_flight=1)
