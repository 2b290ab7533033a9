"""The Ret codes of a response envelope and their meanings; what to do about each is delivery's decision."""

from enum import IntEnum


class RetCode(IntEnum):
    """`Ret` of T/CEC 102. Platforms may send others: an envelope's `ret` is therefore a plain int."""

    BUSY = -1
    OK = 0
    SYSTEM_ERROR = 500
    BAD_SIGNATURE = 4001
    BAD_TOKEN = 4002
    #: Missing envelope fields; some platforms also say so of a suspended or unregistered operator.
    BAD_REQUEST = 4003
    BAD_PARAMETERS = 4004

    @property
    def meaning(self) -> str:
        """The standard's words, fit for `Msg`."""
        return _MEANINGS[self]


_MEANINGS = {
    RetCode.BUSY: "系统繁忙，此时请求方稍后重试",
    RetCode.OK: "请求成功",
    RetCode.SYSTEM_ERROR: "系统错误",
    RetCode.BAD_SIGNATURE: "签名错误",
    RetCode.BAD_TOKEN: "Token错误",
    RetCode.BAD_REQUEST: "POST参数不合法",
    RetCode.BAD_PARAMETERS: "请求的业务参数不合法",
}


def describe(ret: int) -> str:
    """The meaning of `ret`, also of one that the standard does not define."""
    return _MEANINGS[RetCode(ret)] if ret in _MEANINGS else f"Ret {ret}"
