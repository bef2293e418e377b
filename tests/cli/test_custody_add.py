"""`bagtag custody add`: steps that people report, each in a line of its own, and nothing that stands is changed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import chain
from bagtag.custody.line import CustodyLine
from bagtag.custody.log import read

TAGS = "tagmanifest-sha256.txt"


def last(dest: Path) -> Any:
    return json.loads((dest / "custody.jsonl").read_bytes().splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "note", "moved"),
    [
        (["received", "--from", "the court", "--condition", "whole"], "from the court; condition whole", True),
        (["stored", "--note", "shelf 3"], "shelf 3", True),
        (["disclosed", "--to", "the defence"], "to the defence", True),
        (["copied", "--to", "Ben Roe"], "copy 1, for Ben Roe", True),
        (["copied", "--to", "Ben Roe", "--copy-number", "4"], "copy 4, for Ben Roe", True),
        (["returned", "--to", "the owner"], "to the owner", True),
        (["examined"], None, True),
        (["note", "--note", "a photograph was taken"], "a photograph was taken", False),
        (["error", "--note", "drive dropped"], "drive dropped", False),
        (["clock-anomaly", "--note", "three minutes fast"], "three minutes fast", False),
    ],
)  # fmt: skip
def test_each_step_is_one_line_that_says_who_why_and_by_what_authority(
    arguments: list[str], note: str | None, moved: bool, bagtag: Any, sealed: Path
) -> None:
    before = (sealed / "custody.jsonl").read_bytes()
    ran = bagtag(
        "custody", "add", sealed, *arguments, "--actor", "Ann Lee", "--reason", "trial", "--authority", "order 7"
    )
    assert ran.code == 0, ran.err
    assert (sealed / "custody.jsonl").read_bytes().startswith(before)
    line = last(sealed)
    assert (line["seq"], line["event"], line["actor"], line["reason"], line["authority"], line["note"]) == (
        3, arguments[0], "Ann Lee", "trial", "order 7", note,
    )  # fmt: skip
    assert line["result"] == ("issues" if arguments[0] in {"error", "clock-anomaly"} else "ok")
    assert line["command"][:3] == ["bagtag", "custody", "add"]
    assert [item["name"] for item in line["inputs"]] == [TAGS] * moved
    assert chain.problems(sealed / "custody.jsonl") == []
    assert hashlib.sha256((sealed / "custody.jsonl").read_bytes().splitlines()[-1]).hexdigest() in ran.out


def test_a_correction_names_the_line_and_leaves_it(bagtag: Any, sealed: Path) -> None:
    raw = (sealed / "custody.jsonl").read_bytes().splitlines()[0]
    ran = bagtag("custody", "add", sealed, "correction", "--corrects", 0, "--note", "it was item 8")
    assert ran.code == 0
    assert last(sealed)["inputs"] == [
        {"name": "custody.jsonl line 0", "size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    ]
    assert (sealed / "custody.jsonl").read_bytes().splitlines()[0] == raw
    assert bagtag("custody", "add", sealed, "correction", "--corrects", 9, "--note", "x").code == 2


def test_files_of_a_step_are_named_with_size_and_digest(bagtag: Any, sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a photograph")
    ran = bagtag("custody", "add", sealed, "examined", "--file", tmp_path / "photo.jpg", "--json")
    assert ran.code == 0
    (told,) = ran.rows
    assert told["line"]["outputs"] == [
        {"name": str(tmp_path / "photo.jpg"), "size": 12, "sha256": hashlib.sha256(b"a photograph").hexdigest()}
    ]
    assert told["line"] == last(sealed)
    for wrong in (tmp_path, tmp_path / "absent"):
        assert bagtag("custody", "add", sealed, "examined", "--file", wrong).code == 2


def test_copies_are_numbered_by_the_log(bagtag: Any, sealed: Path) -> None:
    for number in (1, 2, 3):
        assert bagtag("custody", "add", sealed, "copied", "--to", "Ben Roe").code == 0
        assert last(sealed)["note"] == f"copy {number}, for Ben Roe"
    assert bagtag("custody", "add", sealed, "copied", "--to", "Cy", "--copy-number", 2).code == 2


def test_after_a_copied_line_both_copies_go_on_and_neither_is_two_books(
    bagtag: Any, sealed: Path, tmp_path: Path, signing_key: Callable[[str], Path]
) -> None:
    bagtag("custody", "add", sealed, "copied", "--to", "Ben Roe", "--sign-key", signing_key("ann"))
    shutil.copytree(sealed, tmp_path / "theirs")
    bagtag("custody", "add", sealed, "stored", "--note", "shelf 3")
    bagtag("custody", "add", tmp_path / "theirs", "received", "--from", "Ann Lee")
    ran = bagtag("custody", "verify", sealed, "--other-log", tmp_path / "theirs/custody.jsonl")
    assert ran.code == 0
    assert "goes its own way after line 4, which says that a copy was made" in ran.out


@pytest.mark.parametrize(
    "arguments",
    [["sealed"], ["signed"], ["transferred"], ["nonsense"], ["note"], ["copied"], ["correction", "--note", "x"],
     ["note", "--note", "x", "--to", "Ben"], ["note", "--note", "x", "--actor", " "], ["copied", "--to", ""],
     ["copied", "--to", "Ben", "--copy-number", "0"], ["correction", "--corrects", "-1", "--note", "x"]],
)  # fmt: skip
def test_a_wrong_call_writes_nothing(arguments: list[str], bagtag: Any, sealed: Path) -> None:
    before = (sealed / "custody.jsonl").read_bytes()
    assert bagtag("custody", "add", sealed, *arguments).code == 2
    assert (sealed / "custody.jsonl").read_bytes() == before


def test_nothing_is_written_after_a_broken_chain(bagtag: Any, sealed: Path, tmp_path: Path) -> None:
    log = sealed / "custody.jsonl"
    log.write_bytes(log.read_bytes().replace(b"a backup on a disk", b"a backup on a tape"))
    before = log.read_bytes()
    for more in ([], ["--log", tmp_path / "on.jsonl"]):
        ran = bagtag("custody", "add", sealed, "note", "--note", "x", *more)
        assert (ran.code, ran.out) == (4, "")
        assert "line 1 does not follow on the line before" in ran.err
    assert log.read_bytes() == before
    assert not (tmp_path / "on.jsonl").exists()


def test_evidence_with_another_bag_digest_does_not_move_but_that_can_be_put_on_record(
    bagtag: Any, sealed: Path
) -> None:
    (sealed / "bag" / TAGS).write_bytes(b"another")
    before = (sealed / "custody.jsonl").read_bytes()
    for step in (["received"], ["copied", "--to", "Ben"], ["stored"], ["returned"], ["disclosed"], ["examined"]):
        ran = bagtag("custody", "add", sealed, *step)
        assert (ran.code, hashlib.sha256(b"another").hexdigest() in ran.err) == (4, True)
    assert (sealed / "custody.jsonl").read_bytes() == before
    assert bagtag("custody", "add", sealed, "error", "--note", "the bag digest differs").code == 0


def test_where_the_folder_is_read_only_the_log_goes_on_elsewhere(bagtag: Any, sealed: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()}
    elsewhere = tmp_path / "on.jsonl"
    for text in ("one", "two"):
        assert bagtag("custody", "add", sealed, "note", "--note", text, "--log", elsewhere).code == 0
    assert {path: path.read_bytes() for path in sealed.rglob("*") if path.is_file()} == before
    notes = [entry.line.note for entry in read(elsewhere) if isinstance(entry.line, CustodyLine)]
    assert notes[3:] == ["one", "two"]
    assert chain.problems(elsewhere) == []
    (tmp_path / "other.jsonl").write_text("something else\n")
    assert bagtag("custody", "add", sealed, "note", "--note", "x", "--log", tmp_path / "other.jsonl").code == 2
    assert (tmp_path / "other.jsonl").read_text() == "something else\n"
    assert bagtag("custody", "add", sealed, "note", "--note", "x", "--log", sealed / "on.jsonl").code == 2


@pytest.mark.parametrize("sign", [False, True])
def test_a_folder_that_cannot_be_written_to_is_told_with_the_way_out(
    sign: bool, bagtag: Any, sealed: Path, monkeypatch: pytest.MonkeyPatch, signing_key: Callable[[str], Path]
) -> None:
    key = ["--sign-key", signing_key("ann")] if sign else []
    real = os.open

    def of_a_disc(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY) and str(path).startswith(str(sealed)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real(path, flags, *more, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", of_a_disc)
        ran = bagtag("custody", "add", sealed, "note", "--note", "x", *key)
    assert (ran.code, "--log FILE" in ran.err) == (2, True)


def test_a_secret_typed_into_the_command_is_masked(bagtag: Any, sealed: Path) -> None:
    bagtag("custody", "add", sealed, "note", "--note", "x", "--actor", "A")
    assert "***" not in str(last(sealed)["command"])
    assert bagtag("custody", "add", sealed, "note", "--note", "x", "--passphrase", "hunter2").code == 2
    assert b"hunter2" not in (sealed / "custody.jsonl").read_bytes()


def test_many_programs_at_once_lose_no_line(program: Callable[..., subprocess.Popen[bytes]], sealed: Path) -> None:
    running = [program("custody", "add", sealed, "note", "--note", f"number {number}") for number in range(6)]
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    notes = {entry.line.note for entry in read(sealed / "custody.jsonl") if isinstance(entry.line, CustodyLine)}
    assert {f"number {number}" for number in range(6)} <= notes
    assert chain.problems(sealed / "custody.jsonl") == []


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_full_disk_stops_with_5_and_the_same_command_again_writes_the_line_once(
    at: int, call: str, bagtag: Any, sealed: Path, signing_key: Callable[[str], Path]
) -> None:
    command = ["custody", "add", sealed, "copied", "--to", "Ben", "--sign-key", signing_key("ann")]
    real, count = getattr(os, call), 0

    def full(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, call, full)
        code = bagtag(*command).code
    assert code == (5 if count >= at else 0)
    if count >= at:
        assert _events(sealed / "custody.jsonl") == ["received", "sealed", "stored"]
        assert bagtag(*command).code == 0
    assert _events(sealed / "custody.jsonl") == ["received", "sealed", "stored", "copied", "signed"]
    assert chain.problems(sealed / "custody.jsonl") == []


class Killed(BaseException):
    """The process is gone."""


CALLS = ("write", "fsync", "replace", "unlink", "mkdir", "ftruncate")
"""What reaches the disk. Files are still closed: a process that is gone holds no lock."""


@pytest.mark.parametrize("step", [["add", "copied", "--to", "Ben"], ["transfer", "--to", "Ben"], ["sign"]])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_killed_at_any_call_of_the_system_no_line_is_lost_or_doubled_and_the_chain_is_whole_after_the_next_command(
    step: list[str], elsewhere: bool, bagtag: Any, sealed: Path, tmp_path: Path, signing_key: Callable[[str], Path]
) -> None:
    command = ["custody", step[0], "DEST", *step[1:], "--sign-key", signing_key("ann")]
    log: Path = tmp_path / "on.jsonl" if elsewhere else sealed / "custody.jsonl"
    command += ["--log", log] if elsewhere else []
    written = {"add": ["copied", "signed"], "transfer": ["transferred", "signed"]}.get(step[0], ["stored", "signed"])
    at, done = 0, False
    while not done:
        at += 1
        dest = tmp_path / "copy"
        shutil.rmtree(dest, ignore_errors=True)
        shutil.copytree(sealed, dest)
        place = log if elsewhere else dest / "custody.jsonl"
        if elsewhere:
            log.unlink(missing_ok=True)
        called = [dest if word == "DEST" else word for word in command]
        done = not _killed(bagtag, called, at)
        before = _events(place) if place.exists() else []
        whole = [event for event in before if event is not None]
        assert whole[:3] == ["received", "sealed", "stored"][: len(whole)], at
        extra = whole[3:]
        assert extra in ([], written[:1], written) or (elsewhere and extra == ["signed"]), (at, extra)
        again = bagtag(
            "custody", "add", dest, "note", "--note", "the next command", *(["--log", log] if elsewhere else [])
        )
        assert again.code == 0, (at, again.err)
        after = [event for event in _events(place) if event not in {None, "error"}]
        assert after[: 3 + len(extra)] == ["received", "sealed", "stored", *extra], at
        assert after[-1] == "note", at
        assert chain.problems(place) == [], at
    assert at > 5


def _events(log: Path) -> list[str | None]:
    return [None if entry.line is None or not entry.complete else entry.line.event for entry in read(log)]


def _killed(bagtag: Any, command: list[object], at: int) -> bool:
    """Run the command; at that call of the system the process is gone, and does nothing any more."""
    count, os_write = 0, os.write

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == at and real is os_write:
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])  # it was half done
            if count >= at:
                raise Killed
            return real(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, watched(getattr(os, name)))
        try:
            assert bagtag(*command).code == 0
        except Killed:
            return True
    return False
