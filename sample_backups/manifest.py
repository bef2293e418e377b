"""Manifest.db, the index of a backup: one row a file, folder or link, with Apple's archived MBFile in each.

Known from the Manifest.db of real backups since iOS 10.2: the schema with its three indexes, user_version 2, the WAL
mark in the header, and the order of objects in an MBFile archive.
"""

from __future__ import annotations

import plistlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagtag.sample_backups import database
from bagtag.sample_backups.entry import Entry
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
        "GroupID": 501,
        "LastStatusChange": entry.modified + 1,
        "Birth": entry.modified - 1,
    }
    if entry.size is not None:
        body["Size"] = entry.size
    body |= {"InodeNumber": row.inode, "Mode": entry.mode, "UserID": 501, "ProtectionClass": entry.protection_class}
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
    if entry.xattrs is not None:
        nested = plistlib.dumps(dict(entry.xattrs), fmt=plistlib.FMT_BINARY)
        body["ExtendedAttributes"] = archive.add(nested)
    return archive.stored(root)


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the plain database at `path`."""
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
        database.insert(manifest, "Files", map(_columns, rows))
    database.settle(path)


def _columns(row: Row) -> dict[str, Any]:
    entry = row.entry
    if entry.expected == "other-flags":
        nothing = {"domain": None, "relativePath": None, "file": None}
        return {"fileID": entry.file_id, "flags": entry.flags, **nothing}
    return {
        "fileID": entry.file_id,
        "domain": entry.domain,
        "relativePath": entry.relative_path,
        "flags": entry.flags,
        "file": mbfile(row) if entry.record is None else entry.record,
    }
