"""Kafka as a part of the local stack: the broker on this machine, or the cluster that EVCS_KAFKA_BOOTSTRAP names."""

from rich.filesize import decimal

from infra.local.broker import LocalKafka
from infra.local.errors import ClusterUnreachable
from infra.local.part import PartStatus, size_on_disk, start, stop
from infra.local.progress import Progress
from infra.local.readiness import ANSWER_TIMEOUT_S, broker_count
from infra.local.settings import LocalSettings


class KafkaPart:
    """See `infra.local.part`."""

    name = "kafka"

    def __init__(self, settings: LocalSettings, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._port = settings.port
        self._external = settings.external
        self._kafka = LocalKafka(settings.home, settings.port)
        self._timeout_s = timeout_s

    def up(self, tell: Progress) -> str:
        if self._external:
            brokers = broker_count(self._external, self._timeout_s)
            return (
                f"EVCS_KAFKA_BOOTSTRAP names the cluster at {self._external.bootstrap}, which answers "
                f"({brokers} {'broker' if brokers == 1 else 'brokers'}): no Kafka is started here"
            )
        kafka = self._kafka
        what = start(kafka, self._port, "EVCS_KAFKA_PORT", tell)
        return f"Kafka {kafka.version} {what} at {kafka.bootstrap} (pid {kafka.pid}, data in {kafka.files.data})"

    def down(self, force: bool) -> str:
        return stop(self._kafka, force, self._external.bootstrap if self._external else "")

    def status(self) -> PartStatus:
        return self._of_another() if self._external else self._of_ours()

    def _of_ours(self) -> PartStatus:
        kafka, pid = self._kafka, self._kafka.pid
        data, size = str(kafka.files.data), size_on_disk(kafka.files.data)
        return PartStatus(
            running=pid is not None,
            shown={
                "state": "running" if pid else "stopped",
                "pid": str(pid or "-"),
                "bootstrap": kafka.bootstrap,
                "version": kafka.version,
                "data": f"{data} ({decimal(size)} on disk)",
            },
            fields={
                "running": pid is not None,
                "pid": pid,
                "bootstrap": kafka.bootstrap,
                "version": kafka.version,
                "data_dir": data,
                "size_bytes": size,
            },
        )

    def _of_another(self) -> PartStatus:
        assert self._external is not None
        bootstrap, problem, brokers = self._external.bootstrap, "", 0
        try:
            brokers = broker_count(self._external, self._timeout_s)
        except ClusterUnreachable as error:
            problem = str(error)
        return PartStatus(
            running=not problem,
            shown={
                "state": f"{'unreachable' if problem else 'running'}, not started from here",
                "bootstrap": bootstrap,
                "brokers": str(brokers or "-"),
            },
            fields={
                "running": not problem,
                "external": True,
                "bootstrap": bootstrap,
                "brokers": brokers,
                "problem": problem,
            },
            problem=problem,
        )
