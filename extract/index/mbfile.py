"""MBFile: the `file` column of Manifest.db, the device's own record of one file.

An NSKeyedArchiver property list whose root object is an MBFile with its columns as keys (spec of the container,
checked on 3,721 real rows). Only plain containers are read, resolved through `$top.root`; no class is instantiated.
Keys that are not known here are kept in `raw`.

An index has up to 1.3 million of them, so the layout that devices write (references of one byte, offsets of two, a root
with nothing but known keys) is read straight from the bytes, and what is laid out as a record before it by comparison
with that one (`record_layout`). Whatever else it may be goes through the general reader of property lists; where
several read a record they read the same, which the tests hold against plistlib.
"""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Sequence
from typing import Any

import msgspec

from bagtag.extract.apple_times import APPLE_EPOCH
from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.binary_plist import Date, Value
from bagtag.extract.formats.malformed import MalformedError
from bagtag.extract.index.record_layout import Layout, layout_of

Time = int | float
Members = dict[str | int, Value]

_LONGEST_RECORD = 1024 * 1024  # real ones are 412 to 1,850 bytes long
_MOST_VALUES = 50_000


class BadRecordError(ValueError):
    """The `file` column does not hold an MBFile that can be read."""


class FileMetadata(msgspec.Struct, frozen=True, gc=False):
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
    encryption_key: bytes | None
    digest: bytes | None
    target: str | None
    xattrs: dict[str, bytes] | None
    raw: dict[str, Any]

    def __repr__(self) -> str:
        """Without what is secret or long: the wrapped key, attributes and unknown keys."""
        shown = (name for name in self.__struct_fields__ if name not in ("encryption_key", "xattrs", "raw"))
        return f"FileMetadata({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


# The MBFile's key for each field, in the order of the fields.
_KEYS = (
    "RelativePath", "Size", "Mode", "LastModified", "LastStatusChange", "Birth", "InodeNumber", "UserID", "GroupID",
    "ProtectionClass", "Flags", "EncryptionKey", "Digest", "Target", "ExtendedAttributes",
)  # fmt: skip
_KNOWN = frozenset((*_KEYS, "$class"))


def read(blob: bytes) -> FileMetadata:
    """Decode one `file` column. Raises BadRecordError for anything that is not an MBFile archive."""
    if not isinstance(blob, bytes) or not blob:
        raise BadRecordError("the column is empty")
    if len(blob) > _LONGEST_RECORD:
        raise BadRecordError(f"the column is {len(blob)} bytes long")
    try:
        found = _as_one_before(blob)
    except (IndexError, struct.error, UnicodeDecodeError):
        found = None
    return _from_archive(blob) if found is None else found


def _from_archive(blob: bytes) -> FileMetadata:
    """The general way, for every archive that is one."""
    try:
        archive = binary_plist.read(blob, _MOST_VALUES)
    except MalformedError as trouble:
        raise BadRecordError(f"no MBFile archive: {trouble}") from trouble
    match archive:
        case {"$top": {"root": plistlib.UID(data=number)}, "$objects": list() as objects} if number < len(objects):
            root = objects[number]
        case _:
            raise BadRecordError("no MBFile archive: a property list without $top.root and $objects")
    if not isinstance(root, dict) or "$class" not in root:
        raise BadRecordError("the root object is no MBFile")
    return _metadata(root, objects)


def _metadata(root: Members, objects: list[Value]) -> FileMetadata:
    def value(key: str | int) -> Value:
        return _resolved(root.get(key), objects)

    unknown = sorted((key for key in root if key not in _KNOWN), key=str)
    return FileMetadata(
        relative_path=_text(value("RelativePath")),
        size=_integer(root.get("Size")),
        mode=_integer(root.get("Mode")),
        modified=_time(value("LastModified")),
        changed=_time(value("LastStatusChange")),
        created=_time(value("Birth")),
        inode=_integer(root.get("InodeNumber")),
        uid=_integer(root.get("UserID")),
        gid=_integer(root.get("GroupID")),
        protection_class=_integer(root.get("ProtectionClass")),
        flags=_integer(root.get("Flags")),
        encryption_key=_bytes(value("EncryptionKey")),
        digest=_bytes(value("Digest")),
        target=_text(value("Target")),
        xattrs=_attributes(_bytes(value("ExtendedAttributes"))),
        raw={str(key): _plain(value(key)) for key in unknown},
    )


def _resolved(value: Value, objects: list[Value]) -> Value:
    if not isinstance(value, plistlib.UID):
        return value
    if value.data >= len(objects):
        raise BadRecordError(f"a reference to object {value.data} of {len(objects)}")
    found = objects[value.data]
    return None if found == "$null" and value.data == 0 else found


