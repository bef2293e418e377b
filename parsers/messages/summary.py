"""message_summary_info: what was edited, what was unsent, and the words a tapback quotes.

A binary property list since iOS 10, with edits since iOS 16: `ec` holds every wording of a part, oldest first, the
current one last (`t` the words as a typedstream, `d` seconds since 2001, `bcg` the guid of the edit command), `rp` the
numbers of unsent parts, `otr` the UTF-16 range each part first had, `euh` who edited, when that was not the owner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.binary_plist import Date
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import integer, plain, whole
from bagtag.parsers.formats.attributed_string import read_attributed_string, salvage
from bagtag.parsers.messages import odd_summary
from bagtag.parsers.messages.body import Report
from bagtag.parsers.messages.translations import translations
from bagtag.parsers.records import Edit, UnsentPart

_MOST_PARTS = odd_summary.MOST_PARTS


@dataclass(slots=True)
class Summary:
    """What the property list says."""

    edits: list[Edit] = field(default_factory=list)
    unsent: list[UnsentPart] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    """As far as there are: `translations`, `quoted` (the words that a tapback quotes of its target), `sent_with`, and
    under `message_summary_info` what stands there in a form or under a key that is not known.
    """


def read(data: bytes, report: Report, note: Report) -> Summary:
    """The summary; what cannot be read is reported, what has no field of its own is noted."""
    summary = Summary()
    try:
        values = binary_plist.read(data)
    except MalformedError as trouble:
        report(f"message_summary_info cannot be read: {trouble}")
        return summary
    if not isinstance(values, dict):
        report("message_summary_info is no dictionary")
        return summary
    summary.edits = _edits(values.get("ec"), _editor(values.get("euh")), report)
    summary.unsent = _unsent(values.get("rp"), values.get("otr"), report)
    summary.details = _details(values, report)
    _notes(values, note)
    _keep_odd(values, summary, note)
    return summary


def _numbered(value: Any) -> list[tuple[int, Any]]:
    """Entries of a dictionary whose keys are part numbers, in their order."""
    entries = value.items() if isinstance(value, dict) else ()
    found = [(part, each) for key, each in entries if (part := integer(key)) is not None]
    return sorted(found, key=lambda entry: entry[0])[:_MOST_PARTS]


def _editor(handles: Any) -> str | None:
    """The one who edited; None where nobody is named, or several without saying who wrote which wording."""
    named = handles if isinstance(handles, list) else []
    if named and isinstance(named[0], str) and named.count(named[0]) == len(named):
        return whole(named[0])
    return None


def _edits(value: Any, editor: str | None, report: Report) -> list[Edit]:
    edits: list[Edit] = []
    if value is not None and not isinstance(value, dict):
        report("message_summary_info: ec is no dictionary")
    for part, events in _numbered(value):
        for number, event in enumerate(events if isinstance(events, list) else []):
            if not isinstance(event, dict):
                report(f"message_summary_info: version {number} of part {part} is no dictionary")
                continue
            moment = event.get("d")
            known = odd_summary.is_moment(moment)
            moment = moment.seconds if isinstance(moment, Date) else moment
            guid = event.get("bcg")
            edits.append(
                Edit(
                    part=part,
                    text=_words(event.get("t"), part, number, report),
                    at=apple_iso(moment, "s") if known else None,
                    raw_at=None if moment is None else repr(moment),
                    by=editor if number else None,
                    guid=whole(guid) if isinstance(guid, str) else None,
                    original=number == 0,
                )
            )
    return edits


def _words(value: Any, part: int, number: int, report: Report) -> str | None:
    if not isinstance(value, bytes):
        return whole(value) if isinstance(value, str) else None
    try:
        return whole(read_attributed_string(value).text)
    except MalformedError as trouble:
        report(f"version {number} of part {part} cannot be decoded ({trouble}): what is shown was salvaged")
        salvaged = salvage(value)
        return None if salvaged is None else whole(salvaged)


def _unsent(parts: Any, ranges: Any, report: Report) -> list[UnsentPart]:
    if parts is None:
        return []
    if not isinstance(parts, list):
        report("message_summary_info: rp is no list")
        return []
    original = dict(_numbered(ranges))
    found: dict[int, UnsentPart] = {}
    for part in parts[:_MOST_PARTS]:
        if (number := integer(part)) is not None:
            place = original.get(number)
            place = place if isinstance(place, dict) else {}
            found[number] = UnsentPart(index=number, start=integer(place.get("lo")), length=integer(place.get("le")))
    return [found[part] for part in sorted(found)]


def _details(values: dict[Any, Any], report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (stored := values.get("tmp")) is not None and (translated := translations(stored, report)):
        found["translations"] = translated
    for key, name in (("ams", "quoted"), ("amsa", "sent_with")):
        if isinstance(value := values.get(key), str) and value:
            found[name] = whole(value)
    return found


def _notes(values: dict[Any, Any], note: Report) -> None:
    quote = values.get("ams")
    if isinstance(quote, str) and quote:
        note(f"message_summary_info quotes the target: {whole(quote)}")
    source = values.get("amsa")
    if isinstance(source, str) and source:
        note(f"message_summary_info names a source: {whole(source)}")
    editors = values.get("euh")
    if isinstance(editors, list) and len(editors) > 1:
        note(f"edited or unsent by: {', '.join(str(plain(each)) for each in editors)}")
    if values.get("tmp") is not None:
        note("message_summary_info holds translations")


def _keep_odd(values: dict[Any, Any], summary: Summary, note: Report) -> None:
    """What has no field of the record because of its form, or its key, stands raw in the details and is noted."""
    found = list(odd_summary.odd(values))
    unknown = sorted(whole(str(key)) for key in values if not odd_summary.is_known(key))
    if unknown:
        note(f"message_summary_info has further keys: {', '.join(unknown)}")
    if found:
        raw = summary.details["message_summary_info"] = odd_summary.kept(found)
        for sentence in odd_summary.sentences(raw):
            note(sentence)
