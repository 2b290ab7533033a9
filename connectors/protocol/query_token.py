"""query_token (Beijing V1.1 §1.1.16): its request and response payloads, for the side that asks and the one
that serves. When a token is fetched, kept or renewed is not decided here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from connectors.protocol import fields
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import BadPayload

INTERFACE = "query_token"

#: What may follow `Bearer `: a token with line breaks, as some encoders of base64 make, could not be shown.
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


class TokenFailure(IntEnum):
    """`FailReason` of query_token; 3 to 99 are the platform's own."""

    NONE = 0
    UNKNOWN_OPERATOR = 1
    WRONG_SECRET = 2


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Who asks for a token, and the secret it shows."""

    operator_id: str
    operator_secret: Secret


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """The answer: a token good for `available_s` seconds, or the reason why there is none."""

    operator_id: str
    access_token: Secret
    available_s: int
    fail_reason: int = TokenFailure.NONE
    succeeded: bool = True


def request_payload(credentials: Credentials) -> dict[str, object]:
    """What to seal when asking."""
    return {
        "OperatorID": credentials.operator_id,
        "OperatorSecret": credentials.operator_secret.reveal(),
    }


def read_request(payload: Mapping[str, object]) -> TokenRequest:
    """What was asked. Raises BadPayload."""
    return TokenRequest(fields.text(payload, "OperatorID"), Secret(fields.text(payload, "OperatorSecret")))


def response_payload(grant: TokenGrant) -> dict[str, object]:
    """What to seal when answering."""
    return {
        "OperatorID": grant.operator_id,
        "SuccStat": 0 if grant.succeeded else 1,
        "AccessToken": grant.access_token.reveal(),
        "TokenAvailableTime": grant.available_s,
        "FailReason": int(grant.fail_reason),
    }


def read_response(payload: Mapping[str, object]) -> TokenGrant:
    """What was granted. Raises BadPayload, also for a success without a token or a time."""
    if fields.integer(payload, "SuccStat") != 0:
        reason = fields.integer(payload, "FailReason") if fields.find(payload, "FailReason") is not None else 0
        return TokenGrant(fields.text(payload, "OperatorID", ""), Secret(""), 0, reason, succeeded=False)
    token = Secret(fields.text(payload, "AccessToken"))
    available_s = fields.integer(payload, "TokenAvailableTime")
    if not token:
        raise BadPayload("is empty", "AccessToken")
    if not _HEADER_VALUE.fullmatch(token.reveal()):
        raise BadPayload("has what no header may have", "AccessToken")
    if available_s <= 0:
        raise BadPayload("is not positive", "TokenAvailableTime")
    return TokenGrant(fields.text(payload, "OperatorID", ""), token, available_s)
