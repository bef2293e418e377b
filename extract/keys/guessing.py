"""Trying a list of passphrases, one a line, on all cores, over as many runs as it takes.

How far a run came is kept beside the user's other state, private, in a file that names the key bag by its SHA-256 and
the list by path, size and time: no candidate, no key. It is written every two seconds and when the run is stopped, so
that a run that was killed repeats only the lines of its last moments. OpenSSL lets go of Python's lock while it
derives, so threads use every core.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

import msgspec
from filelock import FileLock, Timeout
from platformdirs import user_state_path

from bagtag.custody import durable
from bagtag.custody.errors import PassphraseError, UsageError
from bagtag.custody.progress import Progress, Silent
from bagtag.extract.keybag import KeyBag
from bagtag.extract.keys.passphrase_forms import Form, forms
from bagtag.extract.keys.word_list import Line, WordList

Check = Callable[[bytes], bool]
"""Whether these are the bytes of the right passphrase. Called from several threads at once."""

_SAVED_EVERY = 2.0
_GLANCE = 0.2
_BATCH_SECONDS, _MOST_LINES, _MOST_BYTES = 0.05, 4096, 256 * 1024
_AHEAD = 3
"""Batches that are handed out for each thread, so that none waits for the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """The line that fits, counted from 1, and the form of it that does."""

    line: int
    form: Form


class _State(msgspec.Struct, forbid_unknown_fields=True):
    key_bag_sha256: str
    word_list: str
    size: int
    modified_ns: int
    offset: int = 0
    lines: int = 0
    too_long: int = 0


@dataclass(frozen=True, slots=True)
class _Tried:
    found: Found | None
    whole: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class _Batch:
    lines: list[Line]
    result: Future[_Tried] = field(default_factory=Future)


def by_key_bag(bag: KeyBag) -> Check:
    """Test by derivation and unwrapping, with certainty (RFC 3394's integrity value). Raises EvidenceError."""
    bag.check()

    def opens(secret: bytes) -> bool:
        try:
            bag.unwrap(bag.stretch(secret))
        except PassphraseError:
            return False
        return True

    return opens


