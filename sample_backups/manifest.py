"""Manifest.db, the index since iOS 10: one row a file, folder or link, with Apple's archived MBFile in each.

Known from the Manifest.db of real backups since iOS 10.2: the schema with its three indexes, user_version 2, the WAL
mark in the header, and the order of objects in an MBFile archive.
"""

from __future__ import annotations

import plistlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagtag.sample_backups import database, protected_column
from bagtag.sample_backups.entry import OTHER, Entry
from bagtag.sample_backups.keyed_archive import Archive


@dataclass(frozen=True)
class Row:
    """An entry with what only the writing of its blob tells: its inode, wrapped key and digest."""

    entry: Entry
    inode: int
    key: bytes | None = None
    digest: bytes | None = None


def mbfile(row: Row) -> bytes:
    """The `file` column: an NSKeyedArchiver list with the objects in the order the device writes them."""
    entry, archive = row.entry, Archive()
    body: dict[str, Any] = {
        "LastModified": entry.modified,
        "Flags": 0,
        "GroupID": entry.gid,
        "LastStatusChange": entry.status_changed,
        "Birth": entry.born,
    }
    if entry.size is not None:
        body["Size"] = entry.size
    body |= {
        "InodeNumber": row.inode,
        "Mode": entry.mode,
        "UserID": entry.uid,
        "ProtectionClass": entry.protection_class,
    }
    root = archive.add(body)
    body["RelativePath"] = archive.add(entry.relative_path if entry.recorded_path is None else entry.recorded_path)
    if entry.target is not None:
        body["Target"] = archive.add(entry.target)
    if row.digest is not None:
        body["Digest"] = archive.add(row.digest)
    if row.key is not None:
        wrapped: dict[str, Any] = {"NS.data": row.key}
        body["EncryptionKey"] = archive.add(wrapped)
        wrapped["$class"] = archive.kind("NSMutableData", "NSData", "NSObject")
    body["$class"] = archive.kind("MBFile", "NSObject")
    if entry.raw_xattrs is not None:
        body["ExtendedAttributes"] = archive.add(entry.raw_xattrs)
    elif entry.xattrs is not None:
        nested = plistlib.dumps(dict(entry.xattrs), fmt=plistlib.FMT_BINARY)
        body["ExtendedAttributes"] = archive.add(nested)
    return archive.stored(root)


@dataclass(frozen=True)
class Protection:
    """The passphrase and the salt that an encrypted iOS 10.0 set encrypts its `file` column with."""

    passphrase: str = field(repr=False)
    salt: bytes


def write(
    path: Path, rows: Iterable[Row], protection: Protection | None = None, statements: Iterable[str] = ()
) -> None:
    """Write the plain database at `path`. `statements` are run when the rows are in."""
    with database.connection(path) as manifest:
        database.create_table(
            manifest,
            "Files",
            ["fileID TEXT PRIMARY KEY", "domain TEXT", "relativePath TEXT", "flags INTEGER", "file BLOB"],
        )
        database.create_table(manifest, "Properties", ["key TEXT PRIMARY KEY", "value BLOB"])
        manifest.execute("CREATE INDEX FilesDomainIdx ON Files(domain)")
        manifest.execute("CREATE INDEX FilesRelativePathIdx ON Files(relativePath)")
        manifest.execute("CREATE INDEX FilesFlagsIdx ON Files(flags)")
        manifest.execute("PRAGMA user_version = 2")
        database.insert(manifest, "Files", (_columns(row, protection) for row in rows))
        if protection is not None:
            properties = {
                "salt": protection.salt,
                "passwordHash": protected_column.password_hash(protection.passphrase, protection.salt),
            }
            database.insert(manifest, "Properties", [{"key": key, "value": each} for key, each in properties.items()])
        for statement in statements:
            manifest.execute(statement)
    database.settle(path)


def _columns(row: Row, protection: Protection | None) -> dict[str, Any]:
    entry = row.entry
    if entry.flags == OTHER:
        nothing = {"domain": None, "relativePath": None, "file": None}
        return {"fileID": entry.file_id, "flags": entry.flags, **nothing}
    record: bytes | str = mbfile(row) if entry.record is None else entry.record
    if entry.rewrite is not None and isinstance(record, bytes):
        record = entry.rewrite(record)
    if protection is not None and isinstance(record, bytes) and entry.record is None:
        record = protected_column.sealed(record, protection.passphrase, protection.salt)
    return {
        "fileID": entry.file_id,
        "domain": None if entry.domainless else entry.domain,
        "relativePath": None if entry.nameless else _spelled(entry.relative_path),
        "flags": entry.flags,
        "file": record,
    }


def _spelled(text: str) -> str | bytes:
    """The text, or its bytes where it is no Unicode: SQLite takes those as a BLOB."""
    return text.encode("utf-8", "surrogateescape") if any("\ud800" <= each <= "\udfff" for each in text) else text
