"""A platform as it calls us: its profile, the secrets of its calls, and what is remembered of them."""

from math import ceil

from connectors.gateway.limits import RateLimit, Replays
from connectors.gateway.tokens import TokenSeal
from connectors.platform import Platform
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.query_token import TokenFailure, TokenGrant, TokenRequest


class Peer:
    """One platform. `credentials.operator_id` is the platform's own."""

    def __init__(self, platform: Platform, credentials: Credentials) -> None:
        policy = platform.gateway
        self.platform = platform
        self.name = platform.name
        self.dialect = platform.dialect
        self.credentials = credentials
        self.seal = TokenSeal(credentials)
        self.rate = RateLimit(policy.per_second, policy.burst)
        self.replays = Replays(policy.replay_window_s)

    def grant(self, asked: TokenRequest, now_s: float) -> TokenGrant:
        """A token for one who shows the right secret (T/CEC 102 query_token)."""
        known = self.credentials
        failure = TokenFailure.NONE
        if asked.operator_id != known.operator_id:
            failure = TokenFailure.UNKNOWN_OPERATOR
        elif asked.operator_secret != known.operator_secret:
            failure = TokenFailure.WRONG_SECRET
        if failure is not TokenFailure.NONE:
            return TokenGrant(asked.operator_id, Secret(""), 0, failure, succeeded=False)
        available_s = self.platform.gateway.token_s
        return TokenGrant(asked.operator_id, self.seal.issue(ceil(now_s) + available_s), available_s)
