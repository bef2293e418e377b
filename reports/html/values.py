"""Nested facts (scope, properties, details) as rows of label and value that a table can hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_DEEPEST = 16


def flat(value: Any) -> list[tuple[str, str]]:
    """Every leaf with the path of keys that leads to it, in the order given. What lies deeper than 16 stays JSON."""
    return list(_leaves(value, "", 0))


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path} › {key}" if path else str(key), depth + 1)
    elif isinstance(value, list | tuple) and value and depth < _DEEPEST:
        if all(isinstance(inner, str | int | float | bool) or inner is None for inner in value):
            yield path, ", ".join(_leaf(inner) for inner in value)
        else:
            for number, inner in enumerate(value, start=1):
                yield from _leaves(inner, f"{path} {number}".strip(), depth + 1)
    else:
        yield path, _leaf(value)


def _leaf(value: Any) -> str:
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str) if value else "none"
