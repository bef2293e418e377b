"""Translations: a part of a message in the reader's language, made by the phone since iOS 26.

`tmp` in message_summary_info is a keyed archive of its own: part number → list of {translatedText (an attributed
string), translationLanguage, sourceLanguage}. The words are the phone's, not the sender's.
"""

from __future__ import annotations

from typing import Any

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import integer, plain, whole
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.messages.body import Report

_MOST = 1000
_FIELDS = frozenset({"$class", "translatedText", "translationLanguage", "sourceLanguage"})


def translations(value: Any, report: Report) -> list[dict[str, Any]]:
    """{part, text, language, source_language} of each translation, in the order of the parts.

    Keys that are not known stay under `others`. What is no translation is reported.
    """
    if isinstance(value, bytes):
        try:
            value = keyed_archive.read(value)
        except MalformedError as trouble:
            report(f"message_summary_info: translations cannot be read: {trouble}")
            return []
    if not isinstance(value, dict):
        report("message_summary_info: translations are no dictionary")
        return []
    found: list[tuple[int | None, dict[str, Any]]] = []
    for key, entries in value.items():
        if key == "$class":
            continue
        part = integer(key)
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict):
                found.append((part, {"part": whole(str(key)) if part is None else part, **_translation(entry)}))
            else:
                report(f"message_summary_info: a translation of part {whole(str(key))} is no dictionary")
    found.sort(key=lambda each: (each[0] is None, each[0] or 0))
    if len(found) > _MOST:
        report(f"message_summary_info: {len(found)} translations, of which {_MOST} are shown")
    return [translation for _, translation in found[:_MOST]]


def _translation(entry: dict[Any, Any]) -> dict[str, Any]:
    words = entry.get("translatedText")
    if isinstance(words, dict) and isinstance(words.get("NSString"), str):
        words = words["NSString"]
    told = {
        "text": plain(words),
        "language": plain(entry.get("translationLanguage")),
        "source_language": plain(entry.get("sourceLanguage")),
    }
    others = {whole(str(key)): plain(value) for key, value in entry.items() if key not in _FIELDS}
    return {**told, "others": others} if others else told
