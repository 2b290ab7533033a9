"""Who the platform expects, with which secrets and limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.dialect import BEIJING, Dialect
from infra.simulator.platform.sequence import Cadence

DEMO_OPERATOR_ID = "123456789"
DEMO_SECRET = "1234567890abcdef"  # noqa: S105  the public test value of the standard's examples
TOKEN_AVAILABLE_S = 7200
MAX_SKEW_S = 600.0
"""A TimeStamp further from the platform's clock than this is refused."""
MAX_BODY_BYTES = 1024 * 1024
MAX_REMEMBERED = 1_000_000
"""Charges, orders, connectors and sightings remembered, each."""


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
