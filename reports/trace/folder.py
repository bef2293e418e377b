"""The evidence folder as a trace reads it: files of the bag by their path, and their lines of the manifest.

Paths come out of evidence: one that would lead out of the bag, or over a link, is never opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bagtag.custody import durable
from bagtag.custody.errors import EvidenceError
from bagtag.reports.bundle import manifest
from bagtag.reports.bundle.contents import sha256_of

_SIGNS = ("bag/bagit.txt", "bag/manifest-sha256.txt", "seal/statement.json")
_LONGEST_LINE = 1 << 16
_BLOCK = 1 << 20
MANIFEST = f"bag/{manifest.PAYLOAD}"


@dataclass(frozen=True, slots=True)
class Listed:
    """A digest in a list, and the number of its line, from 1."""

    line: int
    sha256: str


class Folder:
    """The folder `dest`. `listed` holds the lines of the manifest that were looked up."""

    def __init__(self, dest: Path) -> None:
        """Raises EvidenceError when this is no evidence folder."""
        hint = "name the folder that holds README.txt, bag/ and custody.jsonl"
        if not dest.is_dir():
            raise EvidenceError(f"{dest} is no folder", hint=hint)
        if not any((dest / sign).is_file() for sign in _SIGNS):
            if (dest / "bagit.txt").is_file():
                hint = f"this is a bag; name the folder round it: {dest.absolute().parent}"
            raise EvidenceError(f"{dest} is no evidence folder", hint=hint)
        self.dest = dest
        self.bag = dest / "bag"
        self.listed: dict[str, Listed] = {}
        self._digests: dict[str, str | None] = {}

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Open a file of the bag by its path there. Raises OSError, also for a path that leads out of the bag."""
        why = manifest.unsafe(path.encode("utf-8", "surrogateescape"))
        if why is not None:
            raise OSError(f"the path is not safe ({why})")
        place = self.bag / path
        if not place.resolve().is_relative_to(self.bag.resolve()):
            raise OSError("the path leads out of the bag")
        with durable.open_regular(place) as file:
            yield file

    def sha256(self, path: str) -> str | None:
        """The digest of a file of the bag as it lies there now, computed once; None when it cannot be read."""
        if path not in self._digests:
            try:
                with self.open(path):  # only to be sure that it may be opened
                    self._digests[path] = sha256_of(self.bag / path)
            except OSError:
                self._digests[path] = None
        return self._digests[path]

    def noted(self, path: str, sha256: str) -> None:
        """Take the digest of a file that was just read to its end."""
        self._digests[path] = sha256

    def copy(self, path: str, target: Path) -> None:
        """Copy a file of the bag, hashing it on the way. Raises OSError."""
        digest = hashlib.sha256()
        with self.open(path) as file, target.open("xb") as sink:
            while block := file.read(_BLOCK):
                digest.update(block)
                sink.write(block)
        self.noted(path, digest.hexdigest())

    def look_up(self, paths: set[str]) -> None:
        """Find the manifest's lines of those paths, in one pass over it."""
        wanted = {manifest.line(path.encode("utf-8", "surrogateescape"), "")[2:-1]: path for path in paths}
        try:
            with self.open(manifest.PAYLOAD) as file:
                number = 0
                while raw := file.readline(_LONGEST_LINE):
                    number += 1
                    path = wanted.get(raw[66:-1])
                    if path is not None and isinstance(line := manifest.parse(raw, number), manifest.Listed):
                        self.listed.setdefault(path, Listed(number, line.sha256))
        except OSError:
            return  # each file that should be listed is then a difference

    def recorded(self, path: str) -> tuple[str | None, str]:
        """What the manifest says of a path: the digest, or None, and the words for where it stands."""
        listed = self.listed.get(path)
        return (None, f"{MANIFEST}, no line") if listed is None else (listed.sha256, f"{MANIFEST}, line {listed.line}")
