"""query_token (Beijing V1.1 §1.1.16), served: the payloads are those of `connectors.protocol.query_token`."""

from collections.abc import Mapping

from connectors.interfaces.dialect import Dialect
from connectors.interfaces.served.asked import checked_length
from connectors.protocol import query_token
from connectors.protocol.query_token import TokenGrant, TokenRequest

INTERFACE = query_token.INTERFACE
FIELDS = ("OperatorID", "SuccStat", "AccessToken", "TokenAvailableTime", "FailReason")


def read_request(payload: Mapping[str, object], dialect: Dialect) -> TokenRequest:
    """Who asks; its OperatorID goes into the answer, so it must fit. Raises BadPayload."""
    asked = query_token.read_request(payload)
    checked_length(asked.operator_id, "OperatorID", dialect)
    return asked


def response(grant: TokenGrant) -> dict[str, object]:
    """The token, or why there is none."""
    return query_token.response_payload(grant)
