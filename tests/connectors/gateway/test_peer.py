"""Tokens that a platform is granted: for the right secret, for as long as it is told, at every instance."""

import pytest

from connectors.protocol.credentials import Secret
from connectors.protocol.query_token import TokenFailure, TokenRequest
from tests.connectors.gateway.callers import CITY
from tests.connectors.gateway.house import peer

NOW = 1_740_974_400


def asking(operator_id: str = CITY.operator_id, secret: str = CITY.operator_secret) -> TokenRequest:
    return TokenRequest(operator_id, Secret(secret))


def test_who_shows_the_right_secret_gets_a_token() -> None:
    grant = peer(token_s=3600).grant(asking(), NOW)
    assert (grant.operator_id, grant.available_s) == (CITY.operator_id, 3600)
    assert grant.succeeded
    assert grant.fail_reason is TokenFailure.NONE


def test_it_is_good_at_every_instance() -> None:
    token = peer().grant(asking(), NOW).access_token.reveal()
    assert peer().seal.is_good(f"Bearer {token}", NOW + 7199)


@pytest.mark.parametrize("now", [NOW, NOW + 0.001, NOW + 0.5, NOW + 0.999])
def test_it_is_good_for_as_long_as_was_told_and_a_second_more_at_most(now: float) -> None:
    seal = peer().seal
    token = f"Bearer {peer(token_s=60).grant(asking(), now).access_token.reveal()}"
    assert seal.is_good(token, now + 59.99)
    assert not seal.is_good(token, now + 61)


@pytest.mark.parametrize(
    ("request_", "failure"),
    [
        (asking(secret="another"), TokenFailure.WRONG_SECRET),
        (asking(secret=""), TokenFailure.WRONG_SECRET),
        (asking(secret=CITY.operator_secret.upper()), TokenFailure.WRONG_SECRET),
        (asking(operator_id="313744933"), TokenFailure.UNKNOWN_OPERATOR),
        (asking(operator_id=""), TokenFailure.UNKNOWN_OPERATOR),
        (asking("313744933", "another"), TokenFailure.UNKNOWN_OPERATOR),
    ],
)
def test_nobody_else_does(request_: TokenRequest, failure: TokenFailure) -> None:
    grant = peer().grant(request_, NOW)
    assert (grant.operator_id, grant.fail_reason) == (request_.operator_id, failure)
    assert (grant.available_s, grant.access_token.reveal(), grant.succeeded) == (0, "", False)


def test_each_platform_has_limits_of_its_own() -> None:
    one, other = peer(per_second=1, burst=1, replay_window_s=60), peer(per_second=1, burst=1, replay_window_s=60)
    assert one.rate.takes(NOW)
    assert not one.rate.takes(NOW)
    assert other.rate.takes(NOW)
    assert one.replays.is_new("A", NOW)
    assert not one.replays.is_new("A", NOW)
    assert other.replays.is_new("A", NOW)
