"""The gateway among everything else: a platform's whole round trip, the broker gone and back, a start that nobody
answers."""

import asyncio
import time
import urllib.request
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from connectors.gateway.views.follower import READY
from infra.demo.round_trip import RoundTrip, run_round_trip
from infra.demo.run import GATEWAY_URL, PLATFORM
from infra.simulator.fleet.behaviour import Behaviour
from infra.simulator.fleet.runner import Fleet
from infra.simulator.fleet.settings import FleetSettings
from infra.simulator.platform.caller import Caller
from infra.simulator.platform.dialect import START_RESULT
from infra.simulator.platform.errors import RefusedCall, Ret
from infra.simulator.platform.ledger import Receipt
from infra.simulator.platform.settings import CallerSettings
from infra.simulator.platform.wire_json import Payload
from schemas.values import ChargeStat, ConnectorStatus
from tests.whole.installation import Installation
from tests.whole.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

CONNECTORS = 40

#: A start's command is obeyed no later than this, s, and given up ten seconds after.
START_VALID_S = 3

ADMIN_URL = r"metrics at (\S+)"


@dataclass(slots=True)
class Run:
    """Everything at work, and where the gateway is."""

    installation: Installation
    fleet: Fleet
    url: str
    admin_url: str

    def ask(self, calls: Coroutine[Any, Any, Payload]) -> Payload:
        """The answer to a call."""
        return asyncio.run(calls)

    def caller(self) -> Caller:
        """A platform that calls; of one event loop."""
        return Caller(CallerSettings(f"{self.url}/evcs/20160701"))

    def age_s(self) -> float:
        """The age of the gateway's views, as its metrics have it."""
        with urllib.request.urlopen(f"{self.admin_url}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line for line in lines if line.startswith("evcs_gateway_view_age_seconds ")).split()[1])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("whole")
    settings = {"EVCS_PLATFORMS": str(profiles(home / "profiles")), "EVCS_STREAMS_BILL_WAIT_MS": "5000"}
    with Installation(home, settings) as installation:
        behaviour = Behaviour(duty=0.2, mean_charge_s=60, offline_share=0)
        fleet_settings = FleetSettings(
            connectors=CONNECTORS, sample_interval_s=2.0, behaviour=behaviour, cluster=installation.cluster
        )
        installation.publish_catalog(fleet_settings)
        installation.start_services()
        gateway = installation.start("gateway")
        gateway.await_log(READY)
        fleet = Fleet(replace(fleet_settings, publish_catalog=False))
        fleet.start()
        running = Run(installation, fleet, gateway.logged(GATEWAY_URL), gateway.logged(ADMIN_URL))
        until(lambda: asyncio.run(free_connectors(running.caller())), "the first connectors are heard of")
        try:
            yield running
        finally:
            fleet.stop()


def profiles(folder: Path) -> Path:
    """Beijing's profile, with a start that is worth nothing after seconds."""
    folder.mkdir()
    profile = (files("connectors.platforms") / f"{PLATFORM}.toml").read_text(encoding="utf-8")
    assert "start_valid_s = 30" in profile
    changed = profile.replace("start_valid_s = 30", f"start_valid_s = {START_VALID_S}")
    (folder / f"{PLATFORM}.toml").write_text(changed, encoding="utf-8")
    return folder


async def free_connectors(caller: Caller) -> list[str]:
    """The connectors at which nobody is; lets go of the caller."""
    async with caller:
        stations = [station["StationID"] for station in await caller.all_stations()]
        answer = await caller.statuses(stations)
    infos = [info for station in answer["StationStatusInfos"] for info in station["ConnectorStatusInfos"]]
    return [info["ConnectorID"] for info in infos if info["Status"] == ConnectorStatus.IDLE]


def test_a_platform_goes_once_around(run: Run) -> None:
    seen = RoundTrip()
    run_round_trip(run.caller(), run.installation.city.ledger, seen, has_warehouse=False)
    assert (seen.failure, seen.step) == ("", "done")
    assert seen.connectors == CONNECTORS
    assert seen.stop_result_s is not None and seen.stop_result_s < 50
    assert not run.installation.city.ledger.violations


def test_without_kafka_reads_go_on_and_starts_are_refused_until_it_is_back(run: Run) -> None:
    async def while_it_is_away() -> None:
        connector_id, *_ = await free_connectors(run.caller())
        async with run.caller() as caller:
            with pytest.raises(RefusedCall) as refused:
                await caller.start(connector_id)
            assert refused.value.ret == Ret.BUSY

    run.installation.kill("broker")
    began = time.monotonic()
    asyncio.run(while_it_is_away())
    until(lambda: run.age_s() > 3, "the views' age shows that they may have missed something")
    assert run.age_s() <= time.monotonic() - began + 2
    run.installation.restart("broker")
    until(lambda: run.age_s() < 2, "the views are fresh again")

    until(lambda: started(run), "a start is taken again")


def started(run: Run) -> str:
    """The StartChargeSeq of a start that was taken by the first connector that takes one, "" if none does."""

    async def start() -> str:
        connector_ids = await free_connectors(run.caller())
        async with run.caller() as caller:
            for connector_id in connector_ids:
                answer = await caller.start(connector_id)
                if answer["SuccStat"] == 0:
                    return str(answer["StartChargeSeq"])
        return ""

    try:
        return asyncio.run(start())
    except RefusedCall as refused:
        assert refused.ret == Ret.BUSY
        return ""


def test_a_start_that_no_charger_answers_ends_as_a_failed_start_result(run: Run) -> None:
    run.fleet.stop()

    seq = started(run)
    assert seq
    ledger = run.installation.city.ledger

    def result() -> Receipt | None:
        results = (r for r in ledger.receipts.copy() if r.interface == START_RESULT)
        return next((r for r in results if r.payload["StartChargeSeq"] == seq), None)

    until(result, "its start result")
    receipt = result()
    assert receipt is not None
    assert receipt.payload["StartChargeSeqStat"] == ChargeStat.ENDED

    async def status() -> Payload:
        async with run.caller() as caller:
            return await caller.charge_status(seq)

    until(lambda: asyncio.run(status())["StartChargeSeqStat"] == ChargeStat.ENDED, "its status is that of the push")
