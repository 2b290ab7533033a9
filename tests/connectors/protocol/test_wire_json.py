import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.protocol import fields, wire_json
from connectors.protocol.errors import BadPayload
from connectors.protocol.ret_codes import RetCode, describe


def test_decimals_keep_their_zeros() -> None:
    payload = {"a": Decimal("0.90"), "b": Decimal("10.00"), "c": Decimal("0.0000"), "名": "充电"}
    text = '{"a":0.90,"b":10.00,"c":0.0000,"名":"充电"}'
    assert wire_json.encode(payload) == text.encode()


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_a_decimal_comes_back_with_its_scale(value: Decimal) -> None:
    back = wire_json.decode(wire_json.encode({"a": value}))["a"]
    assert isinstance(back, Decimal)
    assert str(back) == str(value)


@pytest.mark.parametrize(
    ("plaintext", "reason"),
    [
        (b'{"a":1,"a":2}', "not JSON: key 'a' comes twice"),
        (b'{"x":{"b":1,"b":1}}', "not JSON: key 'b' comes twice"),
        (b"[1]", "not a JSON object"),
        (b'{"a":1,}', "not JSON: wrong at character 8"),
        (b"{'a':1}", "not JSON: wrong at character 2"),
        (b'{"a":NaN}', "not JSON: NaN is no number"),
        (b'{"a":Infinity}', "not JSON: Infinity is no number"),
        (b'{"a":"\xff"}', "not JSON: no UTF-8 at byte 7"),
        (b'{"a":1} x', "not JSON: wrong at character 9"),
        (rb'{"a":"\ud800"}', "not JSON: half of a surrogate pair"),
        (rb'{"a":"\udc00x"}', "not JSON: half of a surrogate pair"),
        (rb'{"a":"\ud800 and more of it"}', "not JSON: half of a surrogate pair"),
        (b'{"a":1e99999999999999999999}', "a number is too large or too small"),
        (b'{"a":' + b"1" * 5_000 + b"}", "a number is too long"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b"", "not JSON: wrong at character 1"),
    ],
    ids=range(17),
)
def test_what_is_refused_in_our_own_words(plaintext: bytes, reason: str) -> None:
    with pytest.raises(BadPayload) as caught:
        wire_json.decode(plaintext)
    assert caught.value.reason == reason
    assert caught.value.answer is RetCode.BAD_PARAMETERS


def test_pairs_of_surrogates_are_taken() -> None:
    assert wire_json.decode(rb'{"a":"\ud83d\ude00"}') == {"a": "😀"}


@given(st.binary(max_size=100))
def test_nothing_but_bad_payload_is_raised(plaintext: bytes) -> None:
    with contextlib.suppress(BadPayload):
        assert type(wire_json.decode(plaintext)) is dict


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=10)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_it_does_not_matter_how_it_is_written(value: dict[str, object]) -> None:
    compact = wire_json.encode(value)
    read = wire_json.decode(compact)
    wide = compact.replace(b"{", b"{ ", 1)  # no form that `encode` has, so the other way is taken
    assert repr(wire_json.decode(wide)) == repr(read)


@pytest.mark.parametrize(
    "plaintext",
    [
        b'{"a":1.5,"b":0.90,"c":-0.0,"d":1E5,"e":1e-7,"f":-0}',
        b'{"a":123456789012345678901234567890,"b":-9223372036854775809}',
        rb'{"a":"\u0041\n\/\"","b":"\ud83d\ude00"}',
        '{"名":"充电\x7f"}'.encode(),
        b'{"a":{"b":[{"c":null},true,[]]}}',
    ],
)
def test_values_are_those_of_the_strict_reader(plaintext: bytes) -> None:
    strict = json.loads(plaintext, parse_float=Decimal)
    assert repr(wire_json.decode(plaintext)) == repr(strict)
    assert repr(wire_json.decode(plaintext.replace(b":", b": "))) == repr(strict)


@pytest.mark.parametrize("value", [7, "7", Decimal("7"), Decimal("7.0")])
def test_integers_in_several_forms(value: object) -> None:
    assert fields.integer({"succStat": value}, "SuccStat") == 7


@pytest.mark.parametrize("value", [None, True, "x", "", "-", "１", "9" * 20, 10**12, Decimal("0.5"), [], 1.0])
def test_what_is_no_integer(value: object) -> None:
    with pytest.raises(BadPayload, match="SuccStat: is "):
        fields.integer({"SuccStat": value}, "SuccStat")


def test_a_huge_exponent_costs_nothing() -> None:
    for text in (b"1e999999999", b"-1e999999999", b"1e-999999999"):
        with pytest.raises(BadPayload):
            fields.integer(wire_json.decode(b'{"A":' + text + b"}"), "A")
    with pytest.raises(BadPayload):
        fields.amount({"A": "1e999999999"}, "A")


def test_texts_and_amounts() -> None:
    assert fields.text({"a": "x"}, "A") == "x"
    assert fields.text({}, "A", "") == ""
    assert fields.amount({}, "A") == 0
    assert fields.amount({"A": "1.5"}, "A") == Decimal("1.5")
    payloads: list[dict[str, object]] = [{"A": "x"}, {"A": True}, {"A": {}}, {"A": "NaN"}]
    for payload in payloads:
        with pytest.raises(BadPayload):
            fields.amount(payload, "A")
    with pytest.raises(BadPayload, match="missing"):
        fields.text({}, "A")
    with pytest.raises(BadPayload, match="string"):
        fields.text({"A": 1}, "A")


def test_every_code_has_a_meaning() -> None:
    assert {int(code) for code in RetCode} == {-1, 0, 500, 4001, 4002, 4003, 4004}
    assert all(code.meaning for code in RetCode)
    assert describe(4001) == "签名错误"
    assert describe(4999) == "Ret 4999"
