"""Ctrl-C on a real process, once and twice, and the order in which a real process gives things to the disk."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.sample_backups.make import Minted

LOST_A_BLOB, STOPPED = 1, 5
SECONDS = 20

SLOW_DISK = """
import sys, time
from bagtag.cli.main import main
from bagtag.extract.reading.written_file import WrittenFile
real, seen = WrittenFile.keep, 0
def keep(self):
    global seen
    seen += 1
    real(self)
    if seen == 6:
        print("sixth file", flush=True)
        time.sleep(float(sys.argv[1]))
WrittenFile.keep = keep
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def slowly(plain_backup: Minted, tmp_path: Path) -> Callable[[float], subprocess.Popen[bytes]]:
    """Start an extraction that stands still for so many seconds after its sixth file; it stands still on return."""

    def start(seconds: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", SLOW_DISK, str(seconds), "extract", str(plain_backup.folder)]
        process = subprocess.Popen(
            [*command, str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"sixth file\n"
        return process

    return start


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_once_stops_in_good_order(
    slowly: Callable[[float], subprocess.Popen[bytes]], bagtag: Any, plain_backup: Minted, tmp_path: Path
) -> None:
    with slowly(0.5) as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == STOPPED
    assert b"state is kept" in said
    assert b"Traceback" not in said
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.partial/work").exists()
    goes_on(bagtag, plain_backup, tmp_path)


def test_twice_stops_at_once(
    slowly: Callable[[float], subprocess.Popen[bytes]], bagtag: Any, plain_backup: Minted, tmp_path: Path
) -> None:
    started = time.monotonic()
    with slowly(10 * SECONDS) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == STOPPED
    assert time.monotonic() - started < SECONDS
    assert b"stopped at once" in said
    assert b"Traceback" not in said
    goes_on(bagtag, plain_backup, tmp_path)


def goes_on(bagtag: Any, backup: Minted, place: Path) -> None:
    """The same command ends with what an undisturbed one makes."""
    assert bagtag("extract", backup.folder, place / "out").code == LOST_A_BLOB
    assert bagtag("extract", backup.folder, place / "whole").code == LOST_A_BLOB
    assert tree(place / "out") == tree(place / "whole")
    assert not (place / "out.partial").exists()


CALL = re.compile(r"^(?:\d+\s+)?(\w+)\((.*)\)\s+= (-?\d+)")


@pytest.mark.program("strace")
@pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")
def test_everything_is_flushed_before_it_is_named(plain_backup: Minted, tmp_path: Path) -> None:
    dest, log = tmp_path / "out", tmp_path / "calls"
    watched = "trace=openat,write,fsync,syncfs,rename,renameat,renameat2"
    command = [sys.executable, "-m", "bagtag.cli", "extract", str(plain_backup.folder), str(dest)]
    strace = shutil.which("strace")
    assert strace is not None
    done = subprocess.run(
        [strace, "-f", "-y", "-qq", "-e", "signal=none", "-e", watched, "-s", "0", "-o", str(log), *command],
        capture_output=True,
        check=False,
    )
    assert done.returncode == LOST_A_BLOB, done.stderr
    calls = [found.groups() for line in log.read_text("utf-8").splitlines() if (found := CALL.match(line))]
    files = [
        number
        for number, (name, arguments, result) in enumerate(calls)
        if name == "write" and f"{dest}.partial/files/" in arguments and int(result) >= 0
    ]
    (published,) = (
        number
        for number, (name, arguments, _) in enumerate(calls)
        if name.startswith("rename") and arguments.endswith((f'"{dest}"', f'"{dest}", 0'))
    )
    flushes = [number for number, (name, _, result) in enumerate(calls) if name == "syncfs" and result == "0"]
    inventory = [number for number, (_, arguments, _) in enumerate(calls) if "inventory.jsonl" in arguments]
    assert len(files) > 5
    assert any(max(*files, *inventory) < number < published for number in flushes)
    assert any(
        name == "fsync" and number > published and str(dest.parent) in arguments
        for number, (name, arguments, _) in enumerate(calls)
    )


IN_A_CALLBACK = """
import gc, os, signal, sys, time, weakref
from bagtag.cli import interrupts
interrupts.listen()
class Thing:
    pass
def told(_):
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        pass
with interrupts.counted():
    try:
        thing = Thing()
        gone = weakref.ref(thing, told)
        del thing  # the callback runs here; what it raises, Python only prints
        time.sleep(20)
        print("not stopped")
    except KeyboardInterrupt:
        print("stopped")
"""


def test_a_signal_that_falls_into_a_callback_stops_the_command_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", IN_A_CALLBACK], capture_output=True, timeout=SECONDS, check=False)
    assert (done.stdout, done.stderr) == (b"stopped\n", b"")
