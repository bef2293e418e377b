"""The bag: a folder in the BagIt 1.0 format (RFC 8493), written once and sealed.

Written by our own code: bagit-python declares version 0.97 whatever it writes, and stays the independent judge.
The order of work, which the caller keeps:

    add(…) for every payload file -> write_manifest -> write_labels, write_schemas -> README.txt beside the bag
    -> the `sealed` line in the custody log -> write_custody (its copy) -> write_tagmanifest
    -> a custody line that names the tag manifest -> seal/statement.json

The payload digest is the sha256 of manifest-sha256.txt, the bag digest that of tagmanifest-sha256.txt.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from bagtag.custody import durable
from bagtag.custody.errors import BagtagError
from bagtag.custody.line import Artifact
from bagtag.reports.bundle import bag_info, declaration, manifest, profile
from bagtag.reports.bundle.bag_info import BagInfo
from bagtag.reports.bundle.contents import pair, sha256_of
from bagtag.reports.bundle.manifest import Listed
from bagtag.reports.bundle.tree import KIND_WORDS, shown, walk

_DATA = b"data/"
_TAG_FILES = frozenset({b"bagit.txt", b"bag-info.txt", b"custody.jsonl", b"manifest-sha256.txt", b"profile.json"})
_SCHEMA = re.compile(rb"schemas/[^/]+\.json")


class BagWriter:
    """Writes the tag files of a bag whose payload already lies in `folder`/data. Use as a context manager.

    What was added is kept in a scratch database at `scratch` (in the private work folder), so that memory stays flat.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self.files = 0
        self.octets = 0
        self._payload = sqlite3.connect(scratch, isolation_level=None)
        self._payload.execute("PRAGMA journal_mode=OFF")
        self._payload.execute("PRAGMA synchronous=OFF")
        # A blob key sorts bytewise (memcmp), whatever the characters.
        self._payload.execute("CREATE TABLE payload (path BLOB PRIMARY KEY, sha256 TEXT, size INTEGER) WITHOUT ROWID")
        self._payload.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._payload.close()

    def add(self, path: str, sha256: str, size: int) -> None:
        """Name one payload file that lies at `path` (relative to the bag, begins with `data/`); `size` in bytes."""
        raw = path.encode("utf-8")
        if not raw.startswith(_DATA) or (why := manifest.unsafe(raw)):
            raise _fault(f"no payload path: {path!r}" + ("" if not raw.startswith(_DATA) else f" ({why})"))
        try:
            self._payload.execute("INSERT INTO payload VALUES (?, ?, ?)", (raw, sha256, size))
        except sqlite3.IntegrityError as trouble:
            raise _fault(f"two files at one place in the bag: {path!r}") from trouble
        self.files += 1
        self.octets += size

    def write_manifest(self) -> Artifact:
        """Write manifest-sha256.txt; its sha256 is the payload digest.

        Empty folders are removed first (a bag cannot name them). Raises BagtagError when what lies under data/ is not
        exactly what was added: a bag that contradicts its manifest is never closed.
        """
        _remove_empty_folders(self.folder / "data")
        sizes: dict[bytes, int] = {}
        digest, length = hashlib.sha256(), 0
        with (self.folder / manifest.PAYLOAD).open("wb") as file:
            for wanted, there in pair(self._listed(sizes), walk(self.folder / "data", _DATA)):
                if wanted is None or there is None or there.kind != "file" or there.size != sizes.pop(wanted.path):
                    odd = wanted.path if wanted is not None else there.path if there is not None else b""
                    lies = "nothing" if there is None else f"{KIND_WORDS[there.kind]} of {there.size} bytes"
                    raise _fault(f"{shown(odd)}: {'not ' if wanted is None else ''}added to the bag, on disk is {lies}")
                line = manifest.line(wanted.path, wanted.sha256)
                file.write(line)
                digest.update(line)
                length += len(line)
            file.flush()
            os.fsync(file.fileno())
        return Artifact(manifest.PAYLOAD, length, digest.hexdigest())

    def write_labels(self, facts: BagInfo) -> None:
        """Write bagit.txt, bag-info.txt and profile.json."""
        labels = facts.labels(self.files, self.octets)
        missing = profile.problems(labels)
        if missing:
            raise _fault(f"the label lacks something: {missing[0]}")
        durable.write(self.folder / "bagit.txt", declaration.TEXT)
        durable.write(self.folder / "bag-info.txt", bag_info.render(labels))
        durable.write(self.folder / "profile.json", profile.text())

    def write_schemas(self, schemas: Mapping[str, bytes]) -> None:
        """Write schemas/<name>.json, one a kind of record, named for it: `message` for records/messages.jsonl."""
        folder = self.folder / "schemas"
        folder.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
        for name in sorted(schemas):
            durable.write(folder / f"{name}.json", schemas[name])

    def write_custody(self, log: Path) -> Artifact:
        """Copy the custody log as it stands: its last line must be the `sealed` line."""
        content = log.read_bytes()
        durable.write(self.folder / "custody.jsonl", content)
        return Artifact("custody.jsonl", len(content), hashlib.sha256(content).hexdigest())

    def write_tagmanifest(self) -> Artifact:
        """Write tagmanifest-sha256.txt over every other tag file; its sha256 is the bag digest."""
        durable.forget_interrupted(self.folder / manifest.TAGS)
        skip = frozenset({b"data", manifest.TAGS.encode()})
        out = bytearray()
        missing = set(_TAG_FILES)
        for node in walk(self.folder, skip=skip):
            if node.kind != "file" or not (node.path in _TAG_FILES or _SCHEMA.fullmatch(node.path)):
                raise _fault(f"{shown(node.path)}: {KIND_WORDS[node.kind]} that is no tag file of ours")
            missing.discard(node.path)
            out += manifest.line(node.path, sha256_of(self.folder / os.fsdecode(node.path)))
        if missing:
            raise _fault(f"{shown(min(missing))} was not written before the tag manifest")
        durable.write(self.folder / manifest.TAGS, bytes(out))
        return Artifact(manifest.TAGS, len(out), hashlib.sha256(out).hexdigest())

    def _listed(self, sizes: dict[bytes, int]) -> Iterator[Listed]:
        rows = self._payload.execute("SELECT path, sha256, size FROM payload ORDER BY path")
        for number, (path, sha256, size) in enumerate(rows, 1):
            sizes[path] = size  # taken out again as soon as the file was compared
            yield Listed(number, path, sha256)


def _remove_empty_folders(root: Path) -> None:
    for folder, _, names in os.walk(root, topdown=False):
        if not names and Path(folder) != root:
            with contextlib.suppress(OSError):  # it still holds a folder
                Path(folder).rmdir()


def _fault(message: str) -> BagtagError:
    return BagtagError(message, hint="this is a fault in bagtag: please report it, with the bagtag version")
