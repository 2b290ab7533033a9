"""How a call is refused: with a Ret, and a Msg that says what is wrong and nothing about us."""

from connectors.protocol.errors import Retryable
from connectors.protocol.ret_codes import RetCode

#: What is quoted of a fault: the names in it may be the caller's.
_MSG_MAX = 200


class Refused(Exception):
    """The call gets no answer but this one."""

    def __init__(self, ret: RetCode, detail: str = "", http_status: int = 200) -> None:
        self.ret = ret
        self.http_status = http_status
        self.msg = f"{ret.meaning}: {detail}"[:_MSG_MAX] if detail else ret.meaning
        super().__init__(self.msg)


def refused(error: Retryable) -> Refused:
    """As the protocol's own errors are answered."""
    return Refused(error.answer, _told(str(error)))


def busy(detail: str) -> Refused:
    """Come again later."""
    return Refused(RetCode.BUSY, detail)


def _told(detail: str) -> str:
    """Without what can't be encoded or would break a line."""
    return "".join(character if character.isprintable() else "?" for character in detail)