class Guessing:
    """One list against one key bag. Use as a context manager: it keeps other runs of the same away.

    `folder` holds the state. `continued` says that an earlier run had tried `lines` lines, `changed` that one had, but
    the list is another since. `too_long` lines were no passphrase for their length alone, and were not tried.
    """

    def __init__(self, words: Path, key_bag_sha256: str) -> None:
        """Open the list and find what an earlier run left. Raises UsageError."""
        self._list = WordList(words)
        name = os.fsencode(words.resolve())
        key = hashlib.sha256(key_bag_sha256.encode() + b"\0" + name).hexdigest()
        self.folder = user_state_path("bagtag", appauthor=False) / "guessing" / key[:32]
        self._file = self.folder / "state.json"
        self._lock = FileLock(self.folder / "lock", timeout=0)
        self._state = _State(
            key_bag_sha256, name.decode("utf-8", "backslashreplace"), self._list.size, self._list.modified_ns
        )
        try:
            self.folder.mkdir(mode=durable.PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._lock.acquire()
        except (OSError, Timeout) as trouble:
            self._list.close()
            raise _unusable(self.folder, trouble) from trouble
        before = _read(self._file)
        self.changed = before is not None and not _same(before, self._state)
        if before is not None and not self.changed:
            self._state = before
        self.continued = self._state.offset > 0

    @property
    def lines(self) -> int:
        """How many lines are done, in all runs together."""
        return self._state.lines

    @property
    def too_long(self) -> int:
        """How many of them were not tried."""
        return self._state.too_long

    def run(self, check: Check, progress: Progress | None = None, threads: int | None = None) -> Found | None:
        """The first line that fits, None when none does; then the state goes. Whatever stops it, the state is kept."""
        progress = progress or Silent()
        progress.step("trying the word list", self._list.size)
        progress.advance(self._state.offset)
        hands = _Hands(check, threads or _cores())
        try:
            found = self._search(hands, progress)
        except BaseException:
            while hands.ahead and self._counted(hands.ahead[0]):
                hands.ahead.popleft()
            self._save()
            raise
        finally:
            hands.dismiss()
        self._file.unlink(missing_ok=True)
        return found

    def close(self) -> None:
        """Let go of the list and the lock. The folder goes when no state is left in it."""
        self._list.close()
        self._lock.release()
        if not self._file.exists():
            with suppress(OSError):  # another run may have begun in it
                (self.folder / "lock").unlink(missing_ok=True)
                self.folder.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _search(self, hands: _Hands, progress: Progress) -> Found | None:
        lines = self._list.lines(self._state.offset, self._state.lines)
        saved = time.monotonic()
        while hands.fill(lines):
            batch = hands.ahead[0]
            tried = _awaited(batch.result)
            if tried.found is not None:
                return tried.found
            self._counted(batch)
            hands.ahead.popleft()
            hands.learn(batch, tried.seconds)
            progress.advance(sum(line.length for line in batch.lines))
            if time.monotonic() - saved >= _SAVED_EVERY:
                self._save()
                saved = time.monotonic()
        return None

    def _counted(self, batch: _Batch) -> bool:
        """Put the batch behind us, if every line of it was tried in vain."""
        result = batch.result
        if not result.done() or result.exception() is not None:
            return False
        tried = result.result()
        if tried.found is not None or not tried.whole:
            return False
        self._state.offset = batch.lines[-1].end
        self._state.lines = batch.lines[-1].number
        self._state.too_long += sum(line.candidate is None for line in batch.lines)
        return True

    def _save(self) -> None:
        durable.write(self._file, msgspec.json.format(msgspec.json.encode(self._state)))


class _Hands:
    """The threads and the batches they have, in the order of the list. A batch takes some hundredths of a second.

    The threads are daemons: after Ctrl-C the process does not wait for the candidates that are being tried.
    """

    def __init__(self, check: Check, threads: int) -> None:
        self.ahead: deque[_Batch] = deque()
        self._check = check
        self._stop = threading.Event()
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._threads = threads
        self._lines = 1
        for number in range(threads):
            threading.Thread(target=self._work, name=f"guessing {number}", daemon=True).start()

    def fill(self, lines: Iterator[Line]) -> bool:
        """Hand out batches while there are lines. False when everything is done."""
        while len(self.ahead) < self._threads * _AHEAD and (some := self._next(lines)):
            batch = _Batch(some)
            self.ahead.append(batch)
            self._queue.put(batch)
        return bool(self.ahead)

    def dismiss(self) -> None:
        """Stop after the candidates that are being tried."""
        self._stop.set()
        for _ in range(self._threads):
            self._queue.put(None)

    def learn(self, batch: _Batch, seconds: float) -> None:
        """Size the next batches by what this one took; lines that were not tried tell nothing."""
        tried = sum(line.candidate is not None for line in batch.lines)
        if tried:
            fitting = int(_BATCH_SECONDS * tried / max(seconds, 1e-9))
            self._lines = max(1, min(fitting, 2 * self._lines, _MOST_LINES))

    def _next(self, lines: Iterator[Line]) -> list[Line]:
        batch: list[Line] = []
        size = 0
        while len(batch) < self._lines and size < _MOST_BYTES and (line := next(lines, None)):
            batch.append(line)
            size += len(line.candidate or b"")
        return batch

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                batch.result.set_result(self._try(batch.lines))
            except BaseException as trouble:  # noqa: BLE001 - raised again in the thread that waits
                batch.result.set_exception(trouble)

    def _try(self, lines: list[Line]) -> _Tried:
        began = time.perf_counter()
        for line in lines:
            if self._stop.is_set():
                return _Tried(None, whole=False, seconds=0)
            if line.candidate is None:
                continue
            for form in forms(line.candidate.decode("utf-8", "surrogateescape")):
                if self._check(form.secret):
                    return _Tried(Found(line.number, form), whole=True, seconds=0)
        return _Tried(None, whole=True, seconds=time.perf_counter() - began)


def _awaited(result: Future[_Tried]) -> _Tried:
    """Wait in glances: a wait without end could not be interrupted on Windows."""
    while True:
        try:
            return result.result(timeout=_GLANCE)
        except TimeoutError:
            continue


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _same(before: _State, now: _State) -> bool:
    return (before.size, before.modified_ns) == (now.size, now.modified_ns) and 0 <= before.offset <= now.size


def _read(file: Path) -> _State | None:
    """What an earlier run left; None when it left nothing that can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=_State)
    except (OSError, msgspec.DecodeError):
        return None


def _unusable(folder: Path, trouble: OSError | Timeout) -> UsageError:
    if isinstance(trouble, Timeout):
        return UsageError("another process is trying this list on this backup", hint="wait until it has ended")
    return UsageError(
        f"the state cannot be kept in {folder}: {trouble.strerror}",
        hint="make it writable, or name another place with the environment variable XDG_STATE_HOME",
    )
