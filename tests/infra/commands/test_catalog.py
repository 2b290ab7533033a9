"""`evcs catalog`: checks a file, and puts onto the topic what has changed, and only that."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Message, Producer

from infra.catalog import topic
from infra.catalog.errors import BadCatalog, ClashingCatalog
from infra.commands.catalog import command
from infra.errors import ClusterProblem
from infra.local.ports import free_port
from infra.simulator.fleet.population import populate
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.compacted import read_to_end
from schemas.records.station import Station
from schemas.topic import all_topics
from tests.infra.catalog.samples import catalog, sample_text
from tests.infra.commands.processes import evcs
from tests.schemas.murmur2 import partition_of
from tests.whole.topics import PATIENCE_S

CODEC = codec_for("")
FIRST, SECOND = "110105900001", "110108900002"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.fixture
def at(kafka: KafkaCluster, clean_environment: pytest.MonkeyPatch) -> KafkaCluster:
    """The environment names this cluster."""
    clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", kafka.bootstrap)
    clean_environment.setenv("EVCS_TOPIC_PREFIX", kafka.topic_prefix)
    return kafka


@pytest.fixture
def file(tmp_path: Path, clean_environment: pytest.MonkeyPatch) -> Path:
    """The sample in JSON."""
    return write(tmp_path / "stations.json", catalog())


def write(file: Path, raw: object) -> Path:
    file.write_text(json.dumps(raw), encoding="utf-8")
    return file


class Consumer:
    """What has come onto the topic since it was last asked: the messages by StationID."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._cluster = cluster
        self._seen: set[tuple[int | None, int | None]] = set()

    def new(self) -> dict[str, Message]:
        found: dict[str, Message] = {}
        for batch in read_to_end(self._cluster, self._cluster.topic(topic.TOPIC)):
            for message in batch:
                place = (message.partition(), message.offset())
                if place not in self._seen:
                    self._seen.add(place)
                    name = (message.key() or b"").decode()
                    assert name not in found
                    found[name] = message
        return found


def stations_of(messages: dict[str, Message]) -> dict[str, Station]:
    return {name: CODEC.decode_as(Station, message.value()) for name, message in messages.items()}


class TestCheck:
    def test_a_right_file_is_counted(self, file: Path) -> None:
        checked = run("check", str(file))
        assert (checked.exit_code, checked.stderr) == (0, "")
        assert checked.stdout == "right: 2 stations, 3 equipment, 4 connectors\n"

    def test_every_fault_of_a_wrong_one_is_told(self, file: Path) -> None:
        raw = catalog()
        raw["stations"][0]["station_type"] = 7
        del raw["stations"][1]["address"]
        write(file, raw)
        with pytest.raises(BadCatalog):
            run("check", str(file))
        process = evcs("catalog", "check", str(file))
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (out, process.returncode) == ("", 1)
        assert err.splitlines() == [
            f"error: {file} has 2 faults",
            f"{file}: stations[0]: station_type: 7 is none of 1, 50, 100, 101, 102, 103, 255",
            f"{file}: stations[1]: address: is missing",
        ]

    def test_one_fault_is_one_line(self, tmp_path: Path) -> None:
        process = evcs("catalog", "load", str(tmp_path / "none.csv"))
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (out, process.returncode) == ("", 1)
        assert err == f"error: {tmp_path / 'none.csv'}: can't be read: No such file or directory\n"

    def test_lengths_are_the_platforms_where_they_take_more(
        self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raw = catalog()
        raw["stations"][1]["equipment"][0]["connectors"][0]["connector_id"] = "1" * 30
        write(file, raw)
        with pytest.raises(BadCatalog, match="has 30 characters, 26 are allowed"):
            run("check", str(file))
        profile = (Path(__file__).parents[3] / "connectors/platforms/beijing.toml").read_text(encoding="utf-8")
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / "beijing.toml").write_text(
            profile.replace('spelling = "sevice"', 'spelling = "sevice"\nlengths = { ConnectorID = 30 }'),
            encoding="utf-8",
        )
        monkeypatch.setenv("EVCS_PLATFORMS", str(tmp_path / "own"))
        assert run("check", str(file)).exit_code == 0


class TestSample:
    @pytest.mark.parametrize(("option", "ending", "mark"), [((), "json", ""), (("--csv",), "csv", "\ufeff")])
    def test_it_is_printed_and_right(
        self, option: tuple[str, ...], ending: str, mark: str, tmp_path: Path, clean_environment: pytest.MonkeyPatch
    ) -> None:
        printed = run("sample", *option)
        assert printed.stdout == mark + sample_text(ending)
        file = tmp_path / f"stations.{ending}"
        file.write_text(printed.stdout, encoding="utf-8")
        assert run("check", str(file)).exit_code == 0


