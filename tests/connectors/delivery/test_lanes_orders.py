"""Orders on their ladder: which rung, with which parcel, for which interface, and until when."""

from dataclasses import replace

import pytest

from connectors.delivery.parcel import Parcel, parcel
from connectors.platform import load_platforms
from schemas.records.derived import Order
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.bench import Bench, deliver, of, once
from tests.connectors.delivery.city import sealed

HOUR_S = 3_600
BOTH = r.order(1, "A", charge_model=1)


async def climb(bench: Bench, order: Order, failures: int) -> None:
    """Puts an order, and puts it again whenever it is due, as the retry scheduler does, until it is taken or has failed
    so often."""
    bench.put(order)
    recorded_at = bench.now_ms()
    for number in range(failures):
        await bench.finish()
        if len(bench.rungs) == number:
            return
        rung = bench.rungs[-1]
        await bench.at((rung.parcel.due_at - c.NOW_MS) / 1000)
        bench.put(rung.order, onwards=replace(rung.parcel, due_at=0, platform=""), recorded_at=recorded_at)


def test_beijings_ladder() -> None:
    async def scenario(bench: Bench) -> None:
        await climb(bench, r.order(1, "A"), 9)

    bench = deliver(scenario, once(500, times=9))
    assert [rung.delay_s for rung in bench.rungs] == [150, 300, 600, 900, 1800, 3600, 3600, 3600, 3600]
    assert [rung.parcel.failures for rung in bench.rungs] == list(range(1, 10))
    assert [attempt.attempt for attempt in bench.attempts] == list(range(1, 11))
    gaps = [b.at - a.at for a, b in zip(bench.city.pushes, bench.city.pushes[1:], strict=False)]
    assert gaps == pytest.approx([rung.delay_s for rung in bench.rungs], abs=0.1)
    assert bench.letters == []


def test_chengdus_ladder() -> None:
    chengdu = replace(load_platforms().platforms["chengdu"], addresses=c.BEIJING.addresses)

    async def scenario(bench: Bench) -> None:
        await climb(bench, r.order(1, "A"), 10)

    bench = deliver(scenario, once(500, times=10), chengdu)
    assert [rung.delay_s for rung in bench.rungs] == [15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600, 3600]
    assert {rung.parcel.platform for rung in bench.rungs} == {"chengdu"}


def test_an_interface_may_have_a_ladder_of_its_own() -> None:
    policies = dict(c.BEIJING.interfaces)
    policies[c.BONUS] = replace(policies[c.BONUS], ladder_s=(7, 70))
    bench = deliver(
        of(BOTH),
        lambda call: None if call.interface == c.TOKEN else 500,
        replace(c.BEIJING, interfaces=policies),
    )
    assert [(rung.parcel.interface, rung.delay_s) for rung in bench.rungs] == [(c.ORDER, 150), (c.BONUS, 7)]


def test_what_a_rung_holds() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at(4.25)
        bench.put(r.order(1, "A"), recorded_at=c.NOW_MS - 9, onwards=Parcel(c.BONUS, 2, forced=True))

    bench = deliver(scenario, once(500))
    (rung,) = bench.rungs
    assert rung.order == r.order(1, "A")
    assert (rung.key, rung.recorded_at) == (b"A", c.NOW_MS - 9)
    assert rung.parcel == Parcel(c.BONUS, 3, c.NOW_MS + 4_250 + 600_000, "beijing", forced=True)
    (message,) = (m for m in bench.kafka.messages if m.name == "t-delivery-retry-600s")
    assert message.headers is not None
    assert dict(message.headers) == {
        "interface": c.BONUS,
        "failures": "3",
        "due_at": str(rung.parcel.due_at),
        "platform": "beijing",
        "forced": "1",
    }
    assert parcel(message.headers) == rung.parcel


