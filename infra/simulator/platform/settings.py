"""Who the platform expects, and as whom it calls, with which secrets and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.dialect import BEIJING, Dialect
from infra.simulator.platform.queries import DEADLINES_S
from infra.simulator.platform.sequence import Cadence

DEMO_OPERATOR_ID = "123456789"
DEMO_SECRET = "1234567890abcdef"  # noqa: S105  the public test value of the standard's examples
DEMO_PLATFORM_ID = "MA0PLATF1"
"""Whom the platform calls itself where it calls the operator; what follows are its public test secrets, all different,
so that one taken for another shows."""
DEMO_INBOUND_OPERATOR_SECRET = "abcdef1234567890"  # noqa: S105
DEMO_INBOUND_DATA_SECRET = "fedcba0987654321"  # noqa: S105
DEMO_INBOUND_DATA_IV = "0f1e2d3c4b5a6978"
DEMO_INBOUND_SIG_SECRET = "a1b2c3d4e5f60718"  # noqa: S105
TOKEN_AVAILABLE_S = 7200
MAX_SKEW_S = 600.0
"""A TimeStamp further from the platform's clock than this is refused."""
MAX_BODY_BYTES = 1024 * 1024
MAX_REMEMBERED = 1_000_000
"""Charges, orders, connectors and sightings remembered, each."""
CALL_TIMEOUT_S = 10.0
"""An answer that is later than this is not waited for; it is late long before."""


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """One operator and its secrets, used in both directions of a push. Port 0 takes a free one.

    `max_skew_s` None switches the check of TimeStamp against the clock off, for tests in simulated time.
    """

    operator_id: str = DEMO_OPERATOR_ID
    operator_secret: str = field(default=DEMO_SECRET, repr=False)
    data_secret: str = field(default=DEMO_SECRET, repr=False)
    data_iv: str = field(default=DEMO_SECRET, repr=False)
    sig_secret: str = field(default=DEMO_SECRET, repr=False)
    port: int = 0
    token_available_s: int = TOKEN_AVAILABLE_S
    max_skew_s: float | None = MAX_SKEW_S
    max_remembered: int = MAX_REMEMBERED
    dialect: Dialect = BEIJING
    cadence: Cadence = field(default_factory=Cadence)

    def crypto(self) -> Crypto:
        """The secrets as the thing that uses them."""
        return Crypto(self.data_secret, self.data_iv, self.sig_secret)


@dataclass(frozen=True, slots=True)
class CallerSettings:
    """As whom the platform calls the operator at `base_url`, which ends with the version: `…/evcs/20160701`.

    `operator_secret` is what it shows in query_token. `deadlines_s` is by query interface.
    """

    base_url: str
    operator_id: str = DEMO_PLATFORM_ID
    operator_secret: str = field(default=DEMO_INBOUND_OPERATOR_SECRET, repr=False)
    data_secret: str = field(default=DEMO_INBOUND_DATA_SECRET, repr=False)
    data_iv: str = field(default=DEMO_INBOUND_DATA_IV, repr=False)
    sig_secret: str = field(default=DEMO_INBOUND_SIG_SECRET, repr=False)
    dialect: Dialect = BEIJING
    deadlines_s: Mapping[str, float] = field(default_factory=lambda: DEADLINES_S)
    timeout_s: float = CALL_TIMEOUT_S

    def crypto(self) -> Crypto:
        """The secrets as the thing that uses them."""
        return Crypto(self.data_secret, self.data_iv, self.sig_secret)

    def url(self, interface: str) -> str:
        """Where the operator serves an interface."""
        return f"{self.base_url.rstrip('/')}/{self.dialect.paths.get(interface, interface)}"
