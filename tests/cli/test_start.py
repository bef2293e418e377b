"""Signals on the real program: exit code 5, no traceback, whenever they come and however often."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc whether the program listens yet")

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SECONDS = 20

STANDS_STILL = """
import sys, time
from bagtag.extract.reading.written_file import WrittenFile
real, seen = WrittenFile.keep, 0
def keep(self):
    global seen
    seen += 1
    real(self)
    if seen == 6:
        print("sixth file", flush=True)
        time.sleep(20)
WrittenFile.keep = keep
from bagtag.cli.start import main
main()
"""
ONE_MORE_AT_THE_END = """
import contextlib, signal, sys
from bagtag.cli import main as program
number = int(sys.argv.pop(1))
@contextlib.contextmanager
def late():
    yield
    signal.raise_signal(number)
program._rare_collections = late
from bagtag.cli.start import main
main()
"""


def begun(*command: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def listens(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Whether the kernel knows of a handler for that signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    # Python itself catches SIGINT from its start; the program takes all three at once.
    return all(int(caught, 16) >> (each - 1) & 1 for each in (number, signal.SIGHUP, signal.SIGTERM))


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_from_when_it_listens_to_its_end_repeated_signals_give_5(
    number: signal.Signals, plain_backup: Any, tmp_path: Path
) -> None:
    codes = []
    for trial in range(16):
        process = begun("-m", "bagtag.cli", "extract", plain_backup.folder, tmp_path / f"{trial}")
        deadline = time.monotonic() + SECONDS
        while not listens(process, number):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(trial * 0.03)
        for pause in (0.0, 0.002, 0.01, 0.03):
            time.sleep(pause)
            process.send_signal(number)
        _, err = process.communicate(timeout=SECONDS)
        assert process.returncode in (1, 5), (trial, err)  # 1: it was done, and the sample lacks a blob
        assert b"Traceback" not in err, (trial, err)
        codes.append(process.returncode)
    assert codes[0] == 5


@pytest.mark.parametrize("number", SIGNALS)
def test_a_command_that_is_stopped_is_continued(
    number: signal.Signals, plain_backup: Any, tmp_path: Path, bagtag: Any
) -> None:
    process = begun("-c", STANDS_STILL, "extract", plain_backup.folder, tmp_path / "out")
    assert process.stdout is not None
    assert process.stdout.readline() == b"sixth file\n"
    process.send_signal(number)
    time.sleep(0.3)  # two at once are one to the kernel
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 5, err
    assert b"Traceback" not in err
    assert not (tmp_path / "out").exists()
    bagtag("extract", plain_backup.folder, tmp_path / "out")
    bagtag("extract", plain_backup.folder, tmp_path / "undisturbed")
    one, other = (tmp_path / name / "inventory.jsonl" for name in ("out", "undisturbed"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_comes_when_the_command_is_done_changes_nothing(
    number: signal.Signals, plain_backup: Any
) -> None:
    process = begun("-c", ONE_MORE_AT_THE_END, int(number), "info", plain_backup.folder)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert plain_backup.udid.encode() in out
    assert b"Traceback" not in err