class TestLoad:
    def test_nothing_is_asked_of_a_cluster_for_a_wrong_file(
        self, file: Path, clean_environment: pytest.MonkeyPatch
    ) -> None:
        clean_environment.setenv("EVCS_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
        write(file, {"stations": []})
        with pytest.raises(BadCatalog):
            run("load", str(file))

    def test_without_a_broker_one_line_says_what_to_do(self, file: Path) -> None:
        nobody = f"127.0.0.1:{free_port()}"
        process = evcs("catalog", "load", str(file), EVCS_KAFKA_BOOTSTRAP=nobody)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (out, process.returncode) == ("", 1)
        assert err.startswith(f"error: no Kafka broker answers at {nobody}: ")
        assert err.count("\n") == 1

    @pytest.mark.kafka
    def test_without_the_topic_it_says_how_to_make_it(
        self, at: KafkaCluster, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EVCS_TOPIC_PREFIX", at.topic_prefix + "other-")
        with pytest.raises(ClusterProblem, match=r"other-station-catalog can't be read: .*evcs topics create"):
            run("load", str(file))

    @pytest.mark.kafka
    def test_only_what_changes_is_written(self, at: KafkaCluster, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [1_000]
        monkeypatch.setattr("infra.commands.catalog.wall_ms", lambda: now[0])
        consumer = Consumer(at)
        first = run("load", str(file))
        assert (first.exit_code, first.stdout) == (0, "2 stations written, 0 unchanged\n")
        came = consumer.new()
        partitions = all_topics()[topic.TOPIC].partitions
        assert {name: message.partition() for name, message in came.items()} == {
            name: partition_of(name.encode(), partitions) for name in (FIRST, SECOND)
        }
        assert {name: station.changed_at for name, station in stations_of(came).items()} == {
            FIRST: 1_000,
            SECOND: 1_000,
        }
        assert stations_of(came)[FIRST].pictures == tuple(catalog()["stations"][0]["pictures"])

        now[0] = 2_000
        again = run("load", str(file))
        assert again.stdout == "0 stations written, 2 unchanged\n"
        as_csv = file.with_suffix(".csv")
        as_csv.write_text(sample_text("csv"), encoding="utf-8")
        assert run("load", str(as_csv)).stdout == "0 stations written, 2 unchanged\n"
        assert consumer.new() == {}

        raw = catalog()
        raw["stations"][1]["equipment"][0]["connectors"][0]["park_no"] = "7"
        write(file, raw)
        assert run("load", str(file), "--dry-run").stdout == (
            f"would change {SECOND}\n1 station to be written, 1 unchanged\n"
        )
        assert consumer.new() == {}
        assert run("load", str(file)).stdout == "1 station written, 1 unchanged\n"
        (changed,) = stations_of(consumer.new()).items()
        assert (changed[0], changed[1].changed_at) == (SECOND, 2_000)
        assert changed[1].equipment[0].connectors[0].park_no == "7"

        write(file, {"stations": raw["stations"][:1]})
        left = run("load", str(file))
        assert left.stdout == (
            f"1 station not in {file}, left as before; --remove-missing takes out:\n"
            f"  {SECOND}\n0 stations written, 1 unchanged\n"
        )
        told = run("load", str(file), "--remove-missing", "--dry-run")
        assert told.stdout == f"would remove {SECOND}\n0 stations to be written, 1 unchanged, 1 to be removed\n"
        assert consumer.new() == {}
        removed = run("load", str(file), "--remove-missing")
        assert removed.stdout == "0 stations written, 1 unchanged, 1 removed\n"
        assert {name: message.value() for name, message in consumer.new().items()} == {SECOND: None}
        assert run("load", str(file), "--remove-missing").stdout == "0 stations written, 1 unchanged\n"

        now[0] = 3_000
        write(file, raw)
        assert run("load", str(file), "--dry-run").stdout.startswith(f"would add {SECOND}\n")
        assert run("load", str(file)).stdout == "1 station written, 1 unchanged\n"
        assert stations_of(consumer.new())[SECOND].changed_at == 3_000

    @pytest.mark.kafka
    def test_what_others_wrote_is_taken_into_account(self, at: KafkaCluster, file: Path) -> None:
        producer = Producer(at.producer_config())
        name = at.topic(topic.TOPIC)
        for station in populate(600).stations:
            producer.produce(name, CODEC.encode(station), station.station_id.encode())
        producer.produce(name, b"what is this", FIRST.encode())
        assert producer.flush(PATIENCE_S) == 0
        # Unreadable, so it is written anew; the simulated ones are left.
        told = run("load", str(file), "--dry-run").stdout.splitlines()
        assert told[:2] == [f"would add {SECOND}", f"would change {FIRST}"]
        assert told[2].startswith("60 stations not in ")
        assert told[3] == "  110105000001"
        assert told[-2:] == ["  10 more that are not named", "2 stations to be written, 0 unchanged"]
        raw = catalog()
        raw["stations"][1]["equipment"][0]["connectors"][0]["connector_id"] = "11010500000100101"
        write(file, raw)
        with pytest.raises(ClashingCatalog, match="connector 11010500000100101 is 110105000001's on the topic"):
            run("load", str(file))
        assert run("load", str(file), "--remove-missing").stdout == "2 stations written, 0 unchanged, 60 removed\n"
        assert set(topic.stations_there(at, CODEC, lambda *_: None)) == {FIRST, SECOND}