class TestTwoInterfaces:
    @pytest.mark.parametrize(("failing", "taking"), [(c.ORDER, c.BONUS), (c.BONUS, c.ORDER)])
    def test_only_the_one_that_did_not_take_it_climbs(self, failing: str, taking: str) -> None:
        async def scenario(bench: Bench) -> None:
            await climb(bench, BOTH, 3)

        bench = deliver(scenario, once(500, failing, times=3))
        assert bench.city.counts == {c.TOKEN: 1, failing: 4, taking: 1}
        assert {rung.parcel.interface for rung in bench.rungs} == {failing}
        assert bench.lanes.tally.confirmed == {failing: 1, taking: 1}

    def test_each_climbs_for_itself(self) -> None:
        bench = deliver(of(BOTH), lambda call: None if call.interface == c.TOKEN else 500)
        assert [rung.parcel for rung in bench.rungs] == [
            Parcel(interface, 1, c.NOW_MS + 150_000, "beijing") for interface in (c.ORDER, c.BONUS)
        ]

    def test_the_parcel_may_name_one(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(BOTH, onwards=Parcel(c.BONUS))

        assert deliver(scenario).city.counts == {c.TOKEN: 1, c.BONUS: 1}


class TestGivingUp:
    SHORT = replace(c.BEIJING, retry=replace(c.BEIJING.retry, give_up_s=HOUR_S))

    @pytest.mark.parametrize(("age_s", "outcome"), [(HOUR_S, "LADDER"), (HOUR_S + 1, "DEAD_LETTER")])
    def test_by_age(self, age_s: int, outcome: str) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "A"), recorded_at=c.NOW_MS - age_s * 1000, onwards=Parcel(c.BONUS, 7))

        bench = deliver(scenario, once(500), self.SHORT)
        assert bench.outcomes == [outcome]
        if outcome == "DEAD_LETTER":
            (letter,) = bench.letters
            assert letter.reason == "too_old"
            assert letter.detail == f"beijing {c.BONUS}: not taken within 3600 s: HTTP 500"
            (message,) = bench.kafka.on("t-delivery-beijing-orders-dlq")
            assert message.headers == [("interface", c.BONUS), ("failures", "7")]

    def test_one_that_is_taken_is_never_too_old(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "A"), recorded_at=0)

        assert deliver(scenario, platform=self.SHORT).outcomes == ["DONE"]

    def test_zero_is_never(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "A"), recorded_at=0, onwards=Parcel(c.BONUS, 10_000))

        bench = deliver(scenario, once(500))
        assert [rung.delay_s for rung in bench.rungs] == [3600]


class TestCopies:
    """What the platform has taken costs no second push."""

    def test_are_skipped(self) -> None:
        bench = deliver(of(BOTH, BOTH, BOTH))
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 1, c.BONUS: 1}
        assert bench.outcomes == ["DONE", "DONE"]

    def test_of_the_interface_that_has_taken_it_only(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(BOTH)
            await bench.finish()
            bench.put(BOTH)

        bench = deliver(scenario, once(500, c.ORDER))
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 2, c.BONUS: 1}

    def test_are_sent_when_forced(self) -> None:
        async def scenario(bench: Bench) -> None:
            bench.put(BOTH)
            bench.put(BOTH, onwards=Parcel(forced=True))

        assert deliver(scenario).city.counts == {c.TOKEN: 1, c.ORDER: 2, c.BONUS: 2}

    def test_another_bill_of_the_same_charge_is_no_copy(self) -> None:
        bench = deliver(of(BOTH, replace(BOTH, stop_reason=1)))
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 2, c.BONUS: 2}

    def test_the_same_result_of_another_kind_is_no_copy(self) -> None:
        assert deliver(of(r.stop(1, "A"), r.stop(1, "A"))).city.counts[c.STOP] == 2

    def test_what_was_given_up_is_not_taken(self) -> None:
        bench = deliver(of(BOTH, BOTH), once(sealed(None, 4004), c.ORDER))
        assert bench.city.counts == {c.TOKEN: 1, c.ORDER: 2, c.BONUS: 1}

    def test_one_in_the_place_of_a_probe_leaves_the_probe_to_others(self) -> None:
        # The lanes look every 50 ms: that of the copy 20 ms before the other.
        nervous = replace(
            c.BEIJING,
            breaker=replace(c.BEIJING.breaker, consecutive=1),
            retry=replace(c.BEIJING.retry, in_place_s=(1.03,)),
        )

        async def scenario(bench: Bench) -> None:
            bench.put(r.order(1, "A"))
            await bench.finish()
            bench.city.script = once(500)
            bench.put(r.status("A"))
            await bench.at(1.01)
            bench.put(r.order(1, "A"), "copy")
            await bench.at(5.2)
            assert bench.done == [r.seq(1), "copy", "A"]

        deliver(scenario, platform=nervous)
