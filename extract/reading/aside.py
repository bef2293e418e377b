"""What is done aside while one thread reads and decrypts a large file: two others compute its digests, one writes it.

SHA-256 over both sides is most of the work on a blob, and it leaves Python's lock: a second core takes it over. Where
none is idle, the thread that reads hashes by itself. Writing waits for the disk and needs no core.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from bagtag.extract.reading.cipher import BLOCK

CHUNK = 1024 * 1024
_PAIRS = 4
"""So many pieces may be on their way at once: eight mebibytes a file."""


class Buffers:
    """Room for one piece of a blob, as stored and as decrypted, at the start of a page of memory as direct writing
    wants it."""

    def __init__(self) -> None:
        self.incoming = memoryview(mmap.mmap(-1, CHUNK))
        self.outgoing = memoryview(mmap.mmap(-1, CHUNK + BLOCK))  # the cipher asks for a block more
        self.readers: list[Future[object]] = []

    def settle(self) -> None:
        """Return when nobody reads in the buffers any more. Raises what one of them raised."""
        for future in self.readers:
            future.result()
        self.readers.clear()

    def forget(self) -> None:
        """The same after a failure: what the readers raise besides does not count."""
        wait(self.readers)
        self.readers.clear()


class Lane:
    """One thread that does pieces of work in the order in which they are given."""

    def __init__(self, idle: Callable[[], bool]) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._idle = idle
        self._last: Future[object] | None = None

    def run(self, work: Callable[[memoryview], object], piece: memoryview, buffers: Buffers) -> None:
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
        self.written = Lane(_always)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in (self.stored, self.content, self.written):
            lane.close()


def _always() -> bool:
    return True
