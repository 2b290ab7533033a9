"""Whether all members of a group know the same platforms.

Routers share the records of all platforms by partition, and so do retry schedulers: what one of them does not know of
would pass by at it. So each tells in its client's id what it knows, and one that finds another that knows something
else does not begin.
"""

import logging
import time
from collections.abc import Callable, Iterable
from hashlib import sha256

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from connectors.errors import MisconfiguredService
from connectors.kafka_faults import NO_COORDINATOR, check
from schemas.cluster import KafkaCluster
from schemas.kafka_log import kafka_log

log = logging.getLogger(__name__)

#: One that was killed is a member until its session is over, after six seconds: so long is waited for it to be gone.
PATIENCE_S = 8.0

_ANSWER_S = 5.0
_ASKS_AGAIN_AFTER_S = 0.2


class Peers:
    """The members of one group, as one of them sees them. `name` is what they are, `known` what this one knows."""

    def __init__(self, cluster: KafkaCluster, group: str, name: str, instance: str, known: Iterable[str]) -> None:
        self._cluster = cluster
        self._group = group
        self._name = name
        self._mark = sha256(",".join(sorted(known)).encode()).hexdigest()[:12]
        self.client_id = f"evcs-{name}.{instance}.{self._mark}"

    def require_alike(self, given_up: Callable[[], bool]) -> None:
        """Raises MisconfiguredService if another member knows other platforms, and stays, and KafkaRefused. A cluster
        that does not answer is asked again until `given_up`."""
        refuse_at = time.monotonic() + PATIENCE_S
        admin = AdminClient(self._cluster.client_config(), logger=kafka_log(__name__))
        while not given_up():
            try:
                found = admin.describe_consumer_groups([self._group], request_timeout=_ANSWER_S)[self._group].result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return
                if error.args[0].code() not in NO_COORDINATOR:
                    check(error.args[0], "another client has this one's place")
                time.sleep(_ASKS_AGAIN_AFTER_S)
                continue
            other = self._other(member.client_id for member in found.members)
            if other is None:
                return
            if time.monotonic() > refuse_at:
                raise MisconfiguredService(
                    f"the {self._name} of instance {other} knows other platforms than this one: profiles or topics "
                    "have changed since it was started, or its EVCS_PLATFORMS differs. Start it again first: of what "
                    "it reads, nothing would reach the platforms that it does not know"
                )
            time.sleep(_ASKS_AGAIN_AFTER_S)

    def _other(self, client_ids: Iterable[str]) -> str | None:
        """The instance of one that knows other platforms."""
        beginning = f"evcs-{self._name}."
        for client_id in client_ids:
            if not client_id.startswith(beginning):
                continue
            instance, _, mark = client_id.removeprefix(beginning).rpartition(".")
            if mark != self._mark:
                return instance
        return None
