"""Step 11, the schemas of records: what the JSON Schemas in the bag ask of a line.

Cheap on purpose: of each line the top-level keys and their types are compared, no more. Step 12 asks the same lines
which files they name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from bagtag.custody.problem import Problem
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.tree import shown

_MAX_SCHEMA = 1 << 22
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


def read(folder: EvidenceFolder) -> tuple[dict[str, Shape], list[Problem]]:
    """The shapes by the name of the record's kind, and what is wrong with their schemas. Raises OSError."""
    shapes: dict[str, Shape] = {}
    found: list[Problem] = []
    for node in folder.listing("bag/schemas", b""):
        name = shown(node.path)
        try:
            with folder.open(f"bag/schemas/{name}") as file:
                schema = msgspec.json.decode(file.read(_MAX_SCHEMA), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
            found.append(Problem(f"bag/schemas/{name}", f"is no JSON object ({trouble})"))
            continue
        shapes[name.removesuffix(".json")] = shape(schema)
    return shapes, found
