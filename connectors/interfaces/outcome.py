"""What a platform's answer to a push means. What to do about it is delivery's decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connectors.protocol import fields
from connectors.protocol.errors import BadPayload


class Verdict(StrEnum):
    """How a push that was answered with Ret 0 fared."""

    DONE = "DONE"
    #: The platform does not want it and does not want it again.
    IGNORED = "IGNORED"
    #: Not taken: the same push is due again, on the ladder.
    REFUSED = "REFUSED"
    #: Taken, and contested: for people, not for a retry.
    DISPUTED = "DISPUTED"
    #: One of the platform's own codes, 2 to 99: its profile says what to do.
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and the platform's number behind it (Status, FailReason, ConfirmResult or a count)."""

    verdict: Verdict
    code: int = 0


DONE = Outcome(Verdict.DONE)

#: ConfirmResult: 0 confirmed, 1 disputed, 2 to 99 the platform's own.
_CUSTOM_MAX = 99


def of_success(response: Mapping[str, object]) -> Outcome:
    """Of SuccStat and FailReason: DONE, or REFUSED with the reason. Raises BadPayload."""
    if fields.integer(response, "SuccStat") == 0:
        return DONE
    if fields.find(response, "FailReason") is None:
        return Outcome(Verdict.REFUSED, 1)
    return Outcome(Verdict.REFUSED, fields.integer(response, "FailReason"))


def of_confirmation(response: Mapping[str, object]) -> Outcome:
    """Of ConfirmResult: DONE, DISPUTED, or CUSTOM with the code. Raises BadPayload."""
    code = fields.integer(response, "ConfirmResult")
    if code == 0:
        return DONE
    if code == 1:
        return Outcome(Verdict.DISPUTED, code)
    if 1 < code <= _CUSTOM_MAX:
        return Outcome(Verdict.CUSTOM, code)
    raise BadPayload("is out of range", "ConfirmResult")
