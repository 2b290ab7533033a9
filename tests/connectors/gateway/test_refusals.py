"""A refusal says what is wrong, in one line, and not more than a line's worth."""

import pytest

from connectors.gateway.refusals import Refused, busy, refused
from connectors.protocol.errors import BadPayload, BadSignature, MalformedEnvelope, Retryable, Undecryptable
from connectors.protocol.ret_codes import RetCode


@pytest.mark.parametrize(
    ("error", "ret", "msg"),
    [
        (MalformedEnvelope("is missing", "Seq"), 4003, "POST参数不合法: Seq: is missing"),
        (BadSignature("does not match"), 4001, "签名错误: does not match"),
        (Undecryptable("Data is not base64"), 4003, "POST参数不合法: Data is not base64"),
        (BadPayload("is empty", "ConnectorID"), 4004, "请求的业务参数不合法: ConnectorID: is empty"),
    ],
)
def test_every_fault_has_its_ret(error: Retryable, ret: int, msg: str) -> None:
    refusal = refused(error)
    assert (refusal.ret, refusal.msg, refusal.http_status) == (ret, msg, 200)


def test_busy() -> None:
    assert (busy("starting").ret, busy("starting").msg) == (-1, "系统繁忙，此时请求方稍后重试: starting")


def test_without_a_detail_it_is_the_standards_words() -> None:
    assert Refused(RetCode.SYSTEM_ERROR).msg == "系统错误"
    assert Refused(RetCode.BAD_REQUEST, "larger", 413).http_status == 413


def test_a_callers_long_name_is_cut() -> None:
    msg = refused(BadPayload("is odd", "名" * 10_000)).msg
    assert len(msg) == 200
    assert msg.startswith("请求的业务参数不合法: 名名")


def test_nothing_breaks_the_line_or_the_encoding() -> None:
    msg = refused(BadPayload("is odd", "a\r\nb\0c\ud800d\u202ee")).msg
    assert msg == "请求的业务参数不合法: a??b?c?d?e: is odd"