def _integer(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Value) -> str | None:
    if isinstance(value, dict):
        value = value.get("NS.string")
    return value if isinstance(value, str) else None


def _bytes(value: Value) -> bytes | None:
    if isinstance(value, dict):
        value = value.get("NS.data")
    return value if isinstance(value, bytes) else None


def _time(value: Value) -> Time | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, dict):  # early iOS 10 archives an NSDate
        seconds = value.get("NS.time")
        return float(seconds) + APPLE_EPOCH if isinstance(seconds, int | float) else None
    return value.seconds + APPLE_EPOCH if isinstance(value, Date) else None


def _attributes(value: bytes | None) -> dict[str, bytes] | None:
    """Extended attributes: a nested property list of name to bytes; what is none is kept whole under an empty name."""
    if value is None:
        return None
    try:
        items: Any = binary_plist.read(value, _MOST_VALUES)
        if isinstance(items, dict) and all(isinstance(name, str) for name in items):
            return {
                name: item if isinstance(item, bytes) else plistlib.dumps(item, fmt=plistlib.FMT_BINARY)
                for name, item in sorted(items.items())
            }
    except (MalformedError, TypeError, OverflowError, UnicodeEncodeError):
        pass  # no list, or a value that plistlib does not write: a date, half an emoji
    return {"": value}


def _plain(value: Value) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes):
        return value.hex()
    return repr(value)[:1000]


_trailer = struct.Struct(">6xBBQQQ").unpack_from
_tables = tuple(struct.Struct(f">{count}H").unpack_from for count in range(256))
_u16, _u32, _i64, _u64 = (struct.Struct(form).unpack_from for form in (">H", ">I", ">q", ">Q"))
_TRAILER_SIZE = 32

# A key is found by its bytes in the file: marker 5n (or 5F 10 n from 15 letters on), then the letters.
_FIELD_OF = {
    (bytes([0x50 + len(key)]) if len(key) < 15 else bytes([0x5F, 0x10, len(key)])) + key.encode(): field
    for field, key in enumerate((*_KEYS, "$class"))
}
_TEXTS = frozenset({_KEYS.index("RelativePath"), _KEYS.index("Target")})
_CLASS = _FIELD_OF[b"\x56$class"]
_ATTRIBUTES = _KEYS.index("ExtendedAttributes")
_FIRST_NUMBER, _LAST_NUMBER = _KEYS.index("Size"), _KEYS.index("Flags")

_layouts: dict[bytes, list[Layout | None]] = {}
"""For each table of offsets that was met the layouts that go with it, None for a record without one."""
_MOST_LAYOUTS = 4
_MOST_TABLES = 2048
_LONGEST_TABLE = 2 * 255 + _TRAILER_SIZE
_LONGEST_KEPT = 4096
"""So long may a record be that a layout is kept of: eight mebibytes at the most, thirty-two where all have four."""


def _as_one_before(blob: bytes) -> FileMetadata | None:
    """The record by the layout of one that was read before, if there is one; else and besides as `_as_devices_write`.

    A layout is taken down at the second record with the same table of offsets: many tables are met only once.
    """
    table = blob[_u64(blob, len(blob) - 8)[0] :]
    layouts = _layouts.get(table)
    if layouts is None:
        if len(table) <= _LONGEST_TABLE:
            if len(_layouts) == _MOST_TABLES:
                _layouts.clear()
            _layouts[table] = []
        return _as_devices_write(blob)
    for layout in layouts:
        values = None if layout is None else layout.values(blob)
        if values is not None:
            return _made(values)
    if len(layouts) == _MOST_LAYOUTS:
        return _as_devices_write(blob)
    places: dict[int, int] = {}
    found = _as_devices_write(blob, places)
    layouts.append(None if found is None else _taken_down(blob, places))
    return found


def _taken_down(blob: bytes, places: dict[int, int]) -> Layout | None:
    """The layout of a record that `_as_devices_write` read."""
    if len(blob) > _LONGEST_KEPT:
        return None
    _, _, count, _, table = _trailer(blob, len(blob) - _TRAILER_SIZE)
    try:
        return layout_of(blob, _tables[count](blob, table), table, places, len(_KEYS))
    except IndexError:
        return None


