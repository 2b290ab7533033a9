"""query_token (Beijing V1.1 §1.1.16), served: the payloads are those of `connectors.protocol.query_token`."""

from connectors.protocol import query_token

INTERFACE = query_token.INTERFACE
FIELDS = ("OperatorID", "SuccStat", "AccessToken", "TokenAvailableTime", "FailReason")
