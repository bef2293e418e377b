"""What the phone's data detectors found in a text: dates, addresses, money, flights, parcels, numbers, codes.

Each is an attribute of its stretch, an archived DDScannerResult under the key `dd-result`: words `MS`, type `T`,
value `V`, results inside it `SR` (seen in the attributes of real bodies). The attribute itself stays in the part's
`ranges`; here it is told in words that a page can print. Types are Apple's, as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bagtag.parsers.records import Part

_CLASS = "DDScannerResult"
_MOST = 256
"""Results told of one message; the attributes hold all of them."""
_DEEPEST = 8
_MEMBERS = (("type", "T"), ("text", "MS"), ("value", "V"))


def detections(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """One {part, type, text, value, inside} for each result, in the order of the text; what is not told is absent.

    `inside` lists results of the same form. Of a message with more than 256 in all, the first are told.
    """
    found: list[dict[str, Any]] = []
    room = _Room(_MOST)
    for part in parts:
        for stretch in part.ranges:
            for result in _results(stretch.attributes):
                told = {"part": part.index, **_told(result, room, 0)}
                if len(told) > 1 and told != (found[-1] if found else None):  # one result may be cut into several runs
                    found.append(told)
    return found


class _Room:
    """How many results may still be told."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0


def _results(attributes: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in attributes.values():
        archived = value.get("value") if isinstance(value, dict) else None
        result = archived.get("dd-result", archived) if isinstance(archived, dict) else None
        if isinstance(result, dict) and result.get("$class") == _CLASS:
            yield result


def _told(result: Mapping[str, Any], room: _Room, depth: int) -> dict[str, Any]:
    if not room.take():
        return {}
    told: dict[str, Any] = {}
    for name, key in _MEMBERS:
        if isinstance(result.get(key), str):
            told[name] = result[key]
    inner = result.get("SR")
    if isinstance(inner, list) and depth < _DEEPEST:
        results = (each for each in inner if isinstance(each, dict) and each.get("$class") == _CLASS)
        if inside := [said for each in results if (said := _told(each, room, depth + 1))]:
            told["inside"] = inside
    return told
