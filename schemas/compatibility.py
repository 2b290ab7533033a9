"""Whether every newer version of a record can read what every older one wrote, by Avro's rules for resolution.

Nothing is registered or decoded here; a Schema Registry, where there is one, checks the same once more.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.registry import SchemaVersion, load_schemas

#: What a reader may ask for, by what was written.
_PROMOTIONS = {
    "int": {"int", "long", "float", "double"},
    "long": {"long", "float", "double"},
    "float": {"float", "double"},
    "string": {"string", "bytes"},
    "bytes": {"bytes", "string"},
}
_PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}

#: Fields whose bytes are compared or read by position: their names, types and order are for ever.
FIXED_BEGINNINGS = {
    "telemetry": ("status", "park_status", "lock_status", "start_charge_seq", "charge_model", "sampled_at", "meter_wh")
}

#: And the fields that a record ends with, for the same reason.
FIXED_ENDS = {"telemetry": ("connector_id", "equipment_id", "station_id")}


def problems(schemas: Mapping[SchemaVersion, Mapping[str, Any]] | None = None) -> list[str]:
    """What keeps a newer version from reading an older one, a sentence each; empty when nothing does."""
    found: list[str] = []
    every = load_schemas() if schemas is None else schemas
    for record in sorted({version.record for version in every}):
        versions = sorted(version for version in every if version.record == record)
        numbers = [version.version for version in versions]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"{record}: versions {numbers} have a gap")
        for index, older in enumerate(versions):
            for newer in versions[index + 1 :]:
                where = f"{newer} reading {older}"
                found += [f"{where}: {problem}" for problem in unreadable(every[older], every[newer])]
        for version in versions:
            found += [f"{version}: {problem}" for problem in _moved(record, every[version], every[versions[0]])]
    return found


def unreadable(writer: Any, reader: Any) -> list[str]:
    """Why `reader` can't read what `writer` wrote, with the path to each place; empty when it can."""
    return list(_resolve(writer, reader, "", _names(writer), _names(reader), frozenset()))


def _moved(record: str, schema: Mapping[str, Any], first: Mapping[str, Any]) -> Iterator[str]:
    """Fields that are read by position and are not where they were."""
    fields, originals = schema.get("fields", ()), first.get("fields", ())
    beginning, end = FIXED_BEGINNINGS.get(record, ()), FIXED_ENDS.get(record, ())
    names = [field["name"] for field in fields]
    if tuple(names[: len(beginning)]) != beginning:
        yield f"must begin with {', '.join(beginning)}"
    if end and tuple(names[-len(end) :]) != end:
        yield f"must end with {', '.join(end)}"
    types = {field["name"]: field["type"] for field in originals}
    for field in fields:
        if field["name"] in (*beginning, *end) and types.get(field["name"], field["type"]) != field["type"]:
            yield f"{field['name']} is read by position: its type is fixed"


def _names(schema: Any) -> dict[str, Any]:
    """The named types that a schema defines, by name."""
    found: dict[str, Any] = {}

    def visit(part: Any) -> None:
        if isinstance(part, list):
            for branch in part:
                visit(branch)
        elif isinstance(part, Mapping):
            if part.get("type") in ("record", "enum", "fixed"):
                found[_name(part)] = part
            for inner in (part.get("type"), part.get("items"), part.get("values")):
                if isinstance(inner, Mapping | list):
                    visit(inner)
            for field in part.get("fields", ()):
                visit(field["type"])

    visit(schema)
    return found


def _name(schema: Any) -> str:
    """A named type's own name: namespaces do not matter to resolution here, since all are ours."""
    return str(schema["name"]).rpartition(".")[2]


def _plain(schema: Any, names: Mapping[str, Any]) -> Any:
    """The schema itself where it is a name, or a name wrapped in a mapping."""
    while True:
        if isinstance(schema, str) and schema not in _PRIMITIVES:
            schema = names[schema.rpartition(".")[2]]
        elif isinstance(schema, Mapping) and isinstance(schema["type"], Mapping | list):
            schema = schema["type"]
        else:
            return schema


def _kind(schema: Any) -> str:
    return "union" if isinstance(schema, list) else schema if isinstance(schema, str) else str(schema["type"])


def _logical(schema: Any) -> tuple[Any, ...]:
    if not isinstance(schema, Mapping):
        return (None, None, None)
    return schema.get("logicalType"), schema.get("precision"), schema.get("scale")


def _resolve(
    writer: Any,
    reader: Any,
    path: str,
    written: Mapping[str, Any],
    read: Mapping[str, Any],
    above: frozenset[tuple[str, str]],
) -> Iterator[str]:
    writer, reader = _plain(writer, written), _plain(reader, read)
    at = path or "the record"
    if isinstance(writer, list):
        for branch in writer:
            yield from _resolve(branch, reader, path, written, read, above)
        return
    if isinstance(reader, list):
        if all(any(_resolve(writer, branch, path, written, read, above)) for branch in reader):
            yield f"{at}: no branch of the union takes {_kind(writer)}"
        return
    kind, wanted = _kind(writer), _kind(reader)
    if wanted not in _PROMOTIONS.get(kind, {kind}):
        yield f"{at}: {kind} can't be read as {wanted}"
    elif kind == "record":
        pair = (_name(writer), _name(reader))
        if pair[0] != pair[1]:
            yield f"{at}: record {pair[0]} is called {pair[1]}"
        elif pair not in above:
            yield from _fields(writer, reader, path, written, read, above | {pair})
    elif kind == "enum":
        gone = [s for s in writer["symbols"] if s not in reader["symbols"]]
        if gone:
            yield f"{at}: enum symbols {', '.join(gone)} are gone"
    elif kind == "array":
        yield from _resolve(writer["items"], reader["items"], f"{path}[]", written, read, above)
    elif kind == "map":
        yield from _resolve(writer["values"], reader["values"], f"{path}{{}}", written, read, above)
    elif kind == "fixed" and writer["size"] != reader["size"]:
        yield f"{at}: fixed of {writer['size']} bytes can't be read as one of {reader['size']}"
    elif _logical(writer) != _logical(reader):
        yield f"{at}: {_logical(writer)} can't be read as {_logical(reader)}"


def _fields(
    writer: Mapping[str, Any],
    reader: Mapping[str, Any],
    path: str,
    written: Mapping[str, Any],
    read: Mapping[str, Any],
    above: frozenset[tuple[str, str]],
) -> Iterator[str]:
    """A record's fields: matched by name; what the reader alone has needs a default."""
    theirs = {field["name"]: field for field in writer["fields"]}
    for field in reader["fields"]:
        inner = f"{path}.{field['name']}" if path else field["name"]
        match = next((theirs[n] for n in (field["name"], *field.get("aliases", ())) if n in theirs), None)
        if match is not None:
            yield from _resolve(match["type"], field["type"], inner, written, read, above)
        elif "default" not in field:
            yield f"{inner}: new without a default"
