"""Where secrets come from: a variable of the environment, or the file that `<variable>_FILE` names.

Which variables, a platform's profile says. No error carries what a file holds.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import BadCredentials

_NAMES = ("OPERATOR_ID", "OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")

#: The caller's organisation code, characters 9 to 17 of its credit code (T/CEC 102).
_OPERATOR_ID = re.compile(r"[0-9A-Za-z]{9}")

#: A mounted secret is a line; more is another file by mistake.
_FILE_MAX_BYTES = 4096


def read_credentials(environment: Mapping[str, str], prefix: str) -> Credentials:
    """One direction's set. Raises BadCredentials naming every variable that is not set, or the first that is wrong:
    set twice, with a file that can't be read or is empty, or no OperatorID."""
    names = [prefix + name for name in _NAMES]
    values = [value_of(environment, name) for name in names]
    missing = tuple(name for name, value in zip(names, values, strict=True) if not value)
    if missing:
        raise BadCredentials("not set in the environment", missing)
    operator_id, *secrets = values
    if not _OPERATOR_ID.fullmatch(operator_id):
        raise BadCredentials("is no OperatorID, which has 9 letters and digits", (names[0],))
    try:
        return Credentials(operator_id, *map(Secret, secrets))
    except BadCredentials as error:
        raise BadCredentials(f"{error} ({prefix}…)") from None


def value_of(environment: Mapping[str, str], name: str) -> str:
    """The value, "" where neither the variable nor the one for its file is set. Raises BadCredentials."""
    direct, by_file = environment.get(name, ""), f"{name}_FILE"
    path = environment.get(by_file, "")
    if direct and path:
        raise BadCredentials("both are set: use one", (name, by_file))
    return _of_file(by_file, path) if path else direct


def _of_file(name: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_FILE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path"
        raise BadCredentials(f"{path} can't be read: {reason}", (name,)) from None
    if len(content) > _FILE_MAX_BYTES:
        raise BadCredentials(f"{path} holds more than {_FILE_MAX_BYTES} bytes", (name,))
    try:
        value = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadCredentials(f"{path} is not UTF-8", (name,)) from None
    if not value:
        raise BadCredentials(f"{path} is empty", (name,))
    return value
