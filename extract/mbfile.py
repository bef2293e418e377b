"""MBFile: the `file` column of Manifest.db, the device's own record of one file.

An NSKeyedArchiver property list whose root object is an MBFile with its columns as keys (spec of the container,
checked on 3,721 real rows). Only plain containers are read, resolved through `$top.root`; no class is instantiated.
Keys that are not known here are kept in `raw`.
"""

from __future__ import annotations

import plistlib
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bagtag.extract.apple_times import APPLE_EPOCH

Time = int | float

_KNOWN = frozenset(
    {
        "$class", "RelativePath", "Size", "Mode", "LastModified", "LastStatusChange", "Birth", "InodeNumber", "UserID",
        "GroupID", "ProtectionClass", "Flags", "EncryptionKey", "Digest", "Target", "ExtendedAttributes",
    }
)  # fmt: skip
_MALFORMED = (
    plistlib.InvalidFileException, ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError,
    MemoryError, struct.error, AttributeError,
)  # fmt: skip
_LONGEST_RECORD = 16 * 1024 * 1024


class BadRecordError(ValueError):
    """The `file` column does not hold an MBFile that can be read."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """One MBFile. Times are Unix seconds; None means that the key is absent, never 0."""

    relative_path: str | None
    size: int | None
    mode: int | None
    modified: Time | None
    changed: Time | None
    created: Time | None
    inode: int | None
    uid: int | None
    gid: int | None
    protection_class: int | None
    flags: int | None
    encryption_key: bytes | None = field(repr=False)
    digest: bytes | None
    target: str | None
    xattrs: dict[str, bytes] | None = field(repr=False)
    raw: dict[str, Any] = field(repr=False)


def read(blob: bytes) -> FileMetadata:
    """Decode one `file` column. Raises BadRecordError for anything that is not an MBFile archive."""
    if not isinstance(blob, bytes) or not blob:
        raise BadRecordError("the column is empty")
    if len(blob) > _LONGEST_RECORD:
        raise BadRecordError(f"the column is {len(blob)} bytes long")
    try:
        archive = plistlib.loads(blob, fmt=plistlib.FMT_BINARY)
        objects = archive["$objects"]
        root = objects[archive["$top"]["root"].data]
        metadata = _metadata(root, objects) if isinstance(root, dict) and "$class" in root else None
    except _MALFORMED as trouble:
        raise BadRecordError(f"no MBFile archive: {type(trouble).__name__}: {trouble}") from trouble
    if metadata is None:
        raise BadRecordError("the root object is no MBFile")
    return metadata


def _metadata(root: dict[str, Any], objects: list[Any]) -> FileMetadata:
    return FileMetadata(
        relative_path=_text(_resolved(root, "RelativePath", objects)),
        size=_integer(root.get("Size")),
        mode=_integer(root.get("Mode")),
        modified=_time(_resolved(root, "LastModified", objects)),
        changed=_time(_resolved(root, "LastStatusChange", objects)),
        created=_time(_resolved(root, "Birth", objects)),
        inode=_integer(root.get("InodeNumber")),
        uid=_integer(root.get("UserID")),
        gid=_integer(root.get("GroupID")),
        protection_class=_integer(root.get("ProtectionClass")),
        flags=_integer(root.get("Flags")),
        encryption_key=_bytes(_resolved(root, "EncryptionKey", objects)),
        digest=_bytes(_resolved(root, "Digest", objects)),
        target=_text(_resolved(root, "Target", objects)),
        xattrs=_attributes(_bytes(_resolved(root, "ExtendedAttributes", objects))),
        raw={key: _plain(_resolved(root, key, objects)) for key in sorted(root.keys() - _KNOWN)},
    )


def _resolved(root: dict[str, Any], key: str, objects: list[Any]) -> Any:
    value = root.get(key)
    if isinstance(value, plistlib.UID):
        value = objects[value.data]
        if value == "$null":
            return None
    return value


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    if isinstance(value, dict) and isinstance(value.get("NS.string"), str):
        value = value["NS.string"]
    return value if isinstance(value, str) else None


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, dict):
        value = value.get("NS.data")
    return value if isinstance(value, bytes) else None


def _time(value: Any) -> Time | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).timestamp()
    if isinstance(value, dict) and isinstance(value.get("NS.time"), int | float):
        return float(value["NS.time"]) + APPLE_EPOCH  # early iOS 10 archives an NSDate
    return None


def _attributes(value: bytes | None) -> dict[str, bytes] | None:
    """Extended attributes: a nested property list of name to bytes; what is none is kept whole under its own name."""
    if value is None:
        return None
    try:
        items = plistlib.loads(value)
    except _MALFORMED:
        return {"": value}
    if not isinstance(items, dict):
        return {"": value}
    return {
        str(name): item if isinstance(item, bytes) else plistlib.dumps(item, fmt=plistlib.FMT_BINARY)
        for name, item in sorted(items.items())
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):
        return value.hex()
    return repr(value)[:1000]
