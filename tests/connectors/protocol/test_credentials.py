import traceback

import pytest

from connectors.protocol import envelope, query_token, wire_json
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import BadCredentials, BadPayload, ProtocolError
from connectors.protocol.sequence import Stamp

SECRETS = ("operator-secret!", "data-secret-4567", "data-iv-89abcdef", "sig-secret-value")
OURS = Credentials("123456789", *map(Secret, SECRETS))


def test_secrets_print_as_stars() -> None:
    secret = Secret("hush")
    assert {repr(secret), str(secret), f"{secret}", f"{secret!s}", f"{secret:}", "%s" % secret} == {"***"}  # noqa: UP031
    assert f"{secret:>5}" == "  ***"
    assert "***" in repr(OURS)
    assert not any(text in repr(OURS) for text in SECRETS)
    grant = query_token.TokenGrant("1", Secret("a-token"), 7200)
    assert "a-token" not in repr(grant)
    assert secret.reveal() == "hush"


def test_secrets_compare_and_hash() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


@pytest.mark.parametrize(
    ("secrets", "name"),
    [
        (("o", "short", "i" * 16, "s"), "DataSecret"),
        (("o", "d" * 16, "密" * 16, "s"), "DataSecretIV"),
        (("o", "d" * 16, "i" * 16, ""), "SigSecret"),
    ],
)
def test_lengths_are_checked(secrets: tuple[str, ...], name: str) -> None:
    with pytest.raises(BadCredentials) as caught:
        Credentials("123456789", *map(Secret, secrets))
    assert caught.value.names == (name,)
    assert "short" not in str(caught.value)


def _errors() -> list[ProtocolError]:
    sealed = envelope.seal_request(b'{"OperatorSecret":"operator-secret!"', OURS, Stamp("20240102030405", "0001"))
    found: list[ProtocolError] = []
    other = Credentials("123456789", Secret("o"), Secret("x" * 16), Secret("y" * 16), OURS.sig_secret)
    unsigned = Credentials("1", Secret("o"), OURS.data_secret, OURS.data_secret_iv, Secret("z"))
    for credentials in (other, unsigned):
        with pytest.raises(ProtocolError) as caught:
            envelope.open_request(sealed, credentials)
        found.append(caught.value)
    with pytest.raises(BadPayload) as unread:
        wire_json.decode(envelope.open_request(sealed, OURS).payload)
    return [*found, unread.value]


def test_no_error_carries_a_secret() -> None:
    for error in _errors():
        everything = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error.args)
        context: BaseException | None = error
        while context is not None:
            everything += repr(getattr(context, "doc", ""))
            context = context.__context__
        assert not any(text in everything for text in SECRETS)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"SuccStat": 0, "TokenAvailableTime": 7200},
        {"SuccStat": 0, "AccessToken": "", "TokenAvailableTime": 7200},
        {"SuccStat": 0, "AccessToken": "t", "TokenAvailableTime": 0},
        {"SuccStat": 0, "AccessToken": 7, "TokenAvailableTime": 1},
    ],
)
def test_a_grant_without_a_usable_token_is_none(payload: dict[str, object]) -> None:
    with pytest.raises(BadPayload):
        query_token.read_response(payload)


def test_a_refused_token_says_why() -> None:
    grant = query_token.read_response({"SuccStat": "1", "FailReason": "2"})
    assert (grant.succeeded, grant.fail_reason) == (False, query_token.TokenFailure.WRONG_SECRET)
    assert query_token.response_payload(grant) == {
        "OperatorID": "",
        "SuccStat": 1,
        "AccessToken": "",
        "TokenAvailableTime": 0,
        "FailReason": 2,
    }
    assert query_token.read_response({"SuccStat": 1}).fail_reason == 0
