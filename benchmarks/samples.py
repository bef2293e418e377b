"""Minted backups to measure on, each made in a process of its own, and the test whether all of one came out right.

A child's peak memory begins at that of the process that starts it, so the process that measures must stay small.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import message_rows
import msgspec
import open_index

from bagtag.sample_backups import database, sms
from bagtag.sample_backups.entry import Entry, FileContent, file_id
from bagtag.sample_backups.make import mint
from bagtag.sample_backups.manifest import Row, mbfile

P = ParamSpec("P")
T = TypeVar("T")

PLACE = "AppDomain-com.example.bench"
CHUNK = open_index.CHUNK
SMS_DB = "Library/SMS/sms.db"
RELEASE = (18, 5)
PICTURE = bytes(range(256)) * 8
"""The content of every attachment."""
Files = Sequence[tuple[str, str, int]]


@dataclass(frozen=True)
class Sample:
    """A minted backup, as far as a command needs to know it; `files` and `size` are those of what was added."""

    folder: Path
    passphrase: str
    messages: int
    files: int
    size: int

    @property
    def truth(self) -> Path:
        """Everything that is true of it."""
        return self.folder.parent / "truth.json"


def apart(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call a function of a module in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()


def minted(place: Path, *, encrypted: bool = True, files: Files = (), messages: int = 0) -> Sample:
    """A backup below `place`, apart."""
    return apart(_mint, place, encrypted=encrypted, files=files, messages=messages)


def _mint(place: Path, *, encrypted: bool, files: Files, messages: int) -> Sample:
    backup = mint(place, encrypted=encrypted, extra_files=files, extra_messages=messages)
    if files:
        _without_gaps(backup.folder, backup.passphrase or "")
    sizes = [size for _, _, size in files]
    said = len(backup.truth["messages"]) + messages
    return Sample(backup.folder, backup.passphrase or "", said, len(sizes), sum(sizes))


def _without_gaps(folder: Path, passphrase: str) -> None:
    """Take out of the index what has no blob: a message's attachment that the sample lost. Peers stop at such a row."""
    with open_index.changed(folder, passphrase) as manifest:
        names = [name for (name,) in manifest.execute("SELECT fileID FROM Files WHERE flags = 1")]
        lost = [(name,) for name in names if not (folder / name[:2] / name).is_file()]
        manifest.executemany("DELETE FROM Files WHERE fileID = ?", lost)


@dataclass(frozen=True)
class Said:
    """A minted backup with `messages` rows in sms.db; `database` is that file alone.

    `texts` is a file of the digests of the `judged` texts that a reader should find, `files` how many attachments are
    there.
    """

    folder: Path
    database: Path
    texts: Path
    messages: int
    judged: int
    files: int


def conversations(place: Path, count: int) -> Said:
    """A plain backup below `place` whose sms.db has `count` messages of a realistic mix, apart.

    Every attachment that a backup would hold has its row in the index and its blob; the blobs are links to a few files
    of the same 2 KiB, for what is measured is not how fast files are hashed.
    """
    return apart(_converse, place, count)


def _converse(place: Path, count: int) -> Said:
    backup = mint(place, encrypted=False)
    said = message_rows.Conversations(count)
    path = place / "sms.db"
    sms.write(path, RELEASE, {}, purged=(), sequences={}, more=said.people())
    with closing(sqlite3.connect(path, isolation_level=None)) as rows:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            rows.execute(f"PRAGMA {pragma}")
        rows.execute("BEGIN")
        later = "FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql NOT NULL"
        made = rows.execute(f"SELECT type, name, sql {later}").fetchall()
        for kind, name, _ in made:
            rows.execute(f"DROP {kind} {name}")
        for batch in said.batches():
            for table, cells in batch.items():
                names = message_rows.COLUMNS[table]
                rows.executemany(
                    f"INSERT INTO {table} ({','.join(names)}) VALUES ({','.join('?' * len(names))})", cells
                )
        for _, _, sql in made:
            rows.execute(sql)
        rows.execute("COMMIT")
    database.settle(path)
    (place / "texts").write_bytes(said.texts)
    stored = _put_in(backup.folder, path, said.files)
    judged = len(said.texts) // message_rows.DIGEST
    return Said(backup.folder, stored, place / "texts", count, judged, len(said.files))


