"""Words heard in an audio message and one-time codes are told beside the body, each where the phone noted it."""

from __future__ import annotations

from typing import Any

from bagtag.parsers.formats.attribute_runs import Run
from bagtag.parsers.messages import body
from bagtag.parsers.messages.body_details import details_of
from bagtag.sample_backups import typedstream as minted

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
CODE = "__kIMOneTimeCodeAttributeName"


def run(**attributes: Any) -> Run:
    return Run(0, 1, 0, 1, attributes)


def test_a_transcription_names_the_attachment_it_was_heard_in() -> None:
    words: dict[str, Any] = {PART: 0, TRANSFER: "at_0_G", "IMAudioTranscription": "See you on Saturday"}
    stream = minted.attributed_string([minted.Run("\ufffc", words)])
    found = body.read(stream, None, print, print)
    assert found.details == {"transcriptions": [{"attachment": "at_0_G", "text": "See you on Saturday"}]}


def test_a_code_is_told_with_its_part_and_as_it_is_displayed() -> None:
    code = {"code": "123456", "displayCode": "123 456"}
    assert details_of([run(**{PART: 1, CODE: code})]) == {
        "one_time_codes": [{"part": 1, "code": "123456", "display_code": "123 456"}]
    }


def test_one_code_in_several_runs_is_one_and_two_codes_are_two() -> None:
    first, second = {"code": "1"}, {"code": "2"}
    found = details_of([run(**{PART: 0, CODE: first}), run(**{PART: 0, CODE: first}), run(**{PART: 0, CODE: second})])
    assert [each["code"] for each in found["one_time_codes"]] == ["1", "2"]


def test_odd_values_are_no_details_and_no_fault() -> None:
    assert details_of([run(**{CODE: "x"}), run(IMAudioTranscription=5), run(IMAudioTranscription="")]) == {}
    found = details_of([run(IMAudioTranscription="a\ud83d")])
    assert found == {"transcriptions": [{"attachment": None, "text": "a\ufffd"}]}
