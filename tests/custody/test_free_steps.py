"""Steps that a person reports: what each may say, must say, and how it is put."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import UsageError
from bagtag.custody.free_steps import FREE_EVENTS, FreeEvent, Particulars, check, corrected, note, result
from bagtag.custody.line import EVENTS
from bagtag.custody.log import CustodyLog

FULL: dict[FreeEvent, Particulars] = {
    "received": Particulars(sender="the court", condition="sealed", note="by hand"),
    "stored": Particulars(condition="sealed", note="shelf 3"),
    "disclosed": Particulars(to="the defence", note="on order"),
    "copied": Particulars(to="Ben Roe", copy_number=7, condition="sealed"),
    "returned": Particulars(to="the owner", condition="sealed"),
    "examined": Particulars(note="photographs"),
    "note": Particulars(note="x"),
    "correction": Particulars(corrects=1, note="it was item 8"),
    "error": Particulars(note="x"),
    "clock-anomaly": Particulars(note="three minutes fast"),
}
SENTENCES = {
    "received": "from the court; condition sealed; by hand",
    "stored": "condition sealed; shelf 3",
    "disclosed": "to the defence; on order",
    "copied": "copy 7, for Ben Roe; condition sealed",
    "returned": "to the owner; condition sealed",
    "examined": "photographs",
    "note": "x",
    "correction": "it was item 8",
    "error": "x",
    "clock-anomaly": "three minutes fast",
}


def test_each_is_an_event_of_the_contract_that_no_command_writes_by_itself() -> None:
    assert set(FREE_EVENTS) == set(FULL) <= EVENTS
    assert not {"sealed", "signed", "stamped", "transferred", "exported", "verified"} & set(FREE_EVENTS)


@pytest.mark.parametrize("event", FREE_EVENTS)
def test_what_goes_with_a_step_stands_in_its_note(event: FreeEvent, folder: Path) -> None:
    check(event, FULL[event])
    assert note(event, FULL[event], folder / "custody.jsonl") == SENTENCES[event]
    assert result(event) == ("issues" if event in {"error", "clock-anomaly"} else "ok")


@pytest.mark.parametrize(
    ("event", "said", "option"),
    [
        ("note", {"note": "x", "to": "Ben"}, "--to"),
        ("stored", {"sender": "Ben"}, "--from"),
        ("disclosed", {"to": "Ben", "condition": "sealed"}, "--condition"),
        ("received", {"copy_number": 1}, "--copy-number"),
        ("note", {"note": "x", "corrects": 1}, "--corrects"),
    ],
)
def test_what_does_not_go_with_a_step_is_refused_by_name(event: FreeEvent, said: Any, option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} does not go with {event}"):
        check(event, Particulars(**said))


@pytest.mark.parametrize(
    ("event", "said", "option"),
    [
        ("copied", {}, "--to"), ("correction", {"note": "x"}, "--corrects"), ("correction", {"corrects": 1}, "--note"),
        ("note", {}, "--note"), ("error", {}, "--note"), ("clock-anomaly", {}, "--note"),
    ],
)  # fmt: skip
def test_what_a_step_needs_is_asked_for_by_name(event: FreeEvent, said: Any, option: str) -> None:
    with pytest.raises(UsageError, match=f"needs {option}"):
        check(event, Particulars(**said))


def test_copies_are_numbered_one_after_the_other_and_no_number_is_given_twice(folder: Path) -> None:
    log = CustodyLog.open(folder / "custody.jsonl")
    for number, asked, to in ((1, None, "Ben"), (5, 5, "Cy"), (6, None, "Di"), (2, 2, "Ed")):
        said = note("copied", Particulars(to=to, copy_number=asked), log.path)
        assert said == f"copy {number}, for {to}"
        log.append("copied", result="ok", actor="Ann Lee", note=said)
    with pytest.raises(UsageError, match="copy 5 was made already"):
        note("copied", Particulars(to="Fay", copy_number=5), log.path)


def test_a_correction_names_the_bytes_of_the_line_it_corrects(folder: Path) -> None:
    raw = (folder / "custody.jsonl").read_bytes().splitlines()
    found = corrected(folder / "custody.jsonl", 1)
    assert (found.name, found.size, found.sha256) == (
        "custody.jsonl line 1", len(raw[1]), hashlib.sha256(raw[1]).hexdigest(),
    )  # fmt: skip
    for number in (3, -1, 10**9):
        with pytest.raises(UsageError, match="has no line"):
            corrected(folder / "custody.jsonl", number)


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x1bb"])
def test_a_name_that_no_line_can_hold_is_refused(value: str, folder: Path) -> None:
    with pytest.raises(UsageError):
        note("copied", Particulars(to=value), folder / "custody.jsonl")
