"""Messages for Business: questions a company asks in a balloon, and what was picked.

`data` in the payload is JSON: a quick reply {items, summaryText, selectedIndex}, a list picker {sections of items} with
`receivedMessage` and `replyMessage`, or a form {selections: a question and the items picked for it}. Known from real
payloads. How deep these lie differs, so they are looked for by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.messages.apps.extension import Extension
from bagtag.parsers.messages.apps.kept import Allowance, mapping, of_json, present, sequence
from bagtag.parsers.messages.body import Report

_MOST_NODES = 2000
_ITEM = {"title": "title", "subtitle": "subtitle", "identifier": "id"}


def details(extension: Extension, allowance: Allowance, report: Report) -> dict[str, Any]:
    """`kind` (quick-reply, list-picker, form or unknown), `items`, `selected`, and `data` as it is."""
    raw = extension.members.get("data")
    raw = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw
    if not isinstance(raw, bytes):
        return {}
    try:
        data = of_json(raw)
    except MalformedError as trouble:
        report(f"the business message in payload_data cannot be read: {trouble}")
        return {}
    return {**_read(data, allowance), "data": allowance.kept(data)}


def _read(data: Any, allowance: Allowance) -> dict[str, Any]:
    if form := _holder(data, "selections"):
        asked = [mapping(each) for each in sequence(form["selections"])]
        selected = [
            present(
                question=allowance.text(each.get("subtitle")) or allowance.text(each.get("title")),
                items=_items(each.get("items"), allowance),
            )
            for each in asked
        ]
        return {"kind": "form", "selected": selected}
    if picker := _holder(data, "sections"):
        sections = [mapping(each) for each in sequence(picker["sections"])]
        received, reply = (
            mapping((_holder(data, name) or {}).get(name)) for name in ("receivedMessage", "replyMessage")
        )
        return present(
            kind="list-picker",
            title=allowance.text(received.get("title")),
            items=[item for each in sections for item in _items(each.get("items"), allowance)],
            selected=present(title=allowance.text(reply.get("title")), subtitle=allowance.text(reply.get("subtitle"))),
        )
    quick = _holder(data, "selectedIndex") or _holder(data, "items")
    if quick:
        items, index = _items(quick.get("items"), allowance), quick.get("selectedIndex")
        known = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(items)
        return present(
            kind="quick-reply",
            title=allowance.text(quick.get("summaryText")),
            items=items,
            selected=[items[index]] if known and isinstance(index, int) else None,
            selected_index=index if isinstance(index, int) and abs(index) < 2**53 else None,
        )
    return {"kind": "unknown"}


def _items(value: Any, allowance: Allowance) -> list[dict[str, Any]]:
    told = [
        {name: word for key, name in _ITEM.items() if (word := allowance.text(mapping(each).get(key)))}
        for each in sequence(value)
    ]
    return [item for item in told if item]


def _holder(data: Any, name: str) -> Mapping[Any, Any] | None:
    """The first mapping that has the name, level by level."""
    level, seen = [data], 0
    while level and seen < _MOST_NODES:
        below: list[Any] = []
        for each in level[: _MOST_NODES - seen]:
            seen += 1
            if isinstance(each, Mapping):
                if name in each:
                    return each
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        level = below
    return None
