"""A second, slow reading of MBFile records with plistlib alone, to judge the fast one by. It shares no code with it."""

from __future__ import annotations

import plistlib
import struct
from datetime import datetime
from typing import Any

NAMES = {
    "relative_path": "RelativePath", "size": "Size", "mode": "Mode", "modified": "LastModified",
    "changed": "LastStatusChange", "created": "Birth", "inode": "InodeNumber", "uid": "UserID", "gid": "GroupID",
    "protection_class": "ProtectionClass", "flags": "Flags", "encryption_key": "EncryptionKey", "digest": "Digest",
    "target": "Target", "xattrs": "ExtendedAttributes",
}  # fmt: skip
NUMBERS = frozenset({"size", "mode", "inode", "uid", "gid", "protection_class", "flags"})
TIMES = frozenset({"modified", "changed", "created"})
TEXTS = frozenset({"relative_path", "target"})
EPOCH = datetime(2001, 1, 1)  # noqa: DTZ001 - plistlib's dates are naive
TO_1970 = 978_307_200
REFUSED = (
    plistlib.InvalidFileException, ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError,
    MemoryError, struct.error, AttributeError,
)  # fmt: skip


def read(blob: bytes) -> dict[str, Any] | None:
    """The fields of a record by their names in FileMetadata, with `raw`; None when plistlib or the record refuse."""
    try:
        archive = plistlib.loads(blob, fmt=plistlib.FMT_BINARY)
        objects = archive["$objects"]
        root = objects[archive["$top"]["root"].data]
        if not isinstance(root, dict) or "$class" not in root or not isinstance(objects, list):
            return None
        found = {field: _field(field, _resolved(root.get(name), objects, field)) for field, name in NAMES.items()}
        known = {"$class", *NAMES.values()}
        found["raw"] = {
            str(name): _plain(_resolved(root[name], objects, "raw"))
            for name in sorted(root, key=str)
            if name not in known
        }
    except REFUSED:
        return None
    return found


def _resolved(value: Any, objects: list[Any], field: str) -> Any:
    if field in NUMBERS or not isinstance(value, plistlib.UID):
        return value
    return objects[value.data] if value.data or objects[0] != "$null" else None


def _field(field: str, value: Any) -> Any:
    if field in NUMBERS:
        return value if type(value) is int else None
    if field in TEXTS:
        value = value.get("NS.string") if isinstance(value, dict) else value
        return value if isinstance(value, str) else None
    if field in TIMES:
        return _time(value)
    value = value.get("NS.data") if isinstance(value, dict) else value
    if not isinstance(value, bytes):
        return None
    return _attributes(value) if field == "xattrs" else value


def _time(value: Any) -> float | None:
    if isinstance(value, datetime):
        return (value - EPOCH).total_seconds() + TO_1970
    if isinstance(value, dict):
        value = value.get("NS.time")
        return float(value) + TO_1970 if isinstance(value, int | float) else None
    return value if type(value) in (int, float) else None


def _attributes(value: bytes) -> dict[str, bytes]:
    try:
        items = plistlib.loads(value, fmt=plistlib.FMT_BINARY)
        if isinstance(items, dict) and all(isinstance(name, str) for name in items):
            if any(isinstance(item, datetime) for item in items.values()):
                return {"": value}
            return {
                name: item if isinstance(item, bytes) else plistlib.dumps(item, fmt=plistlib.FMT_BINARY)
                for name, item in sorted(items.items())
            }
    except REFUSED:
        pass
    return {"": value}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, bool | int | str) else repr(value)[:1000]
