"""The command line as a whole: help, version, wrong calls, signals, and output that nobody reads to the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

COMMANDS = ("demo", "backups", "info", "unlock", "files", "extract", "messages", "crosscheck", "bundle", "verify")
SLOW_TO_IMPORT = ("rich.progress", "cryptography", "construct", "jinja2", "phonenumbers", "iphone_backup_decrypt")


@pytest.mark.parametrize("command", [*COMMANDS, "custody", "custody show", "custody verify"])
def test_the_help_of_every_command_shows_an_example(command: str, bagtag: Any) -> None:
    ran = bagtag(*command.split(), "--help")
    assert ran.code == 0
    assert f"Example: bagtag {command}" in ran.out
    assert ran.err == ""


def test_the_help_lists_every_command(bagtag: Any) -> None:
    told = bagtag("--help").out
    assert all(f"  {command} " in told for command in (*COMMANDS, "custody"))


def test_the_version_is_the_one_that_is_installed(bagtag: Any) -> None:
    ran = bagtag("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"bagtag {version('bagtag')}\n", "")


@pytest.mark.parametrize(
    "arguments", [["extract"], ["nonsense"], ["files", "x", "--nonsense"], ["extract", "a", "b", "--engine", "other"]]
)
def test_a_wrong_call_ends_with_2_and_a_sentence_on_stderr(arguments: list[str], bagtag: Any) -> None:
    ran = bagtag(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("bagtag: ")
    assert "--help" in ran.err


def test_without_a_command_the_help_goes_to_stderr(bagtag: Any) -> None:
    ran = bagtag()
    assert (ran.code, ran.out) == (2, "")
    assert "Commands:" in ran.err


def test_help_needs_none_of_the_slow_libraries() -> None:
    script = f"import sys, bagtag.cli.main; print([name for name in {SLOW_TO_IMPORT!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_terminated_command_ends_with_5_and_leaves_no_working_files(
    program: Callable[..., subprocess.Popen[bytes]], encrypted_backup: Any, cache: Path
) -> None:
    process = program("files", encrypted_backup.folder, "--passphrase-file", "-")
    _wait_for(lambda: _work_folders(cache), process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (5, b"")
    assert b"stopped" in err
    assert b"Traceback" not in err
    assert not _work_folders(cache)


def test_what_a_killed_command_left_is_removed_by_the_next_one_which_says_so(
    program: Callable[..., subprocess.Popen[bytes]], bagtag: Any, encrypted_backup: Any, cache: Path
) -> None:
    process = program("files", encrypted_backup.folder, "--passphrase-file", "-")
    _wait_for(lambda: _work_folders(cache), process)
    process.kill()
    process.communicate(timeout=30)
    (left,) = _work_folders(cache)
    assert str(left) in bagtag("info", encrypted_backup.folder).err
    assert not _work_folders(cache)


def test_output_that_nobody_reads_to_the_end_is_no_error(
    program: Callable[..., subprocess.Popen[bytes]], plain_backup: Any
) -> None:
    process = program("messages", plain_backup.folder, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert b"Broken" not in process.stderr.read()


def _work_folders(cache: Path) -> list[Path]:
    return [path for path in (cache / "bagtag" / "work").glob("*") if path.is_dir()]


def _wait_for(sign: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while not sign():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.2)
