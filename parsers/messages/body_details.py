"""Details of a body: what the phone noted in it that is no look of the text: words heard in audio, one-time codes.

Both are attributes of runs: `IMAudioTranscription` is the text that the phone heard in an audio message,
`__kIMOneTimeCodeAttributeName` a dictionary of `code` and `displayCode`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bagtag.parsers.cells import plain, whole
from bagtag.parsers.formats.attribute_runs import Run
from bagtag.parsers.formats.foundation import Value
from bagtag.parsers.messages.attributes import PART, TRANSFER

_TRANSCRIPTION = "IMAudioTranscription"
_CODE = "__kIMOneTimeCodeAttributeName"
_KEYS = frozenset({_TRANSCRIPTION, _CODE})


def details_of(runs: Sequence[Run]) -> dict[str, Any]:
    """`transcriptions` [{attachment, text}] and `one_time_codes` [{part, code, display_code}], as far as there are."""
    found: dict[str, Any] = {}
    for run in runs:
        attributes = run.attributes
        if _KEYS.isdisjoint(attributes):
            continue
        words, guid, code = attributes.get(_TRANSCRIPTION), attributes.get(TRANSFER), attributes.get(_CODE)
        if isinstance(words, str) and words:
            attachment = whole(guid) if isinstance(guid, str) else None
            _add(found, "transcriptions", {"attachment": attachment, "text": whole(words)})
        if isinstance(code, dict):
            _add(found, "one_time_codes", _code(code, attributes))
    return found


def _code(code: Mapping[Any, Value], attributes: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "part": plain(attributes.get(PART)),
        "code": plain(code.get("code")),
        "display_code": plain(code.get("displayCode")),
    }


def _add(found: dict[str, Any], name: str, entry: dict[str, Any]) -> None:
    listed = found.setdefault(name, [])
    if entry not in listed[-1:]:  # one code or clip may be cut into several runs
        listed.append(entry)
