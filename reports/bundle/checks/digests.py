"""Step 3, digests: every file that a manifest lists has the bytes that were sealed.

Hashing leaves Python's lock, so threads use every core; small files are handed to them by the dozen, since passing one
on costs more than hashing it. One file is read by one thread: a single large one takes as long as one core needs.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from bagtag.custody.problem import Problem
from bagtag.custody.progress import Progress
from bagtag.reports.bundle.contents import Hashed
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.manifest import Listed
from bagtag.reports.bundle.tree import Node, shown

_WORKERS = min(8, max(2, os.cpu_count() or 1))
_BATCH_FILES, _BATCH_OCTETS = 64, 1 << 22
_AHEAD = 4 * _WORKERS

Pairs = list[tuple[Listed, Node]]


class Digests:
    """Files to be hashed, and what came out of it in `problems`, in the order in which they were added.

    Use as a context manager: it waits for all at its end. `progress` is told of the bytes.
    """

    def __init__(self, folder: EvidenceFolder, problems: list[Problem], progress: Progress) -> None:
        self._folder, self._problems, self._progress = folder, problems, progress
        self._batch: Pairs = []
        self._octets = 0
        self._pending: deque[tuple[Pairs, Future[list[Hashed | OSError]]]] = deque()
        self._pool = ThreadPoolExecutor(_WORKERS)

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

    def add(self, wanted: Listed, there: Node) -> None:
        """A file that is listed and there."""
        self._batch.append((wanted, there))
        self._octets += there.size
        if self._octets >= _BATCH_OCTETS or len(self._batch) >= _BATCH_FILES:
            self._send()

    def _send(self) -> None:
        if self._batch:
            self._pending.append((self._batch, self._pool.submit(_hash, self._folder, self._batch)))
            self._batch, self._octets = [], 0
        if len(self._pending) > _AHEAD:
            self._settle()

    def _settle(self) -> None:
        batch, future = self._pending.popleft()
        for (wanted, there), hashed in zip(batch, future.result(), strict=True):
            path = f"bag/{shown(wanted.path)}"
            if isinstance(hashed, OSError):
                self._problems.append(Problem(path, f"cannot be read: {hashed.strerror or hashed}"))
            elif hashed.sha256 != wanted.sha256:
                what = "has other bytes than were sealed (sha256)"
                self._problems.append(Problem(path, what, wanted.sha256, hashed.sha256))
            elif hashed.size != there.size:
                what = "changed while it was read (bytes)"
                self._problems.append(Problem(path, what, str(there.size), str(hashed.size)))
        self._progress.advance(sum(there.size for _, there in batch))


def _hash(folder: EvidenceFolder, batch: Pairs) -> list[Hashed | OSError]:
    found: list[Hashed | OSError] = []
    for wanted, _ in batch:
        try:
            found.append(folder.hashed(f"bag/{os.fsdecode(wanted.path)}"))
        except OSError as trouble:
            found.append(trouble)
    return found
