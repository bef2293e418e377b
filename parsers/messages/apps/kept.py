"""What a payload holds beyond the facts that have a key of their own: kept as JSON can hold it, within bounds.

A payload comes from whoever sent the message. An archive names one object as often as it likes, so that a small one can
stand for more text than any disk holds; here everything that is written out is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import blob, plain, whole
from bagtag.parsers.formats.foundation import Unknown, Url
from bagtag.parsers.formats.keyed_archive import CLASS
from bagtag.parsers.formats.protobuf import Field

MAX_CHARACTERS = 1024 * 1024
MAX_ITEMS = 100_000
MAX_DEPTH = 30
"""Below the depth at which `cells.plain` stops, and far above what an app writes."""
MAX_JSON = 1024 * 1024
_SHORT = 32
_MOST_FIELDS = 100
_LEFT_OUT = {"$class": "left out: too much"}


class Allowance:
    """How much one payload may still write out: characters and items. Blobs are hashed, and count by their size."""

    __slots__ = ("_characters", "_items", "exhausted")

    def __init__(self) -> None:
        self._characters = MAX_CHARACTERS
        self._items = MAX_ITEMS
        self.exhausted = False

    def kept(self, value: Any, depth: int = 0) -> Any:
        """The decoded value as a record can hold it; what goes beyond the bounds is replaced by a mark."""
        if not self._take(value, depth):
            self.exhausted = True
            return dict(_LEFT_OUT)
        if isinstance(value, Mapping):
            return {
                whole(str(key)): self.kept(member, depth + 1)
                for key, member in value.items()
                if self._room_for(str(key))
            }
        if isinstance(value, list | tuple):
            return [self.kept(member, depth + 1) for member in value if self._room_for("")]
        if isinstance(value, Unknown):
            return {"$class": whole(value.class_name)}
        return plain(value)

    def renamed(self, members: Mapping[Any, Any], names: Mapping[str, str]) -> dict[str, Any]:
        """The members that say something, each under the name given for it; all others as they are, under `more`."""
        told = {
            name: self.kept(members[key])
            for key, name in names.items()
            if members.get(key) not in (None, "") and self._room_for(name)
        }
        more = {key: value for key, value in members.items() if key not in names and key != CLASS and value is not None}
        return {**told, "more": self.kept(more)} if more else told

    def text(self, value: Any) -> str | None:
        """The value if it is text that says something and for which there is room."""
        return whole(value) if isinstance(value, str) and value and self._room_for(value) else None

    def _take(self, value: Any, depth: int) -> bool:
        self._items -= 1
        if isinstance(value, str):
            self._characters -= len(value)
        elif isinstance(value, bytes):
            self._characters -= 64 + len(value) // 64
        elif isinstance(value, Url):
            self._characters -= len(value.text) + len(value.base or "")
        return depth <= MAX_DEPTH and self._items >= 0 and self._characters >= 0

    def _room_for(self, key: str) -> bool:
        self._characters -= len(key)
        if self._characters >= 0 and self._items > 0:
            return True
        self.exhausted = True
        return False


def present(**facts: Any) -> dict[str, Any]:
    """The facts that are there, in the order given."""
    return {key: value for key, value in facts.items() if value is not None and value not in ("", [], {})}


def mapping(value: Any) -> Mapping[Any, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def of_json(data: bytes) -> Any:
    """The value of a JSON text inside a payload; lone surrogates stay in it. Raises `MalformedError`."""
    if len(data) > MAX_JSON:
        raise MalformedError(f"JSON of {len(data)} bytes")
    try:
        return json.loads(data.decode())
    except (ValueError, RecursionError) as trouble:
        raise MalformedError(f"no JSON: {type(trouble).__name__}") from trouble


def unknown(fields: Iterable[Field], where: str = "field") -> dict[str, Any]:
    """Fields that nobody knows, by `field N`: numbers, short bytes as hexadecimal, longer ones as {sha256, size}."""
    told: dict[str, Any] = {}
    left = 0
    for number, field in enumerate(fields):
        if number < _MOST_FIELDS:
            told.setdefault(f"{where} {field.number}", []).append(_raw(field.value))
        else:
            left += 1
    if left:
        told["further fields"] = left
    return told


def _raw(value: int | bytes) -> Any:
    if isinstance(value, int):
        return plain(value)
    return value.hex() if len(value) <= _SHORT else blob(value)
