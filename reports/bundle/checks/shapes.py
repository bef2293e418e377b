"""The records and the inventory as a reader of the bag takes them: JSON Lines of the published shape, about files that
the bag holds.

Digests alone cannot show this: a folder may agree with itself and yet hold records that point nowhere. Cheap on
purpose: of each line the top-level keys and their types are compared with the schema in the bag, and each file that a
line names is looked up in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bagtag.custody import durable
from bagtag.custody.problem import Problem
from bagtag.reports.bundle import manifest
from bagtag.reports.bundle.tree import listing, shown

_MAX_LINE = 1 << 26
_MAX_SCHEMA = 1 << 22
_FOLDERS = ("data/records", "data/inventory")
_TYPES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}
_ANY: frozenset[type] = frozenset().union(*_TYPES.values())


@dataclass(frozen=True, slots=True)
class Shape:
    """What a schema asks of the top level of a line."""

    required: frozenset[str]
    types: dict[str, frozenset[type]]

    def trouble(self, record: dict[str, Any]) -> str | None:
        """What is wrong with this line, or None."""
        for key in self.required:
            if key not in record:
                return f"lacks {key!r}"
        for key, value in record.items():
            if type(value) not in self.types.get(key, _ANY):
                return f"has {key!r} of another type than its schema says"
        return None


def shape(schema: dict[str, Any]) -> Shape:
    """The shape of a JSON Schema whose top is an object, or a reference to one in `$defs`."""
    definitions = _table(schema.get("$defs"))
    top = _followed(schema, definitions)
    required = top.get("required")
    return Shape(
        frozenset(key for key in required if isinstance(key, str)) if isinstance(required, list) else frozenset(),
        {key: _allowed(_table(rule), definitions) for key, rule in _table(top.get("properties")).items()},
    )


def _allowed(rule: dict[str, Any], definitions: dict[str, Any]) -> frozenset[type]:
    choices = rule.get("anyOf")
    allowed: frozenset[type] = frozenset()
    for choice in choices if isinstance(choices, list) else [rule]:
        plain = _followed(_table(choice), definitions)
        if isinstance(values := plain.get("enum"), list):
            allowed |= {type(value) for value in values}
            continue
        names = plain.get("type")
        if names is None:
            return _ANY
        for name in names if isinstance(names, list) else [names]:
            allowed |= _TYPES.get(name, _ANY) if isinstance(name, str) else _ANY
    return allowed


def _followed(rule: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """One reference is followed, no more: a hostile schema may not send us round in circles."""
    reference = rule.get("$ref")
    if not isinstance(reference, str):
        return rule
    return _table(definitions.get(reference.removeprefix("#/$defs/")))


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def problems(bag: Path) -> list[Problem]:
    """Everything that is wrong with the records and the inventory in this bag. Raises OSError."""
    shapes: dict[str, Shape] = {}
    found: list[Problem] = []
    for node in listing(bag / "schemas", b"schemas/"):
        try:
            with durable.open_regular(bag / shown(node.path)) as file:
                schema = msgspec.json.decode(file.read(_MAX_SCHEMA), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
            found.append(Problem(f"bag/{shown(node.path)}", f"is no JSON object ({trouble})"))
            continue
        shapes[shown(node.path).removeprefix("schemas/").removesuffix(".json")] = shape(schema)
    with manifest.Lookup(bag / manifest.PAYLOAD) as sealed:
        for folder in _FOLDERS:
            if not (bag / folder).is_dir():
                found.append(Problem(f"bag/{folder}", "is missing", "a folder", "nothing"))
                continue
            for node in listing(bag / folder, f"{folder}/".encode()):
                if node.kind == "file" and node.path.endswith(b".jsonl"):
                    found += _file_problems(bag, shown(node.path), shapes, sealed)
    return found


def _file_problems(bag: Path, name: str, shapes: dict[str, Shape], sealed: manifest.Lookup) -> list[Problem]:
    """The first fault of the file in full and the number of the others: one fault of the writer is on every line."""
    stem = name.rpartition("/")[2].removesuffix(".jsonl")
    fits = shapes.get(stem, shapes.get(stem.removesuffix("s")))
    if fits is None:
        return [Problem(f"bag/{name}", "is of a kind that no schema in the bag describes", f"schemas/{stem}.json")]
    first: str | None = None
    others = 0
    for number, record in _lines(bag / name):
        trouble = record if isinstance(record, str) else fits.trouble(record) or _astray(record, sealed)
        if trouble is not None:
            first, others = (f"line {number} {trouble}", others) if first is None else (first, others + 1)
    if first is None:
        return []
    return [Problem(f"bag/{name}", first + (f"; so or otherwise are {others} more lines" if others else ""))]


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Each line as an object, or the sentence that says why it is none."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with durable.open_regular(path) as file:
        number = 0
        while raw := file.readline(_MAX_LINE):
            number += 1
            try:
                yield number, decode(raw) if raw.endswith(b"\n") else "does not end with a newline"
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield number, "is no JSON object"


def _astray(record: dict[str, Any], sealed: manifest.Lookup) -> str | None:
    """An inventory row, or an attachment of a record, whose file the manifest lacks or gives another digest."""
    attachments = record.get("attachments")
    for owner in (record, *(attachments if isinstance(attachments, list) else ())):
        if not isinstance(owner, dict) or not isinstance(path := owner.get("bag_path"), str):
            continue
        sha256 = owner["sha256"] if "sha256" in owner else _table(owner.get("plain")).get("sha256")
        if not isinstance(sha256, str):
            continue
        listed = sealed.digest(path.encode("utf-8", "backslashreplace"))
        if listed is None:
            return f"names {path}, which the bag does not hold"
        if listed != sha256:
            return f"says another sha256 of {path} than the manifest"
    return None
