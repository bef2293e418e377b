"""Transcriptions: the words that the phone heard in an audio message, kept as an attribute of its place in the body."""

from __future__ import annotations

from collections.abc import Sequence

from bagtag.parsers.cells import whole
from bagtag.parsers.formats.attributed_string import Run
from bagtag.parsers.messages.attributes import TRANSFER

ATTRIBUTE = "IMAudioTranscription"


def transcriptions(runs: Sequence[Run]) -> dict[str, str]:
    """The transcription of each attachment guid that the runs of a body name with one."""
    found: dict[str, str] = {}
    for run in runs:
        words, guid = run.attributes.get(ATTRIBUTE), run.attributes.get(TRANSFER)
        if isinstance(words, str) and isinstance(guid, str):
            found.setdefault(whole(guid), whole(words))
    return found
