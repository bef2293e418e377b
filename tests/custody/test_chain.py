"""What the chain shows, what it cannot show, and what is only noted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bagtag.custody import chain
from bagtag.custody.line import digest
from bagtag.custody.log import CustodyLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    log = CustodyLog.open(tmp_path / "custody.jsonl", host="bench")
    log.append("received", result="ok", actor="Ann Lee")
    intent = log.begin("decrypted", actor="Ann Lee")
    log.finish(intent, result="ok")
    log.append("note", result="ok", actor="Ann Lee", note="done")
    return log.path


def changed(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> list[str]:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    return [str(problem) for problem in chain.problems(path)]


def rechained(lines: list[bytes]) -> list[bytes]:
    """The lines with `prev` made right again, as a forger would."""
    out: list[bytes] = []
    prev = "0" * 64
    for line in lines:
        fields = json.loads(line) | {"prev": prev}
        raw = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        out.append(raw + b"\n")
        prev = digest(raw)
    return out


def test_a_sound_log_has_no_problems(path: Path) -> None:
    assert chain.examine(path) == chain.Chain(count=4)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_edited_line_cuts_the_chain_behind_it(path: Path, number: int) -> None:
    def edit(lines: list[bytes]) -> list[bytes]:
        lines[number] = lines[number].replace(b"Ann Lee", b"Bob Lee")
        return lines

    (problem,) = changed(path, edit)
    assert f"line {number + 1} does not follow on the line before" in problem


def test_deleted_inserted_and_swapped_lines_are_named(path: Path) -> None:
    raw = path.read_bytes()
    for change in (
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[0], *lines[1:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
    ):
        path.write_bytes(raw)
        assert any("line 0" in problem or "line 1" in problem for problem in changed(path, change))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b'"seq":2', b'"seq":7', "line 2 has another number"),
        (b'"event":"received"', b'"event":"polished"', "line 0 is no custody line"),
        (b'"event":"received",', b'"event":"received", ', "line 0 is not in canonical form"),
        (b'"note":"done",', b'"note":"done","note":"done",', "line 3 is not in canonical form"),
        (b'"note":"done",', b'"note":"done","more":1,', "line 3 is no custody line"),
        (b'"note":"done",', b"", "line 3 is no custody line"),
        (b'"result":"ok","note":"done"', b'"note":"done","result":"ok"', "line 3 is not in canonical form"),
        (b'"note":"done"', b'"note":"d\\u006fne"', "line 3 is not in canonical form"),
        (b'"note":"done"', b'"note":"\xff"', "line 3 is no custody line"),
        (b'"result":"ok","note":"done"', b'"result":"fine","note":"done"', "line 3 is no custody line"),
    ],
)
def test_a_line_in_another_form_is_named_with_the_reason(path: Path, before: bytes, after: bytes, said: str) -> None:
    raw = path.read_bytes()
    assert raw.count(before) == 1
    path.write_bytes(raw.replace(before, after))
    assert any(said in str(problem) for problem in chain.problems(path))


def test_a_number_that_is_wrong_is_noticed_even_when_the_chain_was_made_anew(path: Path) -> None:
    said = changed(path, lambda lines: rechained([lines[0], *lines[2:]]))
    assert said == [
        "custody.jsonl: line 1 has another number (expected 1, found 2)",
        "custody.jsonl: line 2 has another number (expected 2, found 3)",
    ]


def test_sealed_is_always_ok(tmp_path: Path) -> None:
    log = CustodyLog.open(tmp_path / "custody.jsonl", host="bench")
    log.append("sealed", result="issues", actor="Ann Lee")
    assert "says sealed without ok" in str(chain.problems(log.path)[0])


def test_a_signature_must_be_of_an_earlier_line(path: Path) -> None:
    lines = path.read_bytes().splitlines()

    def signed(of: str) -> bytes:
        fields = {
            "seq": 4, "event": "signed", "at": "2030-03-01T12:00:00.000Z", "of": of, "keyid": "a" * 64, "sig": "AAAA",
            "prev": digest(lines[3]),
        }  # fmt: skip
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"

    raw = path.read_bytes()
    path.write_bytes(raw + signed(digest(lines[1])))
    assert chain.problems(path) == []
    path.write_bytes(raw + signed("b" * 64))
    assert "signs a line that is not in this log" in str(chain.problems(path)[0])


def test_the_cut_end_and_the_changed_last_line_are_what_a_chain_cannot_show(path: Path) -> None:
    assert changed(path, lambda lines: lines[:-1]) == []
    assert changed(path, lambda lines: [*lines[:-1], lines[-1].replace(b"Ann Lee", b"Bob Lee")]) == []


def test_an_open_intent_is_noted_with_its_line(path: Path) -> None:
    CustodyLog.open(path, host="bench").begin("exported", actor="Ann Lee")
    found = chain.examine(path)
    assert found.problems == []
    assert found.notes == ["custody.jsonl: line 4 begins a step whose end the log does not tell: that run was cut off"]


def test_a_clock_that_went_back_unannounced_is_noted_and_no_problem(path: Path) -> None:
    def early(lines: list[bytes]) -> list[bytes]:
        fields = json.loads(lines[3]) | {"at": "1999-01-01T00:00:00.000Z"}
        return rechained([*lines[:3], json.dumps(fields).encode()])

    assert changed(path, early) == []
    assert "a clock went back" in chain.examine(path).notes[0]


@pytest.mark.parametrize("content", [b"", b"\n", b"garbage\n", b"[]\n", b"[" * 100_000 + b"\n", b"x" * (3 << 20)])
def test_an_empty_or_foreign_file_is_no_log(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "custody.jsonl").write_bytes(content)
    assert chain.problems(tmp_path / "custody.jsonl") != []


def test_a_log_that_is_not_there_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    assert "cannot be read" in str(chain.problems(tmp_path / "custody.jsonl")[0])


def test_the_living_log_must_begin_with_the_sealed_one_to_the_end_of_a_line(path: Path, tmp_path: Path) -> None:
    sealed, raw = tmp_path / "sealed.jsonl", path.read_bytes()
    lines = raw.splitlines(keepends=True)
    for content, number in (
        (raw, None),
        (lines[0] + lines[1], None),
        (lines[0] + lines[1][:-1], 1),
        (lines[0] + lines[1].replace(b"Ann", b"Bob"), 1),
        (raw + lines[0], 4),
    ):
        sealed.write_bytes(content)
        assert chain.is_prefix(sealed, path) == (number is None)
        assert chain.first_difference(sealed, path) == number
