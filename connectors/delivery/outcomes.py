"""What must follow from each way a push can end: the error policy as one table. Who does it is the lanes' matter."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Sign(StrEnum):
    """How one attempt ended."""

    #: Ret 0, and the business result is good.
    TAKEN = "TAKEN"
    #: stationStatus answered Status 1: not wanted, and not to be repeated.
    IGNORED = "IGNORED"
    #: An order's ConfirmResult 1.
    CONTESTED = "CONTESTED"
    #: SuccStat 1, or another business result that says that it was not taken.
    REFUSED = "REFUSED"
    #: Ret -1, 500, or one that the standard does not define.
    BUSY = "BUSY"
    #: No connection, no answer in time, or an HTTP status other than 200.
    UNREACHABLE = "UNREACHABLE"
    #: The answer is no envelope, is badly signed, or can't be read: whether the push was taken is not known.
    UNRELIABLE = "UNRELIABLE"
    #: Ret 4002.
    BAD_TOKEN = "BAD_TOKEN"  # noqa: S105
    #: Ret 4001 or 4003: our secrets, or our account.
    NOT_ADMITTED = "NOT_ADMITTED"
    #: Ret 4004 in an answer that is signed: nobody else can have said so.
    POISON = "POISON"


class Action(StrEnum):
    """What follows."""

    #: It is over.
    DONE = "DONE"
    #: Over for the lane; an order goes to `order-disputes` for people.
    DISPUTE = "DISPUTE"
    #: Sent again: an order on its ladder, anything else in place.
    RETRY = "RETRY"
    #: The token is renewed, once for all who wait, and the push sent again at once; refused again, it is retried.
    RENEW_TOKEN = "RENEW_TOKEN"  # noqa: S105
    #: People must mend something: the platform's lanes pause, nothing is dropped.
    PAUSE = "PAUSE"
    #: It will never be taken: it goes to the dead letters, and the lane moves on.
    DEAD_LETTER = "DEAD_LETTER"


@dataclass(frozen=True, slots=True)
class Row:
    """An action, and whether the platform counts as failing: a refusal of one record says nothing of the others, a
    token that is refused right after its renewal does."""

    action: Action
    fails: bool = False


TABLE: Mapping[Sign, Row] = {
    Sign.TAKEN: Row(Action.DONE),
    Sign.IGNORED: Row(Action.DONE),
    Sign.CONTESTED: Row(Action.DISPUTE),
    Sign.REFUSED: Row(Action.RETRY),
    Sign.BUSY: Row(Action.RETRY, fails=True),
    Sign.UNREACHABLE: Row(Action.RETRY, fails=True),
    Sign.UNRELIABLE: Row(Action.RETRY, fails=True),
    Sign.BAD_TOKEN: Row(Action.RENEW_TOKEN, fails=True),
    Sign.NOT_ADMITTED: Row(Action.PAUSE),
    Sign.POISON: Row(Action.DEAD_LETTER),
}
