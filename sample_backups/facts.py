"""What is true of each row and blob of a minted backup, in the words of an inventory.

Known from the inventory that users of the evidence folder are promised: fields, outcomes and findings.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from bagtag.sample_backups import moments
from bagtag.sample_backups.blob import Blob
from bagtag.sample_backups.entry import FILE, OTHER, Entry
from bagtag.sample_backups.era import Era

LOSSES = frozenset({"missing", "truncated", "unterminated", "bad-record", "key-unavailable", "not-a-regular-file"})
"""Outcomes after which something is missing from the evidence: a command ends with exit code 1."""

NAMES = ("domain", "relative_path")
DATES = ("modified_at", "changed_at", "created_at")
FIELDS = ("size", "mode", *DATES, "protection_class", "inode", "uid", "gid", "target", "digest", "xattrs")
"""What a row's record tells."""

SURROGATE = re.compile("[\ud800-\udfff]")


def legible(text: str) -> str:
    """The text with U+FFFD for what is no Unicode, as JSON can carry it."""
    return SURROGATE.sub("\ufffd", text)


def row(entry: Entry, inode: int, stored: Blob | None, digest: bytes | None, era: Era) -> dict[str, Any]:
    """The row, and `renamed`: whether an evidence folder has to keep the file under another name."""
    if entry.flags == OTHER:
        return _nameless(entry)
    known = entry.expected != "bad-record"
    fields: dict[str, Any] = {
        "size": entry.size,
        "mode": entry.mode,
        "modified_at": moments.unix_iso(entry.modified),
        "changed_at": moments.unix_iso(entry.status_changed),
        "created_at": moments.unix_iso(entry.born),
        "protection_class": entry.protection_class,
        "inode": inode,
        "uid": entry.uid,
        "gid": entry.gid,
        "target": entry.target,
        "digest": digest.hex() if digest else None,
        "xattrs": {name: value.hex() for name, value in entry.xattrs.items()} if entry.xattrs else None,
    }
    return {
        "file_id": legible(entry.file_id),
        "domain": None if entry.domainless else legible(entry.domain),
        "relative_path": None if entry.nameless else legible(entry.relative_path),
        "flags": entry.flags,
        **(fields if known else dict.fromkeys(fields)),
        "outcome": entry.expected,
        "findings": entry.findings,
        "renamed": entry.must_be_renamed,
        "stored": _sum(stored.stored_size, stored.stored_sha256, era.blob_path(entry.blob_id)) if stored else None,
        "plain": _sum(stored.plain_size, stored.plain_sha256) if stored and entry.flags == FILE else None,
    }


def _nameless(entry: Entry) -> dict[str, Any]:
    nothing = dict.fromkeys((*NAMES, *FIELDS, "stored", "plain"))
    known = {"outcome": entry.expected, "findings": entry.findings, "renamed": entry.must_be_renamed}
    return {"file_id": entry.file_id, "flags": entry.flags, **nothing, **known}


def _sum(size: int | None, sha256: str | None, path: str | None = None) -> dict[str, Any] | None:
    if size is None:
        return None
    return ({"path": path} if path else {}) | {"size": size, "sha256": sha256}


def orphan(path: str, content: bytes) -> dict[str, Any]:
    """A blob without a row."""
    return {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def exit_code(rows: list[dict[str, Any]]) -> int:
    """1 when a row means a loss, 0 otherwise."""
    lost = any(each["outcome"] in LOSSES or (each["outcome"] == "unsafe-path" and _closed(each)) for each in rows)
    return int(lost)


def _closed(fact: dict[str, Any]) -> bool:
    return fact["flags"] == 1 and fact["plain"] is None
