"""Which cluster the environment names."""

import pytest

from schemas.cluster import LOCAL_BOOTSTRAP, PARTITIONER, PREFIX_MAX, KafkaCluster
from schemas.errors import MisconfiguredSchemas
from schemas.topic import all_topics


def test_without_settings_it_is_the_local_one() -> None:
    cluster = KafkaCluster.from_env({})
    assert cluster == KafkaCluster(LOCAL_BOOTSTRAP, {}, "", "")
    assert cluster.client_config()["bootstrap.servers"] == LOCAL_BOOTSTRAP
    assert "security.protocol" not in cluster.client_config()


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCS_KAFKA_BOOTSTRAP", "kafka.example:9092")
    assert KafkaCluster.from_env().bootstrap == "kafka.example:9092"


@pytest.mark.parametrize(
    ("environ", "bootstrap"),
    [
        ({"EVCS_KAFKA_PORT": "29092"}, "127.0.0.1:29092"),
        ({"EVCS_KAFKA_BOOTSTRAP": "a:1,b:2", "EVCS_KAFKA_PORT": "29092"}, "a:1,b:2"),
        ({"EVCS_KAFKA_BOOTSTRAP": "", "EVCS_KAFKA_PORT": ""}, LOCAL_BOOTSTRAP),
    ],
)
def test_bootstrap(environ: dict[str, str], bootstrap: str) -> None:
    assert KafkaCluster.from_env(environ).bootstrap == bootstrap


def test_security_passes_through_under_librdkafkas_names() -> None:
    cluster = KafkaCluster.from_env(
        {
            "EVCS_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "EVCS_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "EVCS_KAFKA_SASL_USERNAME": "evcs",
            "EVCS_KAFKA_SASL_PASSWORD": "hush",
            "EVCS_KAFKA_SSL_CA_LOCATION": "/ca.pem",
            "EVCS_KAFKA_SSL_KEY_PASSWORD": "",
        }
    )
    config = cluster.consumer_config(group_id="g")
    expected = {
        "bootstrap.servers": LOCAL_BOOTSTRAP,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "evcs",
        "sasl.password": "hush",
        "ssl.ca.location": "/ca.pem",
        "group.id": "g",
        "enable.auto.commit": False,
    }
    assert {name: config.get(name) for name in expected} == expected
    assert "ssl.key.password" not in config
    assert "hush" not in repr(cluster)


@pytest.mark.parametrize("protocol", ["TLS", "sasl_ssl", "PLAIN"])
def test_an_unknown_protocol_is_refused_with_the_known_ones(protocol: str) -> None:
    with pytest.raises(MisconfiguredSchemas, match="SASL_SSL"):
        KafkaCluster.from_env({"EVCS_KAFKA_SECURITY_PROTOCOL": protocol})


@pytest.mark.parametrize("prefix", ["城市-", "a b-", "a/", "a\n", "x" * (PREFIX_MAX + 1)])
def test_a_prefix_that_no_topic_may_have_is_refused(prefix: str) -> None:
    with pytest.raises(MisconfiguredSchemas, match=r"EVCS_TOPIC_PREFIX is .*letters a to z.* room for 200"):
        KafkaCluster.from_env({"EVCS_TOPIC_PREFIX": prefix})


def test_the_longest_prefix_leaves_room_for_every_topic() -> None:
    longest = "A.b_9-" + "x" * (PREFIX_MAX - 6)
    cluster = KafkaCluster.from_env({"EVCS_TOPIC_PREFIX": longest})
    assert cluster.topic_prefix == longest
    assert max(len(cluster.topic(name)) for name in all_topics()) <= 249  # Kafka's own limit


def test_topic_prefix_and_registry() -> None:
    cluster = KafkaCluster.from_env({"EVCS_TOPIC_PREFIX": "t-", "EVCS_SCHEMA_REGISTRY_URL": "http://registry:8081"})
    assert cluster.topic("charge-orders") == "t-charge-orders"
    assert cluster.schema_registry_url == "http://registry:8081"


def test_a_cluster_that_does_not_answer_is_told_with_what_to_do() -> None:
    told = KafkaCluster("kafka-1:9092").no_answer("refused")
    assert told.startswith("no Kafka broker answers at kafka-1:9092: refused. ")
    assert "`evcs local up`" in told
    assert "EVCS_KAFKA_BOOTSTRAP" in told
    assert "fit" not in told


def test_security_that_may_not_fit_is_named_too() -> None:
    told = KafkaCluster("kafka-1:9092", security={"sasl.password": "hush", "sasl.mechanism": "PLAIN"}).no_answer("x")
    assert told.endswith("; or sasl.mechanism, sasl.password do not fit it")
    assert "hush" not in told


def test_a_producer_neither_loses_nor_reorders() -> None:
    config = KafkaCluster().producer_config(linger_ms=5)
    assert config["enable.idempotence"] is True
    assert config["acks"] == "all"
    assert config["partitioner"] == PARTITIONER
    assert config["linger.ms"] == 5
