"""A process of our own that does a share of the work: how it is started, and what to say when it is gone.

Started as `python -I SCRIPT`, never by multiprocessing, which would run a user's script a second time. It talks over
its standard input and output, in frames (`worker.py`), and knows nothing of the environment but what Python needs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bagtag.custody.errors import StoppedError

_SAFE_VARIABLES = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "SQLITE_TMPDIR")


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def started(script: Path) -> subprocess.Popen[bytes]:
    """A new process that runs the script. Raises OSError."""
    return subprocess.Popen(  # noqa: S603 - our own script, no shell
        [sys.executable, "-I", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _SAFE_VARIABLES if name in os.environ},
    )


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """End them at once."""
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be written to it
                    continue
    processes.clear()


def died(process: subprocess.Popen[bytes]) -> StoppedError:
    """What to tell when it ended before its work was done."""
    return StoppedError(
        f"a worker process (number {process.pid}) ended before its work was done",
        hint="it may have been killed for want of memory; give the same command: what is done is kept",
    )
