"""A certificate of its own making for a server on 127.0.0.1, and its key, as files."""

from base64 import encodebytes
from pathlib import Path

from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from Crypto.Util.asn1 import DerBitString, DerNull, DerObjectId, DerOctetString, DerSequence

_SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
_SUBJECT_ALT_NAME = "2.5.29.17"
_COMMON_NAME = "2.5.4.3"
_UTC_TIME, _SET, _UTF8, _IP_ADDRESS = b"\x17", b"\x31", b"\x0c", b"\x87"


def _tagged(tag: bytes, content: bytes) -> bytes:
    assert len(content) < 128
    return tag + bytes([len(content)]) + content


def _sequence(*parts: bytes | int) -> bytes:
    return DerSequence(list(parts)).encode()


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Its file and its key's; good until 2049."""
    key = RSA.generate(2048)
    algorithm = _sequence(DerObjectId(_SHA256_WITH_RSA).encode(), DerNull().encode())
    name = _sequence(_tagged(_SET, _sequence(DerObjectId(_COMMON_NAME).encode(), _tagged(_UTF8, b"127.0.0.1"))))
    validity = _sequence(_tagged(_UTC_TIME, b"200101000000Z"), _tagged(_UTC_TIME, b"491231235959Z"))
    addresses = DerOctetString(_sequence(_tagged(_IP_ADDRESS, bytes([127, 0, 0, 1])))).encode()
    extension = _sequence(_sequence(DerObjectId(_SUBJECT_ALT_NAME).encode(), addresses))
    version = _tagged(b"\xa0", b"\x02\x01\x02")
    body = _sequence(
        version, 1, algorithm, name, validity, name, key.public_key().export_key("DER"), _tagged(b"\xa3", extension)
    )
    signature = pkcs1_15.new(key).sign(SHA256.new(body))
    whole = _sequence(body, algorithm, DerBitString(signature).encode())
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_text(_pem("CERTIFICATE", whole))
    secret.write_bytes(key.export_key("PEM"))
    return certificate, secret


def _pem(kind: str, content: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{encodebytes(content).decode()}-----END {kind}-----\n"
