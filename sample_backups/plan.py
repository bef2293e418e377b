"""A backup about to be written: everything that will lie in its folder, for faults to change before and after.

Stands for no thing on a device: it is what the mint holds between inventing a backup and writing it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagtag.sample_backups.entry import Entry
from bagtag.sample_backups.era import Era

BytesEdit = Callable[[bytes], bytes]
PlistEdit = Callable[[dict[str, Any]], dict[str, Any] | bytes | None]
"""What becomes of a property list: other content, bytes that are none, or no file."""


@dataclass
class Plan:
    """What is to be written, and what a reader should make of it.

    `orphans` are paths and bytes of blobs without a row. `statements` run on the plain Manifest.db, `image_edits`
    change its bytes (or those of a Manifest.mbdb), `stored_edits` the bytes as they lie on the disk. `lost` is how
    many of the last rows no reader can reach, `some_lost` says that nobody knows which. `exit` is the code of a set
    that cannot be used, `issue` the words that
    one message about the set should hold.
    """

    entries: list[Entry]
    encrypted: bool
    bag: bytes | None
    era: Era
    orphans: list[tuple[str, bytes]] = field(default_factory=list)
    plain_index: bool = False
    statements: list[str] = field(default_factory=list)
    image_edits: list[BytesEdit] = field(default_factory=list)
    stored_edits: list[BytesEdit] = field(default_factory=list)
    plist_edits: list[tuple[str, PlistEdit]] = field(default_factory=list)
    afterwards: list[Callable[[Path], None]] = field(default_factory=list)
    lost: int = 0
    some_lost: bool = False
    exit: int | None = None
    issue: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether a reader can read files from it."""
        return self.exit is None

    def refuse(self, code: int, *words: str) -> None:
        """The set cannot be used: the exit code, and words that the message about it should hold."""
        self.exit, self.issue = code, list(words)

    def beside(self, path: str, content: bytes) -> None:
        """Another file in the backup folder."""
        self.afterwards.append(lambda folder: _put(folder / path, content))


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
