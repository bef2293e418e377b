"""Signals of a terminal on the real program, at any moment and as often as anyone likes: exit code 5, no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def begun(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bagtag.cli", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_repeated_signals_end_without_a_traceback(number: signal.Signals, plain_backup: Any, tmp_path: Path) -> None:
    """Well after the interpreter's own first moments, which are beyond our reach."""
    process = begun("extract", plain_backup.folder, tmp_path / "out")
    time.sleep(1.0 if process.poll() is None else 0)
    for pause in (0.0, 0.002, 0.01):
        time.sleep(pause)
        process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (0, 1, 5), err
    assert b"Traceback" not in err


def test_a_stopped_extraction_is_continued(plain_backup: Any, tmp_path: Path, bagtag: Any) -> None:
    process = begun("extract", plain_backup.folder, tmp_path / "out")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    if not (tmp_path / "out").exists():
        assert process.returncode == 5
        bagtag("extract", plain_backup.folder, tmp_path / "out")
    bagtag("extract", plain_backup.folder, tmp_path / "undisturbed")
    one, other = (tmp_path / name / "inventory.jsonl" for name in ("out", "undisturbed"))
    assert one.read_bytes() == other.read_bytes()
