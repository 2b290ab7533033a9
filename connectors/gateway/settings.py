"""Settings of one gateway instance, read once from the environment and the platforms' profiles."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.delivery.routing.settings import platforms_named
from connectors.errors import MisconfiguredService
from connectors.gateway.peer import Peer
from connectors.gateway.reception import Route
from connectors.platform import Platform, load_platforms
from connectors.ports import LOCAL, port_from, require_port
from connectors.protocol.errors import BadCredentials
from connectors.warehouse.settings import Warehouse
from schemas.cluster import KafkaCluster

log = logging.getLogger(__name__)

PORT = 8080
ADMIN_PORT = 8081


@dataclass(frozen=True, slots=True)
class Listening:
    """Where an instance listens; port 0 takes a free one. With a certificate and its key, which are files, it speaks
    TLS."""

    host: str = LOCAL
    port: int = PORT
    admin_host: str = LOCAL
    admin_port: int = ADMIN_PORT
    tls_certificate: str = ""
    tls_key: str = ""

    def __post_init__(self) -> None:
        for name, port in (("EVCS_GATEWAY_PORT", self.port), ("EVCS_GATEWAY_ADMIN_PORT", self.admin_port)):
            require_port(port, name)
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise MisconfiguredService(
                "EVCS_GATEWAY_TLS_CERTIFICATE and EVCS_GATEWAY_TLS_KEY belong together: set both, or neither"
            )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Listening":
        """`EVCS_GATEWAY_HOST`, `…_PORT`, `…_ADMIN_HOST`, `…_ADMIN_PORT`, `…_TLS_CERTIFICATE`, `…_TLS_KEY`.

        Raises MisconfiguredService.
        """
        return cls(
            host=environ.get("EVCS_GATEWAY_HOST") or LOCAL,
            port=port_from(environ, "EVCS_GATEWAY_PORT", PORT),
            admin_host=environ.get("EVCS_GATEWAY_ADMIN_HOST") or LOCAL,
            admin_port=port_from(environ, "EVCS_GATEWAY_ADMIN_PORT", ADMIN_PORT),
            tls_certificate=environ.get("EVCS_GATEWAY_TLS_CERTIFICATE", ""),
            tls_key=environ.get("EVCS_GATEWAY_TLS_KEY", ""),
        )


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One instance and the platforms that it serves; statistics come from `warehouse`, and without one are refused."""

    peers: tuple[Peer, ...]
    cluster: KafkaCluster = field(default_factory=KafkaCluster)
    listening: Listening = field(default_factory=Listening)
    warehouse: Warehouse | None = None

    @classmethod
    def from_env(cls, names: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> "GatewaySettings":
        """Of these platforms or, without names, of all that have a profile and the secrets of their calls.

        Raises MisconfiguredService, MisconfiguredSchemas, BadProfile or BadCredentials.
        """
        env = os.environ if environ is None else environ
        peers = tuple(_named(names, env) if names else _all(env))
        routes(peers)  # raises where two platforms can't be told apart
        return cls(peers, KafkaCluster.from_env(env), Listening.from_env(env), Warehouse.from_env(env))

    def listening_at(self, **changed: str | int) -> "GatewaySettings":
        """The same with another place to listen; what is None stays."""
        given = {name: value for name, value in changed.items() if value is not None}
        return replace(self, listening=replace(self.listening, **given))  # type: ignore[arg-type]


def routes(peers: Sequence[Peer]) -> dict[str, Route]:
    """What is served, by path. Raises MisconfiguredService where a path means two things, or a call could be two
    platforms'."""
    found: dict[str, tuple[str, dict[str, Peer]]] = {}
    for peer in peers:
        for path, interface in peer.platform.served_paths().items():
            known, by_operator = found.setdefault(path, (interface, {}))
            if known != interface:
                raise MisconfiguredService(f"{path} is {known} for one platform and {interface} for {peer.name}")
            other = by_operator.setdefault(peer.credentials.operator_id, peer)
            if other is not peer:
                raise MisconfiguredService(
                    f"{other.name} and {peer.name} call {path} with the same OperatorID, so their calls can't be told "
                    "apart: give one of them another gateway.base_path, or serve them by two instances"
                )
    return {path: Route(interface, by_operator) for path, (interface, by_operator) in found.items()}


def _named(names: Sequence[str], env: Mapping[str, str]) -> list[Peer]:
    return [Peer(platform, platform.credentials.inbound(env)) for platform in platforms_named(names, env)]


def _all(env: Mapping[str, str]) -> list[Peer]:
    """Platforms without the secrets of their calls are told of and left out, as are those whose profile is wrong."""
    profiles = load_platforms(environ=env)
    for fault in profiles.faults:
        log.error("left out: %s", fault)
    peers: list[Peer] = []
    platform: Platform
    for name, platform in profiles.platforms.items():
        try:
            peers.append(Peer(platform, platform.credentials.inbound(env)))
        except BadCredentials as error:
            log.error("%s is left out: %s", name, error)
    if not peers:
        raise MisconfiguredService("no platform can be served: see the errors above, or `evcs platforms check`")
    return peers
