"""`evcs topics`: make, check and show; and what it says without a broker."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.commands.topics import command
from infra.errors import OperatorError
from infra.local.ports import free_port
from infra.topic_admin import declared_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.infra.commands.processes import evcs
from tests.whole.topics import PATIENCE_S, until


@pytest.fixture
def at(kafka: KafkaCluster, clean_environment: pytest.MonkeyPatch) -> KafkaCluster:
    """The environment names this cluster."""
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", kafka.bootstrap)
    clean_environment.setenv("EVCS_TOPIC_PREFIX", kafka.topic_prefix)
    return kafka


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.mark.kafka
def test_create_and_verify(at: KafkaCluster) -> None:
    declared, static = declared_topics(), len(all_topics())
    count = len(declared)
    first = run("create")
    assert first.exit_code == 0
    assert first.stdout.splitlines()[-1] == f"{count - static} made, {static} were there"
    verified = run("verify")
    assert (verified.exit_code, verified.stdout, verified.stderr) == (0, f"all {count} topics are as declared\n", "")
    again = run("create")
    assert (again.exit_code, again.stdout) == (0, f"0 made, {count} were there\n")

    delete_topics(at)
    until(lambda: len(run("verify").stdout.splitlines()) >= count, "all topics are gone")
    missing = run("verify")
    assert missing.exit_code == 1
    assert f"{at.topic('charge-orders')} is missing: run `evcs topics create`" in missing.stdout

    made = run("create", "--replication", "3")
    assert made.exit_code == 0
    assert made.stdout.splitlines() == [
        *(f"made {name}" for name in sorted(at.topic(topic.name) for topic in declared)),
        f"{count} made, 0 were there",
    ]
    assert run("verify").exit_code == 0


@pytest.mark.kafka
def test_of_one_platform(at: KafkaCluster) -> None:
    more = len(declared_topics(["beijing"])) - len(all_topics())
    made = run("create", "--platform", "beijing")
    assert made.stdout.splitlines()[-1] == f"{more} made, {len(all_topics())} were there"
    assert "chengdu" not in made.stdout
    assert run("verify", "--platform", "beijing").exit_code == 0
    others = run("verify")
    assert others.exit_code == 1
    assert f"{at.topic('delivery-chengdu-orders')} is missing: run `evcs topics create`" in others.stdout


def test_a_platform_that_there_is_not() -> None:
    with pytest.raises(OperatorError, match="no platform 'atlantis'"):
        run("create", "--platform", "atlantis")


def test_a_bad_profile_is_told_and_its_topics_left_out(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> None:
    (tmp_path / "atlantis.toml").write_text("title =")
    clean_environment.setenv("EVCS_PLATFORMS", str(tmp_path))
    shown = run("list")
    assert shown.exit_code == 0
    assert shown.stderr.startswith("warning: atlantis.toml: Invalid value")
    assert "delivery-beijing-orders" in shown.stdout
    assert run("list", "--platform", "beijing").stderr == ""


def test_list() -> None:
    lines = run("list").stdout.splitlines()
    assert len(lines) == len(declared_topics())
    for line, topic in zip(lines, declared_topics(), strict=True):
        assert line.startswith(f"{topic.name} ")
        assert f"{topic.partitions} partitions" in line
        assert line.endswith(topic.why)


def test_less_than_one_replica_is_no_replication() -> None:
    result = run("create", "--replication", "0")
    assert result.exit_code == 2
    assert "--replication" in result.stderr


def test_without_a_broker_one_line_says_what_to_do() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    asked = [evcs("topics", what, EVCS_KAFKA_BOOTSTRAP=nobody) for what in ("create", "verify")]
    told = [(*process.communicate(timeout=PATIENCE_S), process.returncode) for process in asked]
    for out, err, status in told:
        assert (out, status) == ("", 1)
        assert err.startswith(f"error: no Kafka broker answers at {nobody}: ")
        assert err.endswith("Start the local one with `evcs local up`, or set EVCS_KAFKA_BOOTSTRAP\n")
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"EVCS_KAFKA_SECURITY_PROTOCOL": "TLS"}, "error: EVCS_KAFKA_SECURITY_PROTOCOL is 'TLS'"),
        (
            {"EVCS_KAFKA_SECURITY_PROTOCOL": "SSL", "EVCS_KAFKA_SSL_CA_LOCATION": "/nowhere.pem"},
            "error: EVCS_KAFKA_*: ",
        ),
    ],
)
def test_a_wrong_setting_is_one_line(environment: dict[str, str], told: str) -> None:
    process = evcs("topics", "verify", **environment)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err.startswith(told)
    assert err.count("\n") == 1
