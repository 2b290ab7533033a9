"""`evcs replay` against a real broker, with the real worker."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient

from infra.commands.replay import command
from infra.errors import ClusterProblem, OperatorError
from infra.local.broker import LocalKafka
from infra.local.ports import free_port
from infra.local.process import birth_of
from infra.replay import run
from infra.replay.errors import BadSessionFile
from tests.infra.commands.processes import children_of, evcs, seconds_until_told
from tests.infra.replay.rows import ACN, charge_row, row, text_of
from tests.whole.topics import until

#: What a replay says of its sessions when nothing is wrong with any of them.
CLEAN: dict[str, object] = {
    "missing": [],
    "energy_mismatch": [],
    "time_mismatch": [],
    "progress_mismatch": [],
    "duplicates": [],
    "unexpected": [],
    "flags": {},
    "anomalies": {},
    "dead_letters": {},
}

#: What the shipped slice has none of: no energy, no duration, overlapping, unplugged early, plugged late, to the ms.
ODD_ROWS = (
    charge_row("none", "10:00:00", "10:10:00", "0"),
    charge_row("no-duration", "10:10:00", "10:10:00", "0"),
    charge_row("at-once", "10:10:00", "10:20:00", "0.004"),
    charge_row("overlapping", "10:15:00", "11:00:00", "5.555"),
    charge_row("unplugged-early", "12:00:00", "12:30:00", unplugged_at="2018-10-08T12:20:00Z"),
    charge_row("plugged-late", "13:00:00", "13:30:00", plugged_in_at="2018-10-08T13:10:00Z"),
    charge_row("waiting", "14:00:00", "14:30:07.123", plugged_in_at="2018-10-08T13:45:00Z"),
)


def replay(*arguments: str) -> dict[str, Any]:
    """Runs the command; its exit status must be that of a replay that agrees."""
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return told


def topics_on(broker: LocalKafka) -> set[str]:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    return {name for name in admin.list_topics(timeout=10).topics if name.startswith("replay-")}


@pytest.fixture(autouse=True)
def home(clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where this test's replays keep what they have to tell each other."""
    clean_environment.setenv("EVCS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.kafka
def test_twenty_sessions_come_out_as_they_went_in(
    broker: LocalKafka, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", broker.bootstrap)
    columns = (0, 1, 2, 3, 4, 5, 6, 7)
    real = [",".join(line.split(",")[c] for c in columns) for line in ACN.read_text().splitlines()[1:14]]
    file = tmp_path / "sessions.csv"
    file.write_text(text_of(*real, *ODD_ROWS, row(session="behind-the-limit")), encoding="utf-8")
    told = replay(str(file), "--sample-interval", "50", "--limit", "20")
    assert (told["sessions"], told["orders"]) == (20, 20)
    # A charge without duration has no sample before its end.
    assert {name: told[name] for name in CLEAN} == {**CLEAN, "flags": {"no_telemetry": 1}}
    assert (told["progress"]["STARTED"], told["progress"]["STOPPED"]) == (20, 20)
    assert told["events"] == 40
    assert not topics_on(broker)


@pytest.mark.kafka
def test_a_worker_that_dies_is_told_with_the_end_of_its_log_and_leaves_no_topic(
    broker: LocalKafka, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", broker.bootstrap)
    clean_environment.setattr(run, "worker_environment", lambda *_: {"EVCS_STREAMS_CLOCK": "sun"})
    with pytest.raises(OperatorError, match=r"streams worker 1 ended with status 1[\s\S]*EVCS_STREAMS_CLOCK is 'sun'"):
        replay(str(ACN), "--limit", "1")
    assert not topics_on(broker)


@pytest.mark.kafka
def test_a_replay_that_is_killed_takes_its_worker_along_and_the_next_one_deletes_its_topics(
    broker: LocalKafka, clean_environment: pytest.MonkeyPatch, home: Path
) -> None:
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", broker.bootstrap)
    where = {"EVCS_KAFKA_BOOTSTRAP": broker.bootstrap, "EVCS_HOME": str(home)}
    killed = evcs("replay", str(ACN), "--limit", "1", **where)
    try:
        seconds_until_told(killed, "wrote ")
        until(lambda: children_of(killed.pid), "the worker is started")
        (worker,) = children_of(killed.pid)
    finally:
        killed.kill()
        killed.communicate()
    until(lambda: birth_of(worker) is None, "the worker is gone")
    left = topics_on(broker)
    assert left
    replay(str(ACN), "--limit", "1")
    until(lambda: not topics_on(broker), "no topic is left")
    assert list((home / "runs").iterdir()) == []


def test_without_a_broker_it_says_how_to_start_one(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    with pytest.raises(ClusterProblem, match="evcs local up"):
        replay(str(ACN), "--limit", "1")


def test_a_bad_file_is_told_before_anything_is_sent(clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "sessions.csv"
    file.write_text(text_of(row(energy_kwh="much")), encoding="utf-8")
    with pytest.raises(BadSessionFile, match="line 2, column energy_kwh"):
        replay(str(file))


def test_samples_must_meet_the_pushes() -> None:
    result = CliRunner().invoke(command, [str(ACN), "--sample-interval", "7"])
    assert result.exit_code == 2
    assert "use 1, 2, 5, 10, 25, 50" in result.output
