"""Whatever comes in whatever order, and whatever the platform answers: nothing is lost, nothing old is told after
something new, and a charge is told in its order."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.policies import BreakerPolicy
from schemas.records.derived import Derived, ProgressKind
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.bench import Bench, deliver
from tests.connectors.delivery.city import OTHERS, sealed, unsigned

#: All that a platform may answer but 4004 and the like, which give a record up: a Ret, no answer, or the good one.
ANSWERS: dict[str, c.Answer] = {
    "good": None,
    "busy": sealed(None, -1),
    "token": sealed(None, 4002),
    "not admitted": sealed(None, 4001),
    "unsigned 4004": unsigned(sealed(None, 4004)),
    "another's": sealed({"Status": 0, "SuccStat": 0, "ConfirmResult": 0}, by=OTHERS),
    "refused": sealed({"Status": 7, "SuccStat": 1, "ConfirmResult": 50}),
    "HTTP 500": 500,
}
CITY = replace(
    c.BEIJING,
    breaker=BreakerPolicy(consecutive=3, probe_first_s=1, probe_max_s=4, paused_probe_s=3),
    retry=replace(c.BEIJING.retry, in_place_s=(0.5, 1, 3), results_attempts=10_000),
    limits=replace(c.BEIJING.limits, states_in_flight=3, orders_in_flight=2),
    confirm_results={50: "retry"},
)
CONNECTORS = ("A", "B", "C")


@dataclass(frozen=True)
class Answered:
    """How long the platform takes for an answer, and which it is."""

    answer: str
    takes_s: float


answered = st.lists(
    st.builds(Answered, st.sampled_from(list(ANSWERS)), st.sampled_from([0.0, 0.1, 0.7, 2.0])), max_size=30
)
pauses = st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.0, 6.0])
steps = st.lists(st.tuples(st.sampled_from(CONNECTORS), pauses), min_size=1, max_size=25)


class Scripted:
    """Answers one call after the other as it is told, the rest well; notes what it accepted, in order."""

    def __init__(self, answers: list[Answered]) -> None:
        self._left = list(reversed(answers))
        self.accepted: list[c.Call] = []
        self._under_way: Counter[object] = Counter()

    async def __call__(self, call: c.Call) -> c.Answer:
        key = call.payload.get("StartChargeSeq", call.connector if call.interface == c.STATUS else None)
        next_one = self._left.pop() if self._left else Answered("good", 0.1)
        answer = ANSWERS[next_one.answer]
        self._under_way[key] += 1
        assert self._under_way[key] == 1, "two calls of one connector, or one charge, at once"
        await asyncio.sleep(next_one.takes_s)
        self._under_way[key] -= 1
        if answer is None and call.interface != c.TOKEN:
            self.accepted.append(call)
        # Only a push may have a business result.
        return sealed(None, -1) if call.interface == c.TOKEN and next_one.answer == "refused" else answer


@settings(max_examples=100)
@given(steps, answered)
def test_the_last_that_the_platform_accepts_of_a_connector_is_the_newest(
    puts: list[tuple[str, float]], answers: list[Answered]
) -> None:
    script = Scripted(answers)

    async def scenario(bench: Bench) -> None:
        for number, (connector, pause_s) in enumerate(puts):
            bench.put(r.status(connector, number), str(number))
            await asyncio.sleep(pause_s)

    bench = deliver(scenario, script, CITY)
    told: dict[str, list[int]] = {}
    for call in script.accepted:
        info = call.payload["ConnectorStatusInfo"]
        assert isinstance(info, dict)
        told.setdefault(call.connector, []).append(info["Status"])
    newest = {connector: number for number, (connector, _) in enumerate(puts)}
    assert {connector: numbers[-1] for connector, numbers in told.items()} == newest
    # In between too: nothing old after something new, though some of it may be passed over.
    assert all(numbers == sorted(numbers) for numbers in told.values())
    assert bench.letters == []
    assert bench.lanes.held == 0


KINDS = ("start", "started", "periodic", "periodic", "stopped", "stop", "order")


def of_charge(number: int, kind: str, energy_wh: int) -> Derived:
    """One record of a charge."""
    connector = CONNECTORS[number]
    match kind:
        case "start":
            return r.start(number, connector)
        case "stop":
            return r.stop(number, connector)
        case "order":
            return r.order(number, connector, charge_model=1)
        case _:
            return r.progress(number, connector, ProgressKind[kind.upper()], energy_wh)


charges = st.lists(st.tuples(st.integers(0, len(CONNECTORS) - 1), pauses), min_size=1, max_size=40)


@settings(max_examples=100)
@given(charges, answered)
def test_a_charge_is_told_in_its_order(turns: list[tuple[int, float]], answers: list[Answered]) -> None:
    """Each turn is the next record of a charge. An order's repetitions come by its ladder, which is not here: that it
    was tried, or put there, is its place in the order."""
    script = Scripted(answers)
    at = Counter[int]()
    put: dict[int, list[str]] = {}

    async def scenario(bench: Bench) -> None:
        for charge, pause_s in turns:
            place = at[charge]
            if place == len(KINDS):
                continue
            at[charge] += 1
            bench.put(of_charge(charge, KINDS[place], place * 1000), f"{charge} {place}")
            put.setdefault(charge, []).append(KINDS[place])
            await asyncio.sleep(pause_s)

    bench = deliver(scenario, script, CITY)
    assert bench.letters == []
    climbing = Counter(rung.order.start_charge_seq for rung in bench.rungs)
    for charge, kinds in put.items():
        calls = [call for call in script.accepted if call.payload["StartChargeSeq"] == r.seq(charge)]
        told = [call.interface for call in calls]
        assert told == sorted(told, key=[c.START, c.PROGRESS, c.STOP, c.ORDER, c.BONUS].index)
        # Results and orders are facts: told exactly once, or on the ladder.
        assert told.count(c.START) == kinds.count("start")
        assert told.count(c.STOP) == kinds.count("stop")
        assert told.count(c.ORDER) + told.count(c.BONUS) + climbing[r.seq(charge)] == 2 * kinds.count("order")
        # Of progress the newest is told in any case, and nothing older after it.
        energies = [float(str(call.payload["TotalPower"])) for call in calls if call.interface == c.PROGRESS]
        assert energies == sorted(energies)
        last = max((place for place, kind in enumerate(kinds) if kind in ("started", "periodic", "stopped")), default=0)
        assert energies[-1:] == ([last] if last else [])
