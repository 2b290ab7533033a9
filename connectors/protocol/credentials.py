"""What two peers share for one direction of calls. Where the values come from is not decided here."""

import hmac
from dataclasses import dataclass, field

from connectors.protocol.cipher import AES_BLOCK_SIZE, Cbc, Signer
from connectors.protocol.errors import BadCredentials


class Secret:
    """A text that prints as `***` wherever it is printed; `reveal()` is the one way to it."""

    __slots__ = ("_text", "encoded")

    def __init__(self, text: str) -> None:
        self._text = text
        #: The UTF-8 bytes, kept because every message needs them.
        self.encoded = text.encode()

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.encoded, other.encoded)

    def __hash__(self) -> int:
        return hash(self.encoded)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One direction's secrets. `operator_id` is the caller's: ours when we call, the platform's when it calls.

    Raises BadCredentials unless DataSecret and DataSecretIV are 16 bytes of UTF-8 and SigSecret is not empty.
    """

    operator_id: str
    operator_secret: Secret
    data_secret: Secret
    data_secret_iv: Secret
    sig_secret: Secret
    #: Encrypts and decrypts with DataSecret and DataSecretIV.
    cbc: Cbc = field(init=False, repr=False, compare=False)
    #: Signs with SigSecret.
    signer: Signer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, secret in (("DataSecret", self.data_secret), ("DataSecretIV", self.data_secret_iv)):
            if len(secret.encoded) != AES_BLOCK_SIZE:
                raise BadCredentials(f"is {len(secret.encoded)} bytes long, {AES_BLOCK_SIZE} are needed", (name,))
        if not self.sig_secret:
            raise BadCredentials("is empty", ("SigSecret",))
        object.__setattr__(self, "cbc", Cbc(self.data_secret.encoded, self.data_secret_iv.encoded))
        object.__setattr__(self, "signer", Signer(self.sig_secret.encoded))
