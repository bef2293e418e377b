"""Processes that hash small files, one a core, fed with batches in turn: see `hash_worker`."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from bagtag.extract.reading.worker_process import end, started
from bagtag.reports.bundle.checks.hash_worker import BAD, GOOD, NUMBER
from bagtag.reports.bundle.contents import Hashed

_SCRIPT = Path(__file__).with_name("hash_worker.py")
_NO_FILE = "is no regular file"


class HashProcesses:
    """Give batches, take the answers in the same order. Raises OSError when one cannot be started or has ended."""

    def __init__(self, count: int) -> None:
        self._workers: list[subprocess.Popen[bytes]] = []
        self._given: deque[tuple[subprocess.Popen[bytes], int]] = deque()
        self._turn = 0
        try:
            for _ in range(count):
                self._workers.append(started(_SCRIPT))
        except BaseException:
            self.end()
            raise

    def give(self, paths: Sequence[str]) -> None:
        """Have these files of this computer hashed."""
        worker = self._workers[self._turn]
        self._turn = (self._turn + 1) % len(self._workers)
        out = bytearray(NUMBER.pack(len(paths)))
        for path in map(os.fsencode, paths):
            out += NUMBER.pack(len(path)) + path
        assert worker.stdin is not None
        worker.stdin.write(out)
        worker.stdin.flush()
        self._given.append((worker, len(paths)))

    def take(self) -> list[Hashed | OSError]:
        """The answers to the oldest batch."""
        worker, count = self._given.popleft()
        assert worker.stdout is not None
        read = worker.stdout.read
        found: list[Hashed | OSError] = []
        for _ in range(count):
            raw = read(BAD.size)
            if raw[:1] == b"\0":
                raw += read(GOOD.size - BAD.size)
                if len(raw) == GOOD.size:
                    _, digest, size = GOOD.unpack(raw)
                    found.append(Hashed(digest.hex(), size))
                    continue
            if len(raw) != BAD.size:
                raise OSError(f"the worker process {worker.pid} ended")
            _, number = BAD.unpack(raw)
            found.append(OSError(number, os.strerror(number)) if number else OSError(_NO_FILE))
        return found

    def end(self) -> None:
        """End them at once."""
        end(self._workers)
