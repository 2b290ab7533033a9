"""The README stays short and tells every setting."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = ("streams", "schemas", "connectors", "infra")


def test_it_is_short() -> None:
    assert README.count("\n") <= 150


def test_every_environment_variable_is_told() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
    used = set(re.findall(r"\bEVCS_[A-Z_]*[A-Z]\b", text))
    told = set(re.findall(r"\bEVCS_[A-Z_]*[A-Z]\b", README))
    endings = tuple(re.findall(r"…(_[A-Z_]+)\b|EVCS_<PLATFORM>(_[A-Z_]+)", README))
    abbreviated = tuple(ending for pair in endings for ending in pair if ending)
    waits = re.compile(r"EVCS_STREAMS_[A-Z_]+_MS")
    missing = {name for name in used - told if not name.endswith(abbreviated) and not waits.fullmatch(name)}
    assert missing == set()
    assert "EVCS_STREAMS_<WAIT>_MS" in README