def _as_devices_write(blob: bytes, places: dict[int, int] | None = None) -> FileMetadata | None:
    """The record if it has the usual layout, else None or IndexError, struct.error, UnicodeDecodeError.

    Nothing is read but what the record needs, and no key twice: there is nothing that a hostile archive could multiply.
    `places` hears where the value of each field begins.
    """
    offset_size, reference_size, count, top, table = _trailer(blob, len(blob) - _TRAILER_SIZE)
    if (
        offset_size != 2
        or reference_size != 1
        or not 1 <= count <= 255
        or table + 2 * count + _TRAILER_SIZE != len(blob)
    ):
        return None
    offsets = _tables[count](blob, table)
    if not blob.startswith(binary_plist.MAGIC) or min(offsets) < 8 or max(offsets) >= table:
        return None
    at = offsets[top]
    if blob[at] != 0xD4:
        return None
    root_number, objects = -1, b""
    for key, value in zip(blob[at + 1 : at + 5], blob[at + 5 : at + 9], strict=True):
        if blob.startswith(b"\x54$top", offsets[key]):
            at = offsets[value]
            uid = offsets[blob[at + 2]]
            if blob[at] != 0xD1 or blob[uid] != 0x80 or not blob.startswith(b"\x54root", offsets[blob[at + 1]]):
                return None
            root_number = blob[uid + 1]
        elif blob.startswith(b"\x58$objects", offsets[key]):
            at = offsets[value]
            start, length = _sized(blob, at, 0xA0)
            objects = blob[start : start + length]
    if root_number < 0:
        return None
    start, length = _sized(blob, offsets[objects[root_number]], 0xD0)
    middle, end = start + length, start + 2 * length
    if end > table:
        return None
    found: list[Any] = [None] * 16
    last = table - 9
    for key, value in zip(blob[start:middle], blob[middle:end], strict=True):
        at = offsets[key]
        marker = blob[at]
        field = _FIELD_OF.get(blob[at : at + marker - 0x4F] if marker != 0x5F else blob[at : at + 3 + blob[at + 2]])
        at = offsets[value]
        if field is None or found[field] is not None or at > last:
            return None
        marker = blob[at]
        if _FIRST_NUMBER <= field <= _LAST_NUMBER:
            if marker == 0x10:
                found[field] = blob[at + 1]
            elif marker == 0x12:
                found[field] = _u32(blob, at + 1)[0]
            elif marker == 0x11:
                found[field] = _u16(blob, at + 1)[0]
            elif marker == 0x13:
                found[field] = _i64(blob, at + 1)[0]
            else:
                return None
        elif marker != 0x80 or not blob[at + 1]:
            return None
        elif field == _CLASS:
            found[_CLASS] = True
        else:
            at = offsets[objects[blob[at + 1]]]
            if field in _TEXTS:
                found[field] = _usual_text(blob, at, table)
            else:
                at = _usual_data(blob, at, offsets)
                found[field] = _usual_bytes(blob, at, table)
            if found[field] is None:
                return None
        if places is not None and field != _CLASS:
            places[field] = at
    if not found[_CLASS]:
        return None
    return _made(found[:_CLASS])


def _made(values: Sequence[Any]) -> FileMetadata:
    """The record of these values, as they stand in it."""
    told: list[Any] = [*values, {}]
    if told[_ATTRIBUTES] is not None:
        told[_ATTRIBUTES] = _attributes(told[_ATTRIBUTES])
    return FileMetadata(*told)


def _sized(blob: bytes, at: int, kind: int) -> tuple[int, int]:
    """(first byte after the size, size) of an object of that kind. Raises IndexError for one of another."""
    size = blob[at] - kind
    if 0 <= size < 0xF:
        return at + 1, size
    if size == 0xF and blob[at + 1] == 0x10:
        return at + 3, blob[at + 2]
    if size == 0xF and blob[at + 1] == 0x11:
        return at + 4, _u16(blob, at + 2)[0]
    raise IndexError(at)


def _usual_text(blob: bytes, at: int, table: int) -> str | None:
    if blob[at] < 0x60:
        start, length = _sized(blob, at, 0x50)
        return blob[start : start + length].decode("ascii") if start + length <= table else None
    start, length = _sized(blob, at, 0x60)
    return blob[start : start + 2 * length].decode("utf-16-be") if start + 2 * length <= table else None


def _usual_data(blob: bytes, at: int, offsets: tuple[int, ...]) -> int:
    """Where bytes stand that are given as such or as an NSMutableData: a dictionary of NS.data and $class."""
    if blob[at] == 0xD2:
        for key, value in zip(blob[at + 1 : at + 3], blob[at + 3 : at + 5], strict=True):
            if blob.startswith(b"\x57NS.data", offsets[key]):
                at = offsets[value]
    return at


def _usual_bytes(blob: bytes, at: int, table: int) -> bytes | None:
    start, length = _sized(blob, at, 0x40)
    return blob[start : start + length] if start + length <= table else None
