"""Which Kafka cluster to speak to: address, TLS and SASL, as every client of ours needs them.

Read once, at a service's entry point, from the environment. Nothing else decides how to connect.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.errors import MisconfiguredSchemas

LOCAL_BOOTSTRAP = "127.0.0.1:19092"

#: Our producers place a key where Java's default partitioner would: topics that are joined by key
#: (telemetry, charge events, connector state) must agree on the partition.
PARTITIONER = "murmur2_random"

_ENVIRONMENT = {
    "EVCS_KAFKA_SECURITY_PROTOCOL": "security.protocol",
    "EVCS_KAFKA_SASL_MECHANISM": "sasl.mechanism",
    "EVCS_KAFKA_SASL_USERNAME": "sasl.username",
    "EVCS_KAFKA_SASL_PASSWORD": "sasl.password",
    "EVCS_KAFKA_SSL_CA_LOCATION": "ssl.ca.location",
    "EVCS_KAFKA_SSL_CERTIFICATE_LOCATION": "ssl.certificate.location",
    "EVCS_KAFKA_SSL_KEY_LOCATION": "ssl.key.location",
    "EVCS_KAFKA_SSL_KEY_PASSWORD": "ssl.key.password",
}

#: A client tries a broker that is away again after this at most; librdkafka's own 10 s would be most of the 15 s
#: within which pushes go again after a broker's restart.
RECONNECT_MAX_MS = 1_000

#: A partition that has fetched enough ahead is asked for more after this; librdkafka's own second would be a silence
#: once a reader has caught up with what was fetched.
FETCH_BACKOFF_MS = 10

#: A fetch is answered once there is so much, or after so long. Answered at the first record, as is the default, a busy
#: reader fetches hundreds of times a second, and each time the broker looks at all of its partitions.
FETCH_MIN_BYTES = 100_000
FETCH_WAIT_MS = 20

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")

#: A topic's name has 249 characters at most: this leaves room for every declared one.
PREFIX_MAX = 200


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """Address and security of one Kafka cluster.

    `bootstrap` is `host:port[,host:port…]`. `security` holds librdkafka's own names and is kept out of
    `repr`, since it holds passwords. `topic_prefix` comes before every topic's name, so that several
    installations, or a replay, share a cluster without meeting.
    """

    bootstrap: str = LOCAL_BOOTSTRAP
    security: Mapping[str, str] = field(default_factory=dict, repr=False)
    topic_prefix: str = ""
    schema_registry_url: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "KafkaCluster":
        """The cluster that `EVCS_KAFKA_*` names; without them the local one.

        Raises MisconfiguredSchemas for an unknown security protocol, and for a prefix that no topic may have.
        """
        env = os.environ if environ is None else environ
        security = {theirs: env[ours] for ours, theirs in _ENVIRONMENT.items() if env.get(ours)}
        protocol = security.get("security.protocol", "PLAINTEXT")
        if protocol not in _PROTOCOLS:
            raise MisconfiguredSchemas(
                f"EVCS_KAFKA_SECURITY_PROTOCOL is {protocol!r}: use one of {', '.join(_PROTOCOLS)}"
            )
        prefix = env.get("EVCS_TOPIC_PREFIX", "")
        if not re.fullmatch(rf"[a-zA-Z0-9._-]{{0,{PREFIX_MAX}}}", prefix):
            raise MisconfiguredSchemas(
                f"EVCS_TOPIC_PREFIX is {prefix!r}: Kafka takes letters a to z, digits, '.', '_' and '-' in a topic's "
                f"name, and there is room for {PREFIX_MAX} of them before ours"
            )
        port = env.get("EVCS_KAFKA_PORT")
        local = f"127.0.0.1:{port}" if port else LOCAL_BOOTSTRAP
        return cls(
            bootstrap=env.get("EVCS_KAFKA_BOOTSTRAP") or local,
            security=security,
            topic_prefix=prefix,
            schema_registry_url=env.get("EVCS_SCHEMA_REGISTRY_URL", ""),
        )

    def topic(self, name: str) -> str:
        """The name that topic `name` has on this cluster."""
        return self.topic_prefix + name

    def no_answer(self, reason: str) -> str:
        """What to tell when no broker of the cluster answers: where, why, and what to do."""
        return (
            f"no Kafka broker answers at {self.bootstrap}: {reason}. "
            "Start the local one with `evcs local up`, or set EVCS_KAFKA_BOOTSTRAP"
            + (f"; or {', '.join(sorted(self.security))} do not fit it" if self.security else "")
        )

    def client_config(self, **more: str | int | float | bool) -> dict[str, str | int | float | bool]:
        """librdkafka's configuration for a client of this cluster; `more` takes `_` for `.`."""
        return {
            "bootstrap.servers": self.bootstrap,
            "log_level": 3,  # librdkafka's own retries are its business; errors are ours
            "reconnect.backoff.max.ms": RECONNECT_MAX_MS,
            **self.security,
            **{key.replace("_", "."): value for key, value in more.items()},
        }

    def consumer_config(self, **more: str | int | float | bool) -> dict[str, str | int | float | bool]:
        """Configuration of a consumer that commits nothing by itself, and reads on at once when there is more."""
        ours = {
            "enable_auto_commit": False,
            "fetch_queue_backoff_ms": FETCH_BACKOFF_MS,
            "fetch_min_bytes": FETCH_MIN_BYTES,
            "fetch_wait_max_ms": FETCH_WAIT_MS,
        }
        return self.client_config(**(ours | more))

    def producer_config(self, **more: str | int | float | bool) -> dict[str, str | int | float | bool]:
        """Configuration of a producer that neither loses nor reorders: idempotent, all replicas acknowledge."""
        return self.client_config(
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            partitioner=PARTITIONER,
            **more,
        )
