"""The transcription of an audio message belongs to the attachment that its run of the body names."""

from __future__ import annotations

from bagtag.parsers.formats.attributed_string import read_attributed_string
from bagtag.parsers.messages.transcriptions import transcriptions
from bagtag.sample_backups.typedstream import Run, attributed_string

PART, TRANSFER = "__kIMMessagePartAttributeName", "__kIMFileTransferGUIDAttributeName"


def test_each_audio_message_of_a_body_has_its_own_words() -> None:
    body = attributed_string(
        [
            Run("\ufffc", {PART: 0, TRANSFER: "A", "IMAudioTranscription": "see you at six"}),
            Run("\ufffc", {PART: 1, TRANSFER: "B"}),
            Run("\ufffc", {PART: 2, TRANSFER: "C", "IMAudioTranscription": "käse \U0001f9c0"}),
        ]
    )
    assert transcriptions(read_attributed_string(body).runs) == {"A": "see you at six", "C": "käse \U0001f9c0"}


def test_words_without_an_attachment_and_numbers_are_no_transcription() -> None:
    runs = [
        Run("\ufffc", {PART: 0, "IMAudioTranscription": "x"}),
        Run("\ufffc", {PART: 1, TRANSFER: "B", "IMAudioTranscription": 7}),
    ]
    assert transcriptions(read_attributed_string(attributed_string(runs)).runs) == {}
