"""Tokens: every instance takes every other's, none is taken after its end, and nothing else is taken."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway.tokens import TokenSeal
from connectors.protocol.credentials import Secret
from tests.connectors.gateway.callers import CITY, HARBOUR

NOW = 1_740_974_400
ENDS = NOW + 7200

ONE, OTHER = TokenSeal(CITY.credentials()), TokenSeal(CITY.credentials())
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/="


def is_good(token: str, now: float = NOW, seal: TokenSeal = OTHER) -> bool:
    return seal.is_good(f"Bearer {token}", now)


def issued(ends: int = ENDS) -> str:
    return ONE.issue(ends).reveal()


def test_every_instance_takes_every_others() -> None:
    assert is_good(issued(), seal=ONE)
    assert is_good(issued(), seal=OTHER)


def test_a_newer_one_ends_no_older_one() -> None:
    older = issued(NOW + 60)
    tokens = [issued(NOW + 60 + n) for n in range(50)]
    assert len({older, *tokens}) == 51
    assert all(is_good(token, NOW + 59.9) for token in (older, *tokens))


def test_no_two_are_alike_though_they_end_together() -> None:
    assert len({issued() for _ in range(100)}) == 100


def test_it_is_good_up_to_its_end() -> None:
    token = issued()
    assert is_good(token, ENDS - 0.001)
    assert not is_good(token, ENDS)
    assert not is_good(token, ENDS + 0.001)


@given(st.integers(0, 2**48 - 1), st.floats(0, 2**48), st.binary(min_size=8, max_size=8))
def test_it_is_never_taken_after_its_end_and_always_before(ends: int, now: float, nonce: bytes) -> None:
    token = TokenSeal(CITY.credentials(), lambda _: nonce).issue(ends).reveal()
    assert is_good(token, now) == (now < ends)


@pytest.mark.parametrize(
    "changed",
    [
        {"operator_id": "313744933"},
        {"operator_secret": Secret("another")},
        {"sig_secret": Secret("another")},
        {"data_secret": Secret("another secret..")},
        {"data_secret_iv": Secret("another secret..")},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_other_secrets_end_all(changed: dict[str, object]) -> None:
    seal = TokenSeal(replace(CITY.credentials(), **changed))  # type: ignore[arg-type]
    assert not is_good(issued(), seal=seal)
    assert is_good(seal.issue(ENDS).reveal(), seal=seal)


def test_another_platforms_is_refused() -> None:
    harbour = TokenSeal(HARBOUR.credentials())
    assert not is_good(issued(), seal=harbour)
    assert not is_good(harbour.issue(ENDS).reveal())


def test_every_changed_bit_is_noticed() -> None:
    token = issued()
    for at, letter in enumerate(token):
        for bit in range(8):
            assert not is_good(token[:at] + chr(ord(letter) ^ 1 << bit) + token[at + 1 :]), (at, bit)


def test_a_token_has_one_spelling() -> None:
    for _ in range(20):
        token = issued()
        for letter in LETTERS:
            assert is_good(token[:-1] + letter) == (letter == token[-1])
            assert not is_good(token + letter)
        standard = token.replace("-", "+").replace("_", "/")
        assert is_good(standard) == (standard == token)


def test_a_part_of_it_is_none() -> None:
    token = issued()
    assert not any(is_good(token[:size]) or is_good(token[size:]) for size in range(1, len(token)))


def test_what_was_not_sealed_is_refused() -> None:
    opened = base64.urlsafe_b64decode(issued())
    later = opened[:1] + (ENDS + 1).to_bytes(6, "big") + opened[7:]
    for forged in (later, opened[:-24] + bytes(24), opened[:1] + bytes(len(opened) - 1), bytes(len(opened))):
        assert not is_good(base64.urlsafe_b64encode(forged).decode())


def test_another_version_is_refused_though_it_is_sealed() -> None:
    content = base64.urlsafe_b64decode(issued())[:-24]
    for version, good in ((1, True), (0, False), (2, False)):
        changed = bytes([version]) + content[1:]
        assert is_good(base64.urlsafe_b64encode(changed + ONE._sealed(changed)).decode()) == good


@pytest.mark.parametrize("written", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} "])
def test_the_scheme_is_bearer_in_any_case(written: str) -> None:
    assert OTHER.is_good(written.format(issued()), NOW)


@pytest.mark.parametrize(
    "written",
    [
        *("{}", "", "Bearer", "Bearer ", "Basic {}", "Token {}", "Bearer{}", "Bearer\t{}", " Bearer {}"),
        *("Bearer {} {}", "Bearer {}\n", "Bearer {}\xff", "Bearer 令牌", "Bearer =", "Bearer ====", "Bearer \0"),
        "Bearer " + "A" * 60_000,
    ],
)
def test_anything_else_is_none(written: str) -> None:
    assert not OTHER.is_good(written.replace("{}", issued()), NOW)


def test_it_does_not_show_itself_or_a_secret() -> None:
    token = ONE.issue(ENDS)
    assert CITY.word not in f"{token} {token!r} {token:>20}" + repr(base64.urlsafe_b64decode(token.reveal()))
    assert token.reveal() not in f"{token} {token!r}"


def test_one_that_was_good_before_still_ends() -> None:
    seal = TokenSeal(CITY.credentials())
    token = issued()
    assert all(is_good(token, ENDS - 1, seal) for _ in range(3))
    assert not is_good(token, ENDS, seal)
    assert is_good(token, ENDS - 1, seal)


def test_a_refused_one_is_looked_at_anew_each_time() -> None:
    seal = TokenSeal(CITY.credentials())
    token = issued()
    bad = ("B" if token[0] == "A" else "A") + token[1:]
    for _ in range(3):
        assert not is_good(bad, seal=seal)
        assert is_good(token, seal=seal)


def test_more_tokens_than_are_remembered_are_all_taken() -> None:
    seal = TokenSeal(CITY.credentials())
    tokens = [issued(NOW + n) for n in range(1, 600)]
    for _ in range(2):
        assert all(is_good(token, NOW, seal) for token in tokens)
    assert not any(is_good(token, NOW + 600, seal) for token in tokens)
