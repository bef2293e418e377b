"""The proof that the source was only read: what every file of the backup was before, and is afterwards.

A zip or tar is one source file: its members are listed, and the container, hashed as it lies, is what is compared.

Before: size, times and inode of each file. During: SHA-256, mostly noted from the read that decrypts. The list is
written as `sha256sum` writes it; its own SHA-256 is the *source digest*. Afterwards everything is compared again, and
a file whose facts moved is read again, since only its content tells whether evidence changed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from bagtag.extract.evidence import Effect, Issue, Provenance
from bagtag.extract.stores.folder import KEEPS_INODES, FolderStore
from bagtag.extract.stores.store import NotRegularError, Status, Store, UnreadableError, chunks, gone
from bagtag.extract.workspace import Workspace

COMPARED = ("size", "mtime", "ctime", "inode") if KEEPS_INODES else ("size", "mtime")
"""What `check` compares here."""

_CHUNK = 1024 * 1024
_EVERY = 2**28
"""Bytes between two reports of progress."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})

_KEPT = {"kind", "size", "mtime"}
"""What no file system makes up."""

_SCHEMA = """
CREATE TABLE file (
    path BLOB PRIMARY KEY, kind INTEGER, size INTEGER, mtime INTEGER, ctime INTEGER, inode TEXT,
    sha256 TEXT, seen INTEGER DEFAULT 0
) WITHOUT ROWID
"""
_REGULAR = f"kind = {stat.S_IFREG}"
_ADD = "INSERT INTO file (path, kind, size, mtime, ctime, inode) VALUES (?, ?, ?, ?, ?, ?)"
_NOTE = "UPDATE file SET sha256 = ? WHERE path = ?"
_MISSING = f"SELECT path, size FROM file WHERE {_REGULAR} AND sha256 IS NULL AND path > ? ORDER BY path LIMIT 1000"
_TO_READ = f"SELECT coalesce(sum(size), 0) FROM file WHERE {_REGULAR} AND sha256 IS NULL"
_LIST = f"SELECT sha256, path FROM file WHERE {_REGULAR} AND sha256 IS NOT NULL ORDER BY path"
_ODD = f"SELECT path, kind FROM file WHERE NOT {_REGULAR} OR sha256 IS NULL ORDER BY path"
_FACTS = "SELECT kind, size, mtime, ctime, inode, sha256 FROM file WHERE path = ?"
_SEE = "UPDATE file SET seen = 1 WHERE path = ?"
_UNSEEN = "SELECT path FROM file WHERE NOT seen ORDER BY path"
_NONE_SEEN = "UPDATE file SET seen = 0"
_AGAIN = f"SELECT path, sha256 FROM file WHERE {_REGULAR} AND sha256 IS NOT NULL AND path > ? ORDER BY path LIMIT 1000"


