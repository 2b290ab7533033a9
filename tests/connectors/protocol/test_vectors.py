"""Golden vectors: every published envelope is opened, and sealed again to the byte."""

import pytest

from connectors.protocol import cipher, envelope, query_token, wire_json
from connectors.protocol.errors import BadPayload
from connectors.protocol.sequence import Stamp
from tests.connectors.protocol.vectors import REQUESTS, RESPONSES, VECTORS, Vector, sample


def test_all_five_are_here() -> None:
    assert len(VECTORS) == 5
    assert len(REQUESTS) == 4


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda v: v.id)
def test_a_request_opens_and_seals_to_the_byte(vector: Vector) -> None:
    opened = envelope.open_request(vector.body, vector.credentials)
    assert opened.payload == vector.plaintext
    assert opened.envelope.operator_id == vector.envelope["OperatorID"]
    stamp = Stamp(vector.envelope["TimeStamp"], vector.envelope["Seq"])
    assert envelope.seal_request(vector.plaintext, vector.credentials, stamp) == vector.body


@pytest.mark.parametrize("vector", RESPONSES, ids=lambda v: v.id)
def test_a_response_opens_and_seals_to_the_byte(vector: Vector) -> None:
    opened = envelope.open_response(vector.body, vector.credentials)
    assert (opened.ret, opened.msg, opened.payload) == (0, "", vector.plaintext)
    assert opened.signed
    assert envelope.seal_response(vector.plaintext, vector.credentials) == vector.body


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.id)
def test_the_cipher_alone(vector: Vector) -> None:
    secrets = (vector.credentials.data_secret.encoded, vector.credentials.data_secret_iv.encoded)
    assert cipher.Cbc(*secrets).decrypt(vector.envelope["Data"]) == vector.plaintext
    assert cipher.Cbc(*secrets).encrypt(vector.plaintext) == vector.envelope["Data"]


def test_the_appendix_vector_is_a_vector_of_the_cipher_only() -> None:
    vector = next(v for v in VECTORS if v.id == "cec_102_4_2016_appendix_C3")
    with pytest.raises(BadPayload, match="not JSON"):
        wire_json.decode(vector.plaintext)


def test_the_token_vectors_read_as_tokens() -> None:
    printed = sample("03_query_token_request_response.json")
    asked = query_token.read_request(printed["request"])
    assert (asked.operator_id, asked.operator_secret.reveal()) == ("123456789", "1234567890abcdef")
    vector = RESPONSES[0]
    grant = query_token.read_response(wire_json.decode(vector.plaintext))
    assert grant.available_s == 7200
    assert query_token.response_payload(grant) == printed["response"]
    assert query_token.request_payload(REQUESTS[0].credentials) == printed["request"]
