"""Step 3, digests: every file that a manifest lists has the bytes that were sealed.

Hashing leaves Python's lock, so threads use every core for large files; small ones are bound by that lock, so where
there are many they go to processes. One file is read by one of them: a single large file takes as long as one core
needs.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bagtag.custody.problem import Problem
from bagtag.custody.progress import Progress
from bagtag.reports.bundle.contents import Hashed
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.manifest import Listed
from bagtag.reports.bundle.tree import Node, shown

if TYPE_CHECKING:
    from bagtag.reports.bundle.checks.hash_processes import HashProcesses

_CORES = min(8, os.cpu_count() or 1)
_BATCH_FILES, _BATCH_OCTETS = 64, 1 << 22
_LARGE = 1 << 20
_MANY = 512
"""Small files before processes are started, which takes as long as some hundreds of them."""
_AHEAD = 6 * max(2, _CORES)

Pairs = list[tuple[Listed, Node]]
Answers = list[Hashed | OSError]


class Digests:
    """Files to be hashed, and what came out of it in `problems`, in the order in which they were added.

    Use as a context manager: it waits for all at its end. `progress` is told of the bytes.
    """

    def __init__(self, folder: EvidenceFolder, problems: list[Problem], progress: Progress) -> None:
        self._folder, self._problems, self._progress = folder, problems, progress
        self._batch: Pairs = []
        self._octets = self._small = 0
        self._pending: deque[tuple[Pairs, Callable[[], Answers]]] = deque()
        self._pool = ThreadPoolExecutor(max(2, _CORES))
        self._processes: HashProcesses | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._send()
                while self._pending:
                    self._settle()
        finally:
            self._pool.shutdown(cancel_futures=True)
            if self._processes is not None:
                self._processes.end()

    def add(self, wanted: Listed, there: Node) -> None:
        """A file that is listed and there."""
        if there.size > _LARGE:
            self._by_thread([(wanted, there)])
            return
        self._batch.append((wanted, there))
        self._octets += there.size
        if self._octets >= _BATCH_OCTETS or len(self._batch) >= _BATCH_FILES:
            self._send()

    def _send(self) -> None:
        batch, self._batch, self._octets = self._batch, [], 0
        if not batch:
            return
        self._small += len(batch)
        if self._small > _MANY and self._processes is None and _CORES > 1 and self._folder.local is not None:
            self._start()
        if self._processes is None:
            self._by_thread(batch)
        else:
            self._by_process(self._processes, batch)

    def _start(self) -> None:
        from bagtag.reports.bundle.checks.hash_processes import HashProcesses

        try:
            self._processes = HashProcesses(_CORES)
        except OSError:
            self._small = -(1 << 62)  # where none can be had, threads do it, as slowly as they do

    def _by_thread(self, batch: Pairs) -> None:
        future: Future[Answers] = self._pool.submit(_hash, self._folder, batch)
        self._wait_for(batch, future.result)

    def _by_process(self, processes: HashProcesses, batch: Pairs) -> None:
        try:
            processes.give([f"{self._folder.local}/bag/{os.fsdecode(wanted.path)}" for wanted, _ in batch])
        except OSError:  # it was killed, perhaps for want of memory
            self._by_thread(batch)
        else:
            self._wait_for(batch, processes.take)

    def _wait_for(self, batch: Pairs, answers: Callable[[], Answers]) -> None:
        self._pending.append((batch, answers))
        if len(self._pending) > _AHEAD:
            self._settle()

    def _settle(self) -> None:
        batch, take = self._pending.popleft()
        try:
            answers = take()
        except OSError:
            answers = _hash(self._folder, batch)
        for (wanted, there), hashed in zip(batch, answers, strict=True):
            if isinstance(hashed, OSError):
                self._say(wanted, f"cannot be read: {hashed.strerror or hashed}")
            elif hashed.sha256 != wanted.sha256:
                self._say(wanted, "has other bytes than were sealed (sha256)", wanted.sha256, hashed.sha256)
            elif hashed.size != there.size:
                self._say(wanted, "changed while it was read (bytes)", str(there.size), str(hashed.size))
        self._progress.advance(sum(there.size for _, there in batch))

    def _say(self, wanted: Listed, what: str, expected: str | None = None, found: str | None = None) -> None:
        self._problems.append(Problem(f"bag/{shown(wanted.path)}", what, expected, found))


def _hash(folder: EvidenceFolder, batch: Pairs) -> Answers:
    found: Answers = []
    for wanted, _ in batch:
        try:
            found.append(folder.hashed(f"bag/{os.fsdecode(wanted.path)}"))
        except OSError as trouble:
            found.append(trouble)
    return found
