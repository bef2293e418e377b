"""Who does the tasks of an extraction: threads of this process, or processes of their own (`worker.py`).

Either takes batches of tasks and gives their results back in the same order. Small files are bound by Python's lock, so
many of them go to processes.
"""

from __future__ import annotations

import pickle
import subprocess
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
from bagtag.extract.reading.worker_process import died, end, started

_SCRIPT = Path(__file__).with_name("worker.py")

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
        try:
            for _ in range(count):
                worker = started(_SCRIPT)
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
            raise died(worker)
        return [_result(outcome) for outcome in self._decoder.decode(frame)]

    def end(self) -> None:
        """End them at once: what they were writing is named nowhere yet."""
        end(self._workers)

    def _send(self, worker: subprocess.Popen[bytes], frame: bytes) -> None:
        assert worker.stdin is not None
        try:
            write_frame(worker.stdin, frame)  # type: ignore[arg-type]
        except OSError as trouble:
            raise died(worker) from trouble


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
