"""One row of the manifest before it is written: the file on the device, and what is to be wrong with it.

Known from Manifest.db of iOS 10 and later: fileID is the SHA-1 of domain, hyphen and path; folders and links have
rows and no blob; Apple's Digest is kept for some domains only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from bagtag.sample_backups.dice import dice

FILE, DIRECTORY, SYMLINK, OTHER = 1, 2, 4, 16

DIGEST_DOMAINS = frozenset(
    {
        "HomeDomain",
        "RootDomain",
        "HealthDomain",
        "WirelessDomain",
        "SystemPreferencesDomain",
        "DatabaseDomain",
        "HomeKitDomain",
        "InstallDomain",
        "ManagedPreferencesDomain",
        "KeyboardDomain",
        "KeychainDomain",
    }
)
"""Domains whose rows carry Apple's Digest."""

FORBIDDEN = '%<>:"|?*\\'
"""Letters that some file system refuses or that a manifest of a bag would escape."""

CHUNK = 1 << 16

Damage = Literal["missing", "truncated", "unterminated", "zero-byte", "symlinked", "plain"]


def file_id(domain: str, relative_path: str) -> str:
    """Apple's name of the blob, 40 hex digits."""
    return hashlib.sha1(f"{domain}-{relative_path}".encode(), usedforsecurity=False).hexdigest()


class Content(Protocol):
    """Bytes too many to hold: their number, and the bytes in pieces of at most 64 KiB."""

    def __len__(self) -> int: ...

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning."""
        ...


@dataclass(frozen=True)
class FileContent:
    """Content that lies in a file."""

    path: Path

    def __len__(self) -> int:
        return self.path.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        """The bytes, 64 KiB at a time."""
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


@dataclass(frozen=True)
class Filler:
    """Content of a given size that is made while it is written, for samples larger than memory."""

    size: int
    seed: str

    def __len__(self) -> int:
        return self.size

    def chunks(self) -> Iterator[bytes]:
        """The bytes, 64 KiB at a time."""
        block = dice(self.seed).randbytes(CHUNK)
        for start in range(0, self.size, CHUNK):
            yield (start.to_bytes(8, "big") + block[8:])[: self.size - start]


@dataclass
class Entry:
    """What one row and its blob will say. Fields after `xattrs` make the row lie or break."""

    domain: str
    relative_path: str
    flags: int = FILE
    content: bytes | Content = b""
    protection_class: int = 3
    modified: int = 1748600000
    target: str | None = None
    xattrs: Mapping[str, bytes] | None = None
    recorded_path: str | None = None
    recorded_size: int | None = None
    without_size: bool = False
    given_id: str | None = None
    record: bytes | None = None
    false_digest: bool = False
    damage: Damage | None = None
    outcome: str | None = None
    findings: list[str] = field(default_factory=list)
    renamed: bool = False

    @property
    def file_id(self) -> str:
        """The row's fileID: the true one unless another was given."""
        return self.given_id or file_id(self.domain, self.relative_path)

    @property
    def mode(self) -> int:
        """st_mode with its type bits."""
        return {FILE: 0o100644, DIRECTORY: 0o40755, SYMLINK: 0o120755}.get(self.flags, 0)

    @property
    def size(self) -> int | None:
        """What the row says the size is."""
        if self.without_size:
            return None
        return len(self.content) if self.recorded_size is None else self.recorded_size

    @property
    def expected(self) -> str:
        """The outcome a reader should give this row."""
        if self.outcome:
            return self.outcome
        if self.flags != FILE:
            return {DIRECTORY: "directory", SYMLINK: "symlink"}.get(self.flags, "other-flags")
        return "ok" if len(self.content) else "ok-empty"

    @property
    def must_be_renamed(self) -> bool:
        """Whether an evidence folder has to keep the file under another name."""
        return self.renamed or any(letter in FORBIDDEN for letter in f"{self.domain}/{self.relative_path}")


def with_folders(entries: list[Entry]) -> list[Entry]:
    """The entries with a row for each domain root and each folder above them, in the order of domain and path."""
    known = {(entry.domain, entry.relative_path) for entry in entries}
    folders: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        above = [str(parent) for parent in PurePosixPath(entry.relative_path).parents if str(parent) not in {".", "/"}]
        for path in ["", *above]:
            if (entry.domain, path) not in known and ".." not in path.split("/") and not path.startswith("/"):
                folders[entry.domain, path] = Entry(entry.domain, path, DIRECTORY, protection_class=0)
    return sorted([*entries, *folders.values()], key=lambda entry: (entry.domain, entry.relative_path))
