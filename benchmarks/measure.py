"""One command as a whole process tree: wall seconds, processor seconds, and the peak of its memory.

Linux only: the tree is read from /proc. `tree_mib` is the largest sum of the resident sets of the process and all its
descendants, looked at every 50 ms; pages that several of them share are counted once for each, so it is never too
low but for what comes and goes between two looks. `largest_mib` is the kernel's own high-water mark of the largest
single process.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

EVERY = 0.05
"""Seconds between two looks at the memory."""
_TOLD = 2000
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Run:
    """What one run took; `said` is the end of what it wrote to stderr."""

    wall: float
    cpu: float
    tree_mib: float
    largest_mib: float
    code: int
    said: str


def once(
    command: Sequence[str | Path],
    *,
    typed: str = "",
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
    cores: Collection[int] | None = None,
) -> Run:
    """Run a command to its end. Its stdout goes to the file `output` or is thrown away; `cores` are all it may use."""
    allowed = os.sched_getaffinity(0)
    with tempfile.TemporaryFile() as said, (output or Path(os.devnull)).open("wb") as printed:
        os.sched_setaffinity(0, cores or allowed)  # a new process begins with the cores of the one that starts it
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=printed, stderr=said,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        finally:
            os.sched_setaffinity(0, allowed)
        with _Memory(process.pid) as memory:
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # it may end before it reads
                process.stdin.write(typed.encode())
                process.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(max(0, said.seek(0, os.SEEK_END) - _TOLD))
        return Run(
            wall=wall,
            cpu=usage.ru_utime + usage.ru_stime,
            tree_mib=max(memory.peak, usage.ru_maxrss * 1024) / 2**20,
            largest_mib=usage.ru_maxrss / 1024,
            code=process.returncode,
            said=said.read().decode(errors="replace"),
        )


class _Memory:
    """The largest sum of resident sets seen, in bytes, while the block runs."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, sum(map(_resident, _tree(self._pid))))
            if self._ended.wait(EVERY):
                return


def _tree(pid: int) -> Iterator[int]:
    """The process and all its descendants; a parent that has ended takes its children out of sight."""
    yield pid
    try:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from _tree(int(child))
    except OSError:  # it has ended meanwhile
        return


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
