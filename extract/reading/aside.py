"""Hashing aside: while one thread reads, decrypts and writes a large file, two others compute its digests.

SHA-256 over both sides is two thirds of the work on a blob, and it leaves Python's lock: a second core takes it over.
Where none is idle, the thread that reads hashes by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from bagtag.extract.reading.cipher import BLOCK

CHUNK = 1024 * 1024
_PAIRS = 4
"""So many pieces may be on their way at once: eight mebibytes a file."""


class Buffers:
    """Room for one piece of a blob, as stored and as decrypted. `settle` waits for those who still read in it."""

    def __init__(self) -> None:
        self.incoming = memoryview(bytearray(CHUNK))
        # The held block before, and the block more that the cipher asks for behind.
        self.outgoing = memoryview(bytearray(CHUNK + 2 * BLOCK))
        self.readers: list[Future[None]] = []

    def settle(self) -> None:
        """Return when nobody reads in the buffers any more."""
        for future in self.readers:
            future.result()
        self.readers.clear()


class Lane:
    """One thread that does pieces of work in the order in which they are given."""

    def __init__(self, idle: Callable[[], bool]) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._idle = idle
        self._last: Future[None] | None = None

    def run(self, work: Callable[[memoryview], None], piece: memoryview, buffers: Buffers) -> None:
        """Have it done aside when a core is idle, else now; always after the piece before."""
        if self._idle():
            self._last = self._pool.submit(work, piece)
            buffers.readers.append(self._last)
            return
        if self._last is not None:
            self._last.result()
            self._last = None
        work(piece)

    def close(self) -> None:
        """Finish what was given."""
        self._pool.shutdown()


class Aside:
    """What one large file needs. `idle` tells at any moment whether a core is free. A context manager."""

    def __init__(self, idle: Callable[[], bool]) -> None:
        self.pairs = [Buffers() for _ in range(_PAIRS)]
        self.stored = Lane(idle)
        self.content = Lane(idle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stored.close()
        self.content.close()
