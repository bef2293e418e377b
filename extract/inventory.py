"""The inventory: one line for every row of the index, and what became of its file (public contract, section 5).

Keys and their order are the contract's. What a row does not tell is null, never invented.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from bagtag.extract.apple_times import unix_iso
from bagtag.extract.evidence import Outcome
from bagtag.extract.index.mbfile import FileMetadata, Time
from bagtag.extract.manifest import FileEntry

ALGORITHMS = ("sha512", "sha1", "md5")
"""What `--also` may add to the SHA-256 of a file's content, in the order of the line."""

_LARGEST = 2**63
_LONGEST_ATTRIBUTE = 4096
_DEEPEST = 32
_SURROGATE = re.compile("[\ud800-\udfff]")
_encoder = msgspec.json.Encoder()
_NUMBERS = ("Size", "Mode", "InodeNumber", "UserID", "GroupID", "ProtectionClass")


class Stored(msgspec.Struct, kw_only=True, gc=False):
    """The blob as it lies in the backup: its path below the backup folder. sha256 is null when it could not be read."""

    path: str
    size: int | None
    sha256: str | None


class Plain(msgspec.Struct, kw_only=True, gc=False):
    """The file's content after decryption: size in bytes, digests in lower-case hex."""

    size: int
    sha256: str
    sha512: str | UnsetType = UNSET
    sha1: str | UnsetType = UNSET
    md5: str | UnsetType = UNSET


class ManifestFacts(msgspec.Struct, kw_only=True, gc=False):
    """What else the row's record says. `raw` holds what has no field of its own, under Apple's names."""

    inode: int | None
    uid: int | None
    gid: int | None
    target: str | None
    digest: str | None
    xattrs: dict[str, Any] | None
    row_sha256: str | None
    raw: dict[str, Any]


class InventoryRow(msgspec.Struct, kw_only=True, gc=False):
    """One line of the inventory."""

    file_id: str
    domain: str | None = None
    relative_path: str | None = None
    flags: int | None = None
    size: int | None = None
    mode: int | None = None
    modified_at: str | None = None
    changed_at: str | None = None
    created_at: str | None = None
    protection_class: int | None = None
    outcome: Outcome
    findings: list[str] = []
    stored: Stored | None = None
    plain: Plain | None = None
    bag_path: str | None = None
    name_changed: bool | None = None
    manifest: ManifestFacts | None = None


_decoder = msgspec.json.Decoder(InventoryRow)


def describe(entry: FileEntry, metadata: FileMetadata | None, row_sha256: str | None) -> InventoryRow:
    """A row with everything that the index tells. The outcome is `bad-record` until somebody knows better."""
    row = InventoryRow(
        file_id=legible(entry.file_id),
        domain=_text(entry.domain),
        relative_path=_text(entry.relative_path),
        flags=_number(entry.flags),
        outcome=Outcome.BAD_RECORD,
        findings=[],
    )
    raw = _undecodable(entry, row)
    if metadata is None:
        row.manifest = ManifestFacts(
            inode=None, uid=None, gid=None, target=None, digest=None, xattrs=None, row_sha256=row_sha256, raw=raw
        )
        return row
    told = (
        metadata.size, metadata.mode, metadata.inode, metadata.uid, metadata.gid, metadata.protection_class,
    )  # fmt: skip
    numbers = tuple(map(_number, told))
    row.size, row.mode, inode, uid, gid, row.protection_class = numbers
    row.modified_at, row.changed_at = _moment(metadata.modified), _moment(metadata.changed)
    row.created_at = _moment(metadata.created)
    if metadata.raw:
        raw |= {legible(key): _carried(value, 0) for key, value in sorted(metadata.raw.items())}
    if metadata.flags is not None:
        raw["Flags"] = _carried(metadata.flags, 0)
    if numbers != told:
        raw |= {name: str(value) for name, value in zip(_NUMBERS, told, strict=True) if value != _number(value)}
    if row.modified_at is None or row.changed_at is None or row.created_at is None:
        raw |= _odd_times(metadata, row)
    row.manifest = ManifestFacts(
        inode=inode,
        uid=uid,
        gid=gid,
        target=_text(metadata.target),
        digest=None if metadata.digest is None else metadata.digest.hex(),
        xattrs=None if metadata.xattrs is None else dict(_attributes(metadata.xattrs)),
        row_sha256=row_sha256,
        raw=raw,
    )
    return row


def encode(row: InventoryRow) -> bytes:
    """The row as one line of JSON with its newline. A row out of scope carries its fileID and outcome alone."""
    if row.outcome is Outcome.OUT_OF_SCOPE:
        return _encoder.encode({"file_id": row.file_id, "outcome": row.outcome}) + b"\n"
    return _encoder.encode(row) + b"\n"


def decode(line: bytes) -> InventoryRow:
    """A row from its line. Raises msgspec.ValidationError or msgspec.DecodeError."""
    return _decoder.decode(line)


def legible(text: str) -> str:
    """The text as JSON can carry it: what is no Unicode becomes U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _text(text: str | None) -> str | None:
    return None if text is None else legible(text)


def _number(value: int | None) -> int | None:
    """None for what no JSON reader keeps exactly as an integer; `raw` has it then."""
    return value if value is not None and -_LARGEST <= value < _LARGEST else None


@lru_cache(4096)  # a file's three times are mostly one or two, and neighbours share them
def _moment(seconds: Time | None) -> str | None:
    if seconds is None or (isinstance(seconds, float) and not math.isfinite(seconds)):
        return None
    return unix_iso(seconds)


def _undecodable(entry: FileEntry, row: InventoryRow) -> dict[str, Any]:
    """The names that JSON cannot carry, in hex."""
    names = (("fileID", entry.file_id, row.file_id), ("domain", entry.domain, row.domain),
             ("relativePath", entry.relative_path, row.relative_path))  # fmt: skip
    return {
        name: text.encode("utf-8", "surrogateescape").hex()
        for name, text, shown in names
        if text is not None and text != shown
    }


def _odd_times(metadata: FileMetadata, row: InventoryRow) -> dict[str, Any]:
    """Times that their field cannot carry."""
    times = (
        ("LastModified", metadata.modified, row.modified_at),
        ("LastStatusChange", metadata.changed, row.changed_at),
        ("Birth", metadata.created, row.created_at),
    )
    return {name: str(time) for name, time, written in times if time is not None and written is None}


def _carried(value: Any, depth: int) -> Any:
    """A value of a property list as JSON carries it; integers beyond 64 bits and odd floats become text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if _number(value) is not None else str(value)
    if isinstance(value, str):
        return legible(value)
    if depth < _DEEPEST and isinstance(value, dict):
        return {legible(str(key)): _carried(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [_carried(item, depth + 1) for item in value]
    return legible(repr(value)[:_LONGEST_ATTRIBUTE])


def _attributes(attributes: dict[str, bytes]) -> Iterator[tuple[str, Any]]:
    """Extended attributes as hex; Apple drops them beyond 2,048 bytes, so a long one is told by its size alone."""
    for name, value in sorted(attributes.items()):
        yield legible(name), value.hex() if len(value) <= _LONGEST_ATTRIBUTE else {"size": len(value)}