def _put_in(folder: Path, path: Path, attached: Sequence[str]) -> Path:
    """Make `path` the backup's sms.db and give each attachment its row and its blob; where it lies now."""
    entry = Entry("HomeDomain", SMS_DB, content=FileContent(path))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha1").digest()
    name = file_id(entry.domain, SMS_DB)
    blob = folder / name[:2] / name
    blob.unlink()
    with open_index.changed(folder, "") as manifest:
        record = mbfile(Row(entry, 2, digest=digest))
        manifest.execute("UPDATE Files SET file = ? WHERE fileID = ?", (record, name))
        manifest.executemany(
            "INSERT INTO Files (fileID, domain, relativePath, flags, file) VALUES (?, ?, ?, 1, ?)",
            _attachments(folder, attached),
        )
    return path.rename(blob)


def _attachments(folder: Path, paths: Sequence[str]) -> Iterator[tuple[str, str, str, bytes]]:
    linked: Path | None = None
    for number, path in enumerate(paths, 10_000):
        name = file_id("MediaDomain", path)
        blob = folder / name[:2] / name
        blob.parent.mkdir(exist_ok=True)
        linked = _linked(blob, linked)
        yield name, "MediaDomain", path, mbfile(Row(Entry("MediaDomain", path, content=PICTURE), number))


def _linked(blob: Path, other: Path | None) -> Path:
    """A blob that is a link to `other`; a new file when there is none, or no further link to it is allowed."""
    if other is not None:
        try:
            os.link(other, blob)
        except OSError as trouble:
            if trouble.errno != errno.EMLINK:
                raise
        else:
            return other
    blob.write_bytes(PICTURE)
    return blob


class Printed(msgspec.Struct):
    """A line of a reader's output."""

    text: str | None = None


def texts_right(texts: Path, printed: Path) -> int:
    """How many of the texts that should come out stand in the JSON Lines of `printed`, each as often as it was written;
    apart."""
    return apart(_texts_right, texts, printed)


def _texts_right(texts: Path, printed: Path) -> int:
    told, size = texts.read_bytes(), message_rows.DIGEST
    expected = Counter(told[at : at + size] for at in range(0, len(told), size))
    right = 0
    decoder = msgspec.json.Decoder(Printed)
    with printed.open("rb") as lines:
        for line in lines:
            text = decoder.decode(line).text
            if text is not None:
                digest = hashlib.blake2b(text.encode(), digest_size=size).digest()
                if expected.get(digest):
                    expected[digest] -= 1
                    right += 1
    return right


def large(scale: float, count: int = 4) -> Files:
    """`count` files of 1 GiB at full scale."""
    return [(PLACE, f"Documents/large-{number}.bin", round(2**30 * scale)) for number in range(count)]


def many(scale: float) -> Files:
    """50,000 files at full scale, of 1 to 64 KiB, 200 folders."""
    count = max(1, round(50_000 * scale))
    sizes = [1024 + (number * 7919) % (63 * 1024 + 1) for number in range(count)]
    return [(PLACE, f"Documents/{n % 200:03d}/{n:05d}.bin", size) for n, size in enumerate(sizes)]


def warm(folder: Path) -> None:
    """Read all of a backup once, so that it lies in the page cache for whoever comes next."""
    buffer = bytearray(CHUNK)
    for parent, _, names in os.walk(folder):
        for name in names:
            with Path(parent, name).open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def came_out(truth: Path, folder: Path) -> tuple[int, int]:
    """How many contents of a sample there are, and how many of them lie in `folder`, under whatever name; apart."""
    return apart(_came_out, truth, folder)


def _came_out(truth: Path, folder: Path) -> tuple[int, int]:
    rows = json.loads(truth.read_text(encoding="utf-8"))["manifest"]
    expected = {row["plain"]["sha256"] for row in rows if row["plain"]}
    found = set()
    for parent, _, names in os.walk(folder):
        for name in names:
            with Path(parent, name).open("rb") as file:
                found.add(hashlib.file_digest(file, "sha256").hexdigest())
    return len(expected), len(expected & found)
