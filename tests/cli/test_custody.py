"""`bagtag custody`: the log as a table, and whether its chain holds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The logs of an evidence folder: two lines that are sealed, one that came later."""
    dest = tmp_path / "evidence"
    (dest / "bag").mkdir(parents=True)
    log = CustodyLog.open(dest / "custody.jsonl")
    intent = log.begin("examined", actor="Ann Lee\x1b[2J", reason="case\nforged line", command=["bagtag", "bundle"])
    log.finish(intent, result="ok", outputs=[Artifact("manifest-sha256.txt", 12, "ab" * 32)])
    shutil.copy(dest / "custody.jsonl", dest / "bag" / "custody.jsonl")
    log.append("note", result="ok", actor="Ben Roe", note="handed over")
    return dest


def test_show_tells_each_line_and_makes_it_safe(bagtag: Any, folder: Path) -> None:
    ran = bagtag("custody", "show", folder)
    assert ran.code == 0
    for text in (r"Ann Lee\x1b[2J", "begun", "examined", "handed over", "ab" * 32, "manifest-sha256.txt"):
        assert text in ran.out
    assert "\x1b" not in ran.out
    assert "\nforged" not in ran.out


def test_show_gives_the_lines_as_json(bagtag: Any, folder: Path) -> None:
    rows = bagtag("custody", "show", folder, "--json").rows
    assert [(row["seq"], row["event"], row["result"]) for row in rows] == [
        (0, "examined", "begun"), (1, "examined", "ok"), (2, "note", "ok"),
    ]  # fmt: skip


def test_a_sound_log_is_intact_and_never_called_more_than_that(bagtag: Any, folder: Path) -> None:
    ran = bagtag("custody", "verify", folder)
    assert ran.code == 0
    assert "3 lines, intact" in ran.out
    assert "verified" not in ran.out


def test_a_line_that_is_no_line_is_shown_as_such(bagtag: Any, folder: Path) -> None:
    with (folder / "custody.jsonl").open("ab") as log:
        log.write(b"\x1b]0;owned\x07\n")
    ran = bagtag("custody", "show", folder)
    assert "cannot be read" in ran.out
    assert not set("\x1b\x07") & set(ran.out)
    assert bagtag("custody", "show", folder, "--json").rows[-1]["unreadable"]
    assert bagtag("custody", "verify", folder).code == 4


def _swap(lines: list[bytes]) -> list[bytes]:
    return [lines[1], lines[0], *lines[2:]]


@pytest.mark.parametrize(
    "change",
    [
        _swap,
        lambda lines: lines[1:],
        lambda lines: [lines[0].replace(b"Ann", b"Eve"), *lines[1:]],
        lambda lines: [lines[0], lines[0], *lines[1:]],
        lambda lines: [],
    ],
    ids=["swapped", "cut at the head", "edited", "doubled", "emptied"],
)
def test_a_log_that_was_changed_is_broken(change: Any, bagtag: Any, folder: Path) -> None:
    log = folder / "custody.jsonl"
    log.write_bytes(b"".join(change(log.read_bytes().splitlines(keepends=True))))
    ran = bagtag("custody", "verify", folder)
    assert ran.code == 4
    assert "problem  custody.jsonl: " in ran.out
    assert bagtag("custody", "verify", folder, "--json").rows[0]["problems"]


def test_a_log_without_its_sealed_copy_is_broken(bagtag: Any, folder: Path) -> None:
    (folder / "bag/custody.jsonl").unlink()
    ran = bagtag("custody", "verify", folder)
    assert ran.code == 4
    assert "bag/custody.jsonl" in ran.out


@pytest.mark.parametrize("command", [["custody", "show"], ["custody", "verify"], ["verify"]])
def test_a_folder_without_a_log_ends_with_3(command: list[str], bagtag: Any, tmp_path: Path) -> None:
    ran = bagtag(*command, tmp_path)
    assert (ran.code, ran.out) == (3, "")