class SourceProof:
    """Facts and digests of every file of a backup, in a scratch database: memory stays flat.

    Paths are relative to the backup folder, with `/`; in the list the members of a container have their full names.
    Symbolic links and devices are recorded, never opened. Use it from the thread that made it, as a context manager.
    """

    compared = COMPARED

    def __init__(self, store: Store, workspace: Workspace) -> None:
        """Record size, times and inode of every file: before anything is read."""
        self._store = store
        self._container = None if store.container is None else _Container(store.container)
        self._facts = sqlite3.connect(workspace.new("source.db"), isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self._facts.execute(f"PRAGMA {pragma}")
        self._facts.execute(_SCHEMA)
        self._facts.execute("BEGIN")
        self._facts.executemany(_ADD, ((path, *facts) for path, facts in self._seen_now()))
        self._digest: str | None = None
        self._unreadable: dict[bytes, str] = {}

    @property
    def snapshot_digest(self) -> str:
        """SHA-256 over path, size and mtime of every file, and of the container: whether two runs saw the same."""
        whole = hashlib.sha256()
        if self._container is not None:
            whole.update(repr((self._container.name, *self._container.before[1:3])).encode())
        for row in self._facts.execute("SELECT path, size, mtime FROM file ORDER BY path"):
            whole.update(repr(row).encode())
        return whole.hexdigest()

    @property
    def digest(self) -> str:
        """The source digest: SHA-256 over all of `lines`, hex. Known after `lines` has run to its end."""
        if self._digest is None:
            raise RuntimeError("the list of the source was not written yet")
        return self._digest

    @property
    def comparison(self) -> str:
        """What `check` compares, in words for people."""
        facts = ", ".join(COMPARED)
        return f"{facts} of every file" if self._container is None else f"{facts} and SHA-256 of the container"

    def note(self, path: str, sha256: str) -> None:
        """Take the digest of a file that was just read to its end."""
        self._facts.execute(_NOTE, (sha256, os.fsencode(path)))

    def lines(self, progress: Callable[[float], None] | None = None) -> Iterator[bytes]:
        """`source.sha256`: one line a regular file, as sha256sum writes it, sorted bytewise by path.

        Hashes what no `note` told. A file that cannot be read has no line; `issues` names it. The last line of a
        container is its own. Raises StoppedError when the container cannot be read any more.
        """
        self._hash_the_rest(progress)
        whole = hashlib.sha256()
        prefix = os.fsencode(self._store.prefix)
        for sha256, path in self._facts.execute(_LIST):
            line = _line(sha256, prefix + path)
            whole.update(line)
            yield line
        if self._container is not None:
            line = _line(self._container.hashed(progress), os.fsencode(self._container.name))
            whole.update(line)
            yield line
        self._digest = whole.hexdigest()

    def issues(self) -> list[Issue]:
        """After `lines`: what lies in the folder and has no line there."""
        return [_issue(path, *self._why_not(path, kind)) for path, kind in self._facts.execute(_ODD)]

    def check(self, progress: Callable[[float], None] | None = None) -> list[Issue]:
        """Compare every file with what it was: all that changed, vanished or appeared, each an issue.

        Where only ctime or inode moved and the content is the same, it is a note: some file systems make them up. Of
        a container, its own facts and its digest are compared. Raises StoppedError when it cannot be read any more.
        """
        if self._container is not None:
            return self._container.changed(progress)
        found: list[Issue] = []
        self._facts.execute(_NONE_SEEN)
        for path, now in self._seen_now():
            self._facts.execute(_SEE, (path,))
            before = self._facts.execute(_FACTS, (path,)).fetchone()
            if before is None:
                found.append(_issue(path, "partial", "the source changed during the run: this file appeared"))
            elif tuple(before[:5]) != tuple(now):
                found.append(self._changed(path, before, now))
        found += [
            _issue(path, "partial", "the source changed during the run: this file vanished")
            for (path,) in self._facts.execute(_UNSEEN)
        ]
        return found

    def rehash(
        self, paths: Iterable[str] | Literal["full"], progress: Callable[[float], None] | None = None
    ) -> list[Issue]:
        """Read those files again (`full`: every file with a line) and compare: an issue for each that differs."""
        found: list[Issue] = []
        todo = self._every_file() if paths == "full" else self._named(paths)
        total = max(self._facts.execute("SELECT count(*) FROM file").fetchone()[0], 1)
        for count, (path, sha256) in enumerate(todo):
            try:
                again = self._hashed(path)
            except OSError as trouble:
                found.append(_issue(path, "partial", f"the file cannot be read again: {trouble.strerror}"))
                continue
            if again != sha256:
                found.append(_issue(path, "partial", f"read again, the content differs: {sha256} before, now {again}"))
            if progress is not None and count % 256 == 0:
                progress(min(count / total, 1.0))
        return found

    def close(self) -> None:
        """Close the scratch database; the workspace removes it."""
        self._facts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _seen_now(self) -> Iterator[tuple[bytes, Status]]:
        for path, status in self._store.walk():
            yield os.fsencode(path), status

    def _why_not(self, path: bytes, kind: int) -> tuple[Effect, str]:
        if kind == stat.S_IFREG:
            return "partial", f"the file could not be read: {self._unreadable.get(path, 'unknown reason')}"
        if kind == stat.S_IFDIR:
            return "partial", "the folder could not be read: what lies in it is not in the list"
        return "note", "a link or device in the backup folder: it was neither followed nor read"

    def _changed(self, path: bytes, before: tuple[int, int, int, int, str, str | None], now: Status) -> Issue:
        moved = [name for name, old, new in zip(Status._fields, before, now, strict=False) if old != new]
        again = "cannot be read"
        if now[0] == stat.S_IFREG and before[5] is not None:
            try:
                again = "is the same" if self._hashed(path) == before[5] else "differs"
            except OSError:
                again = "cannot be read"
        made_up = again == "is the same" and not set(moved) & _KEPT
        return _moved(path, moved, again, made_up=made_up)

    def _hash_the_rest(self, progress: Callable[[float], None] | None) -> None:
        total = max(self._facts.execute(_TO_READ).fetchone()[0], 1)
        last, count, told = b"", 0, 0
        while rows := self._facts.execute(_MISSING, (last,)).fetchall():
            for path, size in rows:
                try:
                    self._facts.execute(_NOTE, (self._hashed(path), path))
                except OSError as trouble:
                    self._unreadable[path] = trouble.strerror or type(trouble).__name__
                count += size
                if progress is not None and count - told >= _EVERY:
                    told = count
                    progress(min(count / total, 1.0))
            last = rows[-1][0]

    def _hashed(self, path: bytes) -> str:
        """SHA-256 of one file. Raises OSError."""
        try:
            file = self._store.open(os.fsdecode(path))
        except (NotRegularError, UnreadableError) as trouble:
            cause = trouble.__cause__
            if isinstance(cause, OSError):
                raise cause from trouble
            raise OSError(errno.EIO, "it is no regular file" if cause is None else str(cause)) from trouble
        if file is None:
            raise FileNotFoundError(errno.ENOENT, "it is gone")
        whole = hashlib.sha256()
        buffer = memoryview(bytearray(_CHUNK))
        with file:
            while count := file.readinto(buffer):
                whole.update(buffer[:count])
        return whole.hexdigest()

    def _every_file(self) -> Iterator[tuple[bytes, str]]:
        last = b""
        while rows := self._facts.execute(_AGAIN, (last,)).fetchall():
            yield from rows
            last = rows[-1][0]

    def _named(self, paths: Iterable[str]) -> Iterator[tuple[bytes, str]]:
        for name in paths:
            path = os.fsencode(name)
            facts = self._facts.execute(_FACTS, (path,)).fetchone()
            if facts is not None and facts[5] is not None:
                yield path, facts[5]


class _Container:
    """The zip or tar itself: a file of the folder that it lies in."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._folder = FolderStore(path.parent)
        before = self._folder.status(self.name)
        if before is None:
            raise gone(self._folder)
        self.before = before
        self._sha256: str | None = None

    def hashed(self, progress: Callable[[float], None] | None = None) -> str:
        """SHA-256 of the file as it lies, computed once. Raises StoppedError."""
        if self._sha256 is None:
            self._sha256 = self._read(progress)
        return self._sha256

    def changed(self, progress: Callable[[float], None] | None = None) -> list[Issue]:
        """Whether it is what it was. Raises StoppedError."""
        path = os.fsencode(self.name)
        now = self._folder.status(self.name)
        if now is None:
            return [_issue(path, "partial", "the source changed during the run: this file vanished")]
        sha256 = self._read(progress)
        moved = [name for name, old, new in zip(Status._fields, self.before, now, strict=True) if old != new]
        same = sha256 == self.hashed()
        if same and not moved:
            return []
        return [_moved(path, moved, "is the same" if same else "differs", made_up=same and not set(moved) & _KEPT)]

    def _read(self, progress: Callable[[float], None] | None) -> str:
        whole, count = hashlib.sha256(), 0
        for chunk in chunks(self._folder, self.name, _CHUNK):
            whole.update(chunk)
            count += len(chunk)
            if progress is not None and not count % _EVERY:
                progress(min(count / max(self.before.size, 1), 1.0))
        return whole.hexdigest()


def _moved(path: bytes, moved: list[str], again: str, *, made_up: bool) -> Issue:
    facts = f"{', '.join(moved)} moved; " if moved else ""
    what = f"the source changed during the run: {facts}the content {again}"
    return _issue(path, "note" if made_up else "partial", what)


def _line(sha256: str, path: bytes) -> bytes:
    """As sha256sum: a name with a backslash or a line end is escaped, and a backslash stands before the digest."""
    name = os.fsdecode(path)
    escaped = name.translate(_ESCAPES)
    mark = "\\" if escaped != name else ""
    return os.fsencode(f"{mark}{sha256}  {escaped}\n")


def _issue(path: bytes, effect: Effect, what: str) -> Issue:
    shown = path.decode("utf-8", "replace")
    where = Provenance(file_id=None, domain=None, relative_path=shown, sha256=None)
    return Issue(effect=effect, what=f"{shown}: {what}", where=where)
