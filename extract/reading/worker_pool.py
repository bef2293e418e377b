"""Who does the tasks of an extraction: threads of this process, or processes of their own (`worker.py`).

Either takes batches of tasks and gives their results back in the same order. Small files are bound by Python's lock, so
many of them go to processes; they are started as `python -I worker.py`, never by multiprocessing, which would run a
user's script a second time.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import msgspec

from bagtag.custody.errors import StoppedError
from bagtag.extract.inventory import decode
from bagtag.extract.reading.entry_reading import LargeBlobError, Read
from bagtag.extract.reading.task import Task, TaskReader
from bagtag.extract.reading.worker import READY, Outcome, Setup, packed, read_frame, write_frame

_SCRIPT = Path(__file__).with_name("worker.py")
_SAFE_VARIABLES = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")

Result = Read | None
"""None: the blob is large, nothing was read."""


class Workers(Protocol):
    """Takes batches of tasks."""

    def room(self) -> bool:
        """Whether another batch may be given before one is taken back."""

    def give(self, batch: Sequence[Task]) -> None:
        """Have these tasks done. Raises StoppedError."""

    def take(self) -> list[Result]:
        """The results of the oldest batch that was given. Raises StoppedError."""

    def end(self) -> None:
        """Let go; what was given and not taken back is given up."""


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Threads:
    """Threads of this process; for few files, and for backups in a zip or tar."""

    def __init__(self, reader: TaskReader, count: int) -> None:
        self._reader = reader
        self._most = 2 * count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="extract")
        self._given: deque[Future[list[Result]]] = deque()

    def room(self) -> bool:
        """Two batches a thread are on their way at most."""
        return len(self._given) < self._most

    def give(self, batch: Sequence[Task]) -> None:
        """Have these tasks done."""
        self._given.append(self._pool.submit(self._read, batch))

    def take(self) -> list[Result]:
        """The results of the oldest batch. Raises StoppedError."""
        return self._given.popleft().result()

    def end(self) -> None:
        """Wait for the tasks that were begun."""
        self._pool.shutdown(cancel_futures=True)

    def _read(self, batch: Sequence[Task]) -> list[Result]:
        return [self._one(task) for task in batch]

    def _one(self, task: Task) -> Result:
        try:
            return self._reader.read(task)
        except LargeBlobError:
            return None


class Processes:
    """Processes of their own, one a core. Batches go to them in turn."""

    MOST_AHEAD = 4

    def __init__(self, setup: Setup, count: int) -> None:
        """Start them. Raises OSError."""
        self._workers: list[subprocess.Popen[bytes]] = []
        self._given: deque[subprocess.Popen[bytes]] = deque()
        self._turn = 0
        self._decoder = msgspec.msgpack.Decoder(list[Outcome])
        first = pickle.dumps(setup)
        environment = {name: os.environ[name] for name in _SAFE_VARIABLES if name in os.environ}
        try:
            for _ in range(count):
                worker = subprocess.Popen(  # noqa: S603 - our own script, no shell
                    [sys.executable, "-I", str(_SCRIPT)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
                self._workers.append(worker)
                self._send(worker, first)
        except BaseException:
            self.end()
            raise

    def ready(self) -> bool:
        """Wait until they stand. False when one of them did not start."""
        return all(_frame(worker) == READY for worker in self._workers)

    def room(self) -> bool:
        """Some batches a worker are on their way at most."""
        return len(self._given) < self.MOST_AHEAD * len(self._workers)

    def give(self, batch: Sequence[Task]) -> None:
        """Have these tasks done. Raises StoppedError."""
        worker = self._workers[self._turn]
        self._turn = (self._turn + 1) % len(self._workers)
        self._given.append(worker)
        self._send(worker, pickle.dumps([packed(task) for task in batch], protocol=5))

    def take(self) -> list[Result]:
        """The results of the oldest batch. Raises StoppedError."""
        worker = self._given.popleft()
        frame = _frame(worker)
        if frame is None:
            raise _died(worker)
        return [_result(outcome) for outcome in self._decoder.decode(frame)]

    def end(self) -> None:
        """End them at once: what they were writing is named nowhere yet."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:  # what was still to be written to it
                        continue
        self._workers.clear()

    def _send(self, worker: subprocess.Popen[bytes], frame: bytes) -> None:
        assert worker.stdin is not None
        try:
            write_frame(worker.stdin, frame)  # type: ignore[arg-type]
        except OSError as trouble:
            raise _died(worker) from trouble


def _frame(worker: subprocess.Popen[bytes]) -> bytes | None:
    return None if worker.stdout is None else read_frame(worker.stdout)  # type: ignore[arg-type]


def _result(outcome: Outcome) -> Result:
    if outcome.large:
        return None
    if outcome.stopped is not None:
        message, hint = outcome.stopped
        raise StoppedError(message, hint=hint)
    if outcome.fault is not None:
        raise RuntimeError(f"a worker failed: {outcome.fault}")
    return Read(decode(outcome.line), outcome.head, outcome.modified, outcome.line)


def _died(worker: subprocess.Popen[bytes]) -> StoppedError:
    return StoppedError(
        f"a worker process (number {worker.pid}) ended before its work was done",
        hint="it may have been killed for want of memory; give the same command: what is done is kept",
    )
