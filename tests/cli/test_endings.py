"""Every way to end has its exit code of the public contract, a sentence, and never a bare traceback."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
import typer

from bagtag.cli import console
from bagtag.cli.endings import ended, resumable
from bagtag.custody.errors import (
    BagtagError,
    EvidenceError,
    PassphraseError,
    StoppedError,
    UsageError,
    VerificationError,
)  # fmt: skip


class Raising:
    """A command that does nothing but raise."""

    def __init__(self, trouble: BaseException) -> None:
        self.trouble = trouble

    def __call__(self) -> object:
        raise self.trouble


@pytest.mark.parametrize(("returned", "code"), [(0, 0), (1, 1), (4, 4), (None, 0)])
def test_the_value_that_a_command_returns_is_its_code(returned: int | None, code: int) -> None:
    assert ended(lambda: returned) == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [(UsageError, 2), (EvidenceError, 3), (VerificationError, 4), (StoppedError, 5), (PassphraseError, 6)],
)
def test_each_error_has_its_code_and_says_what_to_do(
    kind: type[BagtagError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(Raising(kind("what went wrong", hint="what to do"))) == code
    assert capsys.readouterr() == ("", "bagtag: what went wrong\nbagtag: hint: what to do\n")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.ENODEV, errno.EDQUOT])
def test_a_full_disk_or_a_drive_that_is_gone_is_a_stop(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(Raising(OSError(number, "no good", "/evidence/x"))) == 5
    assert "/evidence/x" in capsys.readouterr().err


def test_a_full_disk_under_a_scratch_database_is_a_stop_too() -> None:
    trouble = sqlite3.OperationalError("database or disk is full")
    trouble.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert ended(Raising(trouble)) == 5


def test_evidence_that_may_not_be_read_is_no_fault_of_bagtag(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(Raising(PermissionError(errno.EACCES, "Permission denied", "/backup/Manifest.db"))) == 3
    assert "/backup/Manifest.db" in capsys.readouterr().err


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_is_a_stop(trouble: BaseException) -> None:
    assert ended(Raising(trouble)) == 5


def test_an_interrupt_that_typer_has_already_translated_is_a_stop() -> None:
    assert ended(lambda: 130) == 5


def test_a_reader_that_has_gone_is_no_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(Raising(console.OutputClosedError())) == 0
    assert capsys.readouterr().err == ""


def test_a_fault_tells_where_it_was_and_quotes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def in_bagtag() -> object:
        console.table([("one",), ("one", "two")])  # rows of different lengths: a mistake of whoever calls
        return 0

    assert ended(in_bagtag) == 70
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "bagtag.cli.console, line " in told
    assert "Traceback" not in told
    assert ended(Raising(RuntimeError("secret passphrase \x1b[2J of Ann Lee"))) == 70
    told = capsys.readouterr().err
    assert "RuntimeError" in told
    assert "secret" not in told
    assert "Ann Lee" not in told


def test_state_that_was_kept_is_named_with_how_to_go_on(tmp_path: Path) -> None:
    for trouble in (KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")):
        with pytest.raises(StoppedError, match="kept in") as stopped, resumable(tmp_path):
            raise trouble
        assert "same command" in stopped.value.hint


def test_an_interrupt_before_there_is_any_state_claims_none(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), resumable(tmp_path / "DEST.partial"):
        raise KeyboardInterrupt


def test_other_errors_pass_through_resumable_work(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), resumable(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")
