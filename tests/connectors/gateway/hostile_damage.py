"""Calls that begin well and are damaged on the way: at one layer, or at two. All that follows a damaged layer is done
right, so a wrong plaintext comes encrypted and signed, and each check of the gateway is reached."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from Crypto.Cipher import AES

from tests.connectors.gateway import hostile_calls as calls
from tests.connectors.gateway.hostile_calls import CRYPTO, Headers, Request, encoded, envelope, stamp
from tests.connectors.gateway.hostile_texts import damaged_bytes, damaged_text, damaged_values
from tests.connectors.gateway.hostile_world import BASE, BEIJING, CHENGDU, PLATFORMS, Secrets, World

#: From the inside out. At NOTHING the call stays good.
LAYERS = (
    *("values", "values", "text", "bytes", "padding", "cipher", "stamp", "fields", "sig", "envelope text"),
    *("body", "token", "http", "another platform's", "nothing", "nothing"),
)


def hostile_request(rng: Random, world: World, said: Sequence[Request] = ()) -> Request:
    """A call that may be wrong anywhere; `said` are some that were made before, one of which may be made again."""
    if said and rng.randrange(16) == 0:
        return rng.choice(said)
    layers = {rng.choice(LAYERS)} | ({rng.choice(LAYERS)} if rng.randrange(4) == 0 else set())
    secrets = rng.choice((BEIJING, BEIJING, CHENGDU))
    interface = rng.choice(calls.INTERFACES)
    data = _data(rng, layers, secrets, interface)
    timestamp = _timestamp(rng, world) if "stamp" in layers else stamp(world.clock.now_s)
    seq = _seq(rng) if "stamp" in layers else f"{rng.randrange(10_000):04d}"
    body = _body(rng, layers, _fields(rng, layers, secrets, data, timestamp, seq))
    headers = _headers(rng, world, secrets) if "token" in layers else calls.bearer(world.token(secrets))
    request = Request(BASE + interface, body, headers)
    return _as_http(rng, request) if "http" in layers else request


def _data(rng: Random, layers: set[str], secrets: Secrets, interface: str) -> str:
    values = calls.good_payload(interface, secrets, rng)
    if "values" in layers:
        values = damaged_values(rng, values)
    text = encoded(values).decode()
    if "text" in layers:
        text = damaged_text(rng, text)
    plaintext = text.encode(errors="surrogatepass")
    if "bytes" in layers:
        plaintext = damaged_bytes(rng, plaintext)
    data = (
        _oddly_padded(rng, secrets, plaintext)
        if "padding" in layers
        else CRYPTO[secrets.operator_id].encrypt(plaintext)
    )
    return _damaged_cipher(rng, data) if "cipher" in layers else data


def _oddly_padded(rng: Random, secrets: Secrets, plaintext: bytes) -> str:
    """As other paddings have it; all but the first are none."""
    room = 16 - len(plaintext) % 16
    padding = rng.choice(
        (
            bytes([room]) * room,
            bytes(room),
            b"\x80" + bytes(room - 1),
            bytes(room - 1) + bytes([room]),
            b" " * room,
            bytes([17]) * room,
            b"\x00" * (room - 1) + b"\x01" + b"\x10" * 16,
        )
    )
    cipher = AES.new(secrets.data_secret.encode(), AES.MODE_CBC, secrets.data_iv.encode())
    return base64.b64encode(cipher.encrypt(plaintext + padding)).decode()


def _damaged_cipher(rng: Random, data: str) -> str:
    raw = base64.b64decode(data)
    return rng.choice(
        (
            base64.b64encode(damaged_bytes(rng, raw)[:40_000]).decode(),
            base64.b64encode(raw + raw).decode(),
            base64.encodebytes(raw).decode(),
            base64.urlsafe_b64encode(raw).decode(),
            data.rstrip("="),
            data + "=",
            data[:-1],
            data.replace("A", "Ａ"),
            data[:8] + "\n \t" + data[8:],
            raw.hex(),
            "",
            "====",
            damaged_text(rng, data),
        )
    )


def _timestamp(rng: Random, world: World) -> str:
    now = stamp(world.clock.now_s)
    away_s = rng.choice((0, 1, -1, 599, -599, 601, -601, 86_400, -(10**9)))
    odd = (
        "",
        " ",
        "0" * 14,
        "9" * 14,
        "00010101000000",
        now[:-1],
        now + "0",
        now.replace("2", "２"),
        now[:8] + " 1" * 3,
    )
    return rng.choice((*(stamp(world.clock.now_s + away_s),) * 3, *odd, damaged_text(rng, now)[:100]))


def _seq(rng: Random) -> str:
    return rng.choice(("0001", "", "1", "00001", "abcd", "9" * 200, "\x00", "充电"))


def _fields(rng: Random, layers: set[str], secrets: Secrets, data: str, timestamp: str, seq: str) -> dict[str, Any]:
    try:
        fields = envelope(secrets, data, timestamp, seq)
    except UnicodeEncodeError:  # half a character can't be signed
        fields = envelope(secrets, "", timestamp, seq) | {"Data": data}
    if "another platform's" in layers:
        fields = _of_another(rng, secrets, fields)
    if "sig" in layers:
        sig = fields["Sig"]
        changed = sig[:-1] + ("0" if sig[-1] != "0" else "1")
        other = CRYPTO[_other(secrets).operator_id].sign_request(secrets.operator_id, data, timestamp, seq)
        fields["Sig"] = rng.choice(
            (sig.lower(), changed, "", sig[:-1], sig + " ", sig + sig, other, "ﬀ" * 16, "0" * 32, "x" * 9_000)
        )
    if "fields" in layers:
        fields = damaged_values(rng, fields)
    return fields


def _of_another(rng: Random, secrets: Secrets, fields: dict[str, Any]) -> dict[str, Any]:
    """Signed by one, in the name of another or of nobody; or with what belongs to two."""
    other = _other(secrets)
    name = rng.choice((other.operator_id, "999999999", secrets.operator_id + "0", "", "beijing"))
    own = CRYPTO[secrets.operator_id]
    signed = own.sign_request(name, fields["Data"], fields["TimeStamp"], fields["Seq"])
    theirs = envelope(other, fields["Data"], fields["TimeStamp"], fields["Seq"])
    return rng.choice(({**fields, "OperatorID": name}, {**fields, "OperatorID": name, "Sig": signed}, theirs))


def _body(rng: Random, layers: set[str], fields: dict[str, Any]) -> bytes:
    text = encoded(fields).decode(errors="surrogatepass") if rng.randrange(4) else _compact(fields)
    if "envelope text" in layers:
        text = damaged_text(rng, text)
    body = text.encode(errors="surrogatepass")
    return damaged_bytes(rng, body) if "body" in layers else body


def _compact(fields: dict[str, Any]) -> str:
    """In another order, as ASCII."""
    return json.dumps(dict(reversed(fields.items())), separators=(",", ":"))


def _headers(rng: Random, world: World, secrets: Secrets) -> Headers:
    good = world.token(secrets).encode()
    flipped = damaged_bytes(rng, good)[:8_000]
    odd = rng.choice(
        (
            b"",
            b"Bearer",
            b"Bearer ",
            b"bearer " + good,
            b"Bearer  " + good + b" ",
            b"Bearer " + good + b"==",
            b"Basic " + good,
            good,
            b"Bearer " + world.token(_other(secrets)).encode(),
            b"Bearer " + world.ended_token(secrets).encode(),
            b"Bearer " + flipped,
            b"Bearer " + good + b"\x00",
            b"Bearer \xff\xfe\x80" + good,
            b"Bearer " + b"A" * 52,
            b"Bearer " + b"A" * 8_000,
            b"\xe5\x85\x85" * 100,
        )
    )
    header = (b"authorization", odd)
    return rng.choice(([header], [header, *calls.bearer(good.decode())], [*calls.bearer(good.decode()), header], []))


def _as_http(rng: Random, request: Request) -> Request:
    """Another path or method, in other parts, or gone before the end."""
    how = rng.randrange(4)
    if how == 0:
        path = rng.choice(
            (
                BASE,
                "/",
                "",
                "*",
                request.path + "/",
                request.path.upper(),
                "/" + request.path,
                BASE + "../" + request.path,
            )
        )
        return replace(request, path=path)
    if how == 1:
        return replace(request, method=rng.choice(("GET", "HEAD", "PUT", "OPTIONS", "DELETE", "post", "PATCH", "\x00")))
    cuts = [rng.randrange(len(request.body) + 1) for _ in range(rng.choice((1, 2, 7, 40)))]
    return replace(request, cuts=cuts, leaves=how == 2)


def _other(secrets: Secrets) -> Secrets:
    return next(one for one in PLATFORMS.values() if one is not secrets)
