"""`evcs bench gateway`: calls/s beside an empty endpoint on the same server, latencies of all interfaces at a steady
rate, long pages, and what it takes until a gateway is ready."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from infra.bench.gateway_calls import LONG_PAGE_SIZE, Call
from infra.bench.gateway_load import Load, caller, exchange, load
from infra.bench.gateway_stand import Gateway, Stand, Tell, made_stand
from infra.bench.live_flow import flowing, send_samples
from schemas.cluster import KafkaCluster

MEASURED = "query_equip_charge_status"
PAGED = "query_stations_info"

#: Long pages that are read one after the other.
_PAGES_READ = 3

#: In a round gateway and limit take turns so often: on a machine that does other things as well, the two halves of a
#: comparison must lie close together.
_TURNS = 4


@dataclass(frozen=True, slots=True)
class GatewayBenchSettings:
    """`calls` in a round, `in_flight` of them at once; `per_s` mixed ones for `seconds`."""

    connectors: int = 100_000
    calls: int = 20_000
    in_flight: int = 32
    rounds: int = 3
    per_s: float = 500.0
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class _Turns:
    """What one of the two sides did, turn by turn: calls/s, and its event loop's time for a call, µs."""

    per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    generator_busy: list[float] = field(default_factory=list)

    def take(self, stand: Stand, server: Gateway, calls: Sequence[Call], in_flight: int, sealed: bool) -> None:
        """One turn."""
        found = load(stand, server, "closed", calls, str(in_flight), open_answers=sealed)
        self.per_s.append(found.figures["per_s"])
        self.generator_busy.append(found.figures["busy"])
        self.cpu_us.append(found.loop_ran_s * 1e6 / len(calls))


@dataclass(frozen=True, slots=True)
class _Found:
    """What the rounds found, in their order."""

    ours: _Turns = field(default_factory=_Turns)
    limit: _Turns = field(default_factory=_Turns)
    ready_s: list[float] = field(default_factory=list)
    resident_bytes: list[float] = field(default_factory=list)
    page_first_s: list[float] = field(default_factory=list)
    page_again_s: list[float] = field(default_factory=list)


def measure(cluster: KafkaCluster, settings: GatewayBenchSettings, runs: Path, tell: Tell) -> dict[str, object]:
    """All of it in one run, on topics of its own; medians over the rounds. `runs` is `infra.runs`' folder.

    Raises OperatorError when a part fails, or an answer is not the right one.
    """
    found = _Found()
    with made_stand(cluster, settings.connectors, runs, tell) as stand:
        tell("a gateway with nothing to know")
        with stand.gateway(stand.empty) as gateway:
            empty_bytes = gateway.process.resident_bytes()
        for number in range(1, settings.rounds + 1):
            tell(f"round {number} of {settings.rounds}: until ready, long pages, {settings.calls:,} calls")
            with stand.gateway() as gateway:
                _round(stand, gateway, settings, number, found)
        tell(f"{settings.per_s:g} mixed calls a second for {settings.seconds:g} s, then beside long pages")
        with stand.gateway() as gateway:
            steady, beside_pages = _steady(stand, gateway, settings)
    return {
        **_rates(found),
        **_latencies(steady),
        "beside_pages": {**_latencies(beside_pages), "page_s": _pages_told(beside_pages.figures["page_s"])},
        "page_1000_s": {"first": _pages_told(found.page_first_s), "again": _pages_told(found.page_again_s)},
        "ready_s": round(_median(found.ready_s), 2),
        "bytes_per_connector": round((_median(found.resident_bytes) - empty_bytes) / settings.connectors),
        "connectors": settings.connectors,
        "calls": settings.calls,
        "in_flight": settings.in_flight,
        "rounds": settings.rounds,
        "per_s": settings.per_s,
        "seconds": settings.seconds,
        "ours_all": [round(value) for value in found.ours.per_s],
        "limit_all": [round(value) for value in found.limit.per_s],
        "ready_all": [round(value, 1) for value in found.ready_s],
    }


def _round(stand: Stand, gateway: Gateway, settings: GatewayBenchSettings, number: int, found: _Found) -> None:
    """One gateway from its start on."""
    found.ready_s.append(gateway.ready_s)
    found.resident_bytes.append(gateway.process.resident_bytes())
    asker = caller(stand, gateway, number)
    pages = [asker.page(page_no) for page_no in _page_numbers(stand)[:_PAGES_READ]]
    for times in (found.page_first_s, found.page_again_s):
        times += load(stand, gateway, "pages", pages).figures["page_s"]
    send_samples(stand.cluster, stand.fleet)
    with stand.limit(exchange(gateway, asker.call(MEASURED))) as limit:
        for _ in range(_TURNS):
            calls = [asker.call(MEASURED) for _ in range(settings.calls // _TURNS)]
            found.limit.take(stand, limit, calls, settings.in_flight, sealed=False)
            found.ours.take(stand, gateway, calls, settings.in_flight, sealed=True)


def _steady(stand: Stand, gateway: Gateway, settings: GatewayBenchSettings) -> tuple[Load, Load]:
    """All interfaces at a steady rate; then all others beside one who reads long pages."""
    asker = caller(stand, gateway, settings.rounds + 1)
    send_samples(stand.cluster, stand.fleet)
    count, per_s = round(settings.per_s * settings.seconds), str(settings.per_s)
    with flowing(stand.cluster, stand.fleet):
        steady = load(stand, gateway, "open", list(asker.mixed(count)), per_s)
        pages = stand.home / "pages"
        pages.write_bytes(msgspec.msgpack.encode([asker.page(number) for number in _page_numbers(stand)]))
        return steady, load(stand, gateway, "open", list(asker.mixed(count, without=PAGED)), per_s, str(pages))


def _page_numbers(stand: Stand) -> range:
    return range(1, -(-len(stand.fleet.stations) // LONG_PAGE_SIZE) + 1)


def _rates(found: _Found) -> dict[str, object]:
    ours, limit = _median(found.ours.per_s), _median(found.limit.per_s)
    ours_cpu_us, limit_cpu_us = _median(found.ours.cpu_us), _median(found.limit.cpu_us)
    return {
        "ours_per_s": round(ours),
        "limit_per_s": round(limit),
        "share_of_limit": round(ours / limit, 3),
        "ours_cpu_us": round(ours_cpu_us),
        "limit_cpu_us": round(limit_cpu_us),
        "cpu_share_of_limit": round(limit_cpu_us / ours_cpu_us, 3),
        "generator_busy": round(max(*found.ours.generator_busy, *found.limit.generator_busy), 2),
    }


def _latencies(found: Load) -> dict[str, object]:
    figures = found.figures
    return {
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
        "all_p99_ms": figures["all_p99_ms"],
        "sent_late_p99_ms": figures["sent_late_p99_ms"],
        "loop_busy": round(found.loop_ran_s / figures["elapsed_s"], 2),
        "loop_waited": round(found.loop_waited_s / figures["elapsed_s"], 2),
    }


def _pages_told(page_s: Sequence[float]) -> float:
    return round(_median(page_s), 3)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
