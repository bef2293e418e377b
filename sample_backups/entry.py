"""One row of the manifest before it is written: the file on the device, and what is to be wrong with it.

Known from Manifest.db of iOS 10 and later: fileID is the SHA-1 of domain, hyphen and path; folders and links have
rows and no blob; Apple's Digest is kept for some domains only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
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

FILE_ID = re.compile(r"[0-9a-f]{40}")
LONGEST_PATH = 150
"""Code points of domain and path that an evidence folder keeps as they are."""

CHUNK = 1 << 16

Damage = Literal[
    "missing",
    "truncated",
    "unterminated",
    "zero-byte",
    "emptied",
    "appended",
    "symlinked",
    "folder",
    "fifo",
    "plain",
]
"""What happened to a blob. `zero-byte`: cut to nothing; `emptied`: an empty file stored without its padding;
`appended`: bytes behind the last block; `plain`: decrypted by somebody."""

Digest = Literal["stored", "content", "false", "short"]
"""What Apple's Digest is made of: the bytes as stored, the content, or nothing."""


def file_id(domain: str, relative_path: str) -> str:
    """Apple's name of the blob, 40 hex digits."""
    spelled = f"{domain}-{relative_path}".encode("utf-8", "surrogateescape")
    return hashlib.sha1(spelled, usedforsecurity=False).hexdigest()


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
    """What one row and its blob will say. Fields after `xattrs` make the row lie or break.

    Times are Unix seconds; without `changed` and `created` they lie a second behind and before `modified`. `nameless`,
    `domainless`: the row has no path, no domain. `key_class`: the class its key is wrapped under, where it is not the
    row's; `keyless`: it has none in an encrypted set. `rewrite` changes the finished record, `rewrap` the 44 bytes of
    its key, `statements` are run on Manifest.db when the row is in it.
    """

    domain: str
    relative_path: str
    flags: int = FILE
    content: bytes | Content = b""
    protection_class: int = 3
    modified: int = 1748600000
    target: str | None = None
    xattrs: Mapping[str, bytes] | None = None
    uid: int = 501
    gid: int = 501
    inode: int | None = None
    changed: int | None = None
    created: int | None = None
    recorded_path: str | None = None
    recorded_size: int | None = None
    without_size: bool = False
    given_id: str | None = None
    record: bytes | str | None = None
    rewrite: Callable[[bytes], bytes] | None = None
    nameless: bool = False
    domainless: bool = False
    raw_xattrs: bytes | None = None
    key_class: int | None = None
    keyless: bool = False
    rewrap: Callable[[bytes], bytes] | None = None
    digest_of: Digest = "stored"
    statements: list[str] = field(default_factory=list)
    damage: Damage | None = None
    outcome: str | None = None
    findings: list[str] = field(default_factory=list)
    renamed: bool = False

    @property
    def file_id(self) -> str:
        """The row's fileID: the true one unless another was given."""
        return self.given_id or file_id(self.domain, self.relative_path)

    @property
    def blob_id(self) -> str:
        """The name of its blob: its fileID, or that of its domain and path where the fileID is none."""
        return self.file_id if FILE_ID.fullmatch(self.file_id) else file_id(self.domain, self.relative_path)

    @property
    def status_changed(self) -> int:
        """Unix seconds of the last status change."""
        return self.modified + 1 if self.changed is None else self.changed

    @property
    def born(self) -> int:
        """Unix seconds of the file's birth."""
        return self.modified - 1 if self.created is None else self.created

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
        path = f"{self.domain}/{self.relative_path}"
        return self.renamed or len(path) > LONGEST_PATH or any(letter in FORBIDDEN for letter in path)


def leads_out(path: str) -> bool:
    """Whether a domain or path is absolute or climbs."""
    return path.startswith("/") or ".." in path.split("/")


def with_folders(entries: list[Entry]) -> list[Entry]:
    """The entries with a row for each domain root and each folder above them, in the order of domain and path."""
    known = {(entry.domain, entry.relative_path) for entry in entries}
    folders: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.nameless or entry.domainless or entry.flags == OTHER:
            continue
        above = [str(parent) for parent in PurePosixPath(entry.relative_path).parents if str(parent) not in {".", "/"}]
        for path in ["", *above]:
            if (entry.domain, path) not in known and not leads_out(entry.domain) and not leads_out(path):
                folders[entry.domain, path] = Entry(entry.domain, path, DIRECTORY, protection_class=0)
    return sorted([*entries, *folders.values()], key=lambda entry: (entry.domain, entry.relative_path))
