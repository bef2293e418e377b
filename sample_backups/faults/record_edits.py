"""Records of one file (MBFile archives) as they should not be, or as they rarely are: edits of binary property lists.

Known from the layout of binary property lists: objects, a table of their offsets, a trailer of 32 bytes that says how
wide both kinds of numbers are. What no writer makes (cycles, bombs, offsets past the end) is laid out here by hand.
"""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Callable, Sequence
from plistlib import UID
from typing import Any

APPLE_EPOCH = 978307200
DEPTH = 20_000


def layout(objects: Sequence[bytes], top: int = 0) -> bytes:
    """A binary property list of objects already encoded, with offsets of four bytes and references of two."""
    body, offsets = bytearray(b"bplist00"), []
    for each in objects:
        offsets.append(len(body))
        body += each
    table = len(body)
    body += b"".join(struct.pack(">I", each) for each in offsets)
    return bytes(body) + struct.pack(">6xBBQQQ", 4, 2, len(objects), top, table)


def array(*references: int) -> bytes:
    """An encoded array of up to fourteen references."""
    return bytes([0xA0 | len(references)]) + struct.pack(f">{len(references)}H", *references)


def cycle() -> bytes:
    """An archive whose table of objects is an array that holds itself."""
    return layout([array(0, 0, 0)])


def bomb() -> bytes:
    """Sixty arrays of ten references each to the next: 10^60 values when written out."""
    return layout([array(*[number + 1] * 10) for number in range(60)] + [b"\x50"])


def deep() -> bytes:
    """Arrays in arrays, more than a stack holds."""
    return layout([array(number + 1) for number in range(DEPTH)] + [b"\x50"])


def far_offset() -> bytes:
    """A trailer whose table of offsets lies beyond any file."""
    return b"bplist00\x50" + struct.pack(">6xBBQQQ", 8, 2, 1, 0, 1 << 62)


def many_objects() -> bytes:
    """A trailer that counts more objects than any memory holds."""
    return b"bplist00\x50\x08" + struct.pack(">6xBBQQQ", 1, 1, 1 << 60, 0, 9)


def uid_beyond(record: bytes) -> bytes:
    """The root is an object that the table does not have."""
    archive = plistlib.loads(record)
    archive["$top"]["root"] = UID(9999)
    return _stored(archive)


def shuffled(record: bytes) -> bytes:
    """The same objects in reverse, "$null" first as ever."""
    archive = plistlib.loads(record)
    objects = archive["$objects"]
    count = len(objects)

    def moved(value: Any) -> Any:
        if isinstance(value, UID):
            return UID(count - value.data) if value.data else value
        if isinstance(value, dict):
            return {key: moved(each) for key, each in value.items()}
        return value

    archive["$objects"] = [objects[0], *(moved(each) for each in reversed(objects[1:]))]
    archive["$top"] = moved(archive["$top"])
    return _stored(archive)


def raw_key(record: bytes) -> bytes:
    """EncryptionKey as bytes instead of an NSMutableData."""

    def change(root: dict[str, Any], objects: list[Any]) -> None:
        if "EncryptionKey" in root:
            at = root["EncryptionKey"].data
            objects[at] = objects[at]["NS.data"]

    return _changed(record, change)


def dates(record: bytes) -> bytes:
    """The three times as NSDate, as early iOS 10 has them."""

    def change(root: dict[str, Any], objects: list[Any]) -> None:
        kind = len(objects)
        objects.append({"$classname": "NSDate", "$classes": ["NSDate", "NSObject"]})
        for name in ("LastModified", "LastStatusChange", "Birth"):
            objects.append({"NS.time": float(root[name] - APPLE_EPOCH), "$class": UID(kind)})
            root[name] = UID(len(objects) - 1)

    return _changed(record, change)


def digest_object(record: bytes) -> bytes:
    """Digest as an NSMutableData instead of bytes."""

    def change(root: dict[str, Any], objects: list[Any]) -> None:
        kind = len(objects)
        objects.append({"$classname": "NSMutableData", "$classes": ["NSMutableData", "NSData", "NSObject"]})
        at = root["Digest"].data
        objects[at] = {"NS.data": objects[at], "$class": UID(kind)}

    return _changed(record, change)


def padded_table(record: bytes) -> bytes:
    """Three hundred objects more, so that references need two bytes and the root lies beyond 255."""
    archive = plistlib.loads(record)
    objects = archive["$objects"]
    at = archive["$top"]["root"].data
    objects += [f"filler {number}" for number in range(300)]
    objects.append(objects[at])
    archive["$top"]["root"] = UID(len(objects) - 1)
    return _stored(archive)


def unknown_keys(record: bytes) -> bytes:
    """Keys that no version of iOS is known to write."""

    def change(root: dict[str, Any], objects: list[Any]) -> None:
        objects.append({"nested": [1, 2.5, True, b"\x00\xff"]})
        root |= {"FutureKey": UID(len(objects) - 1), "FutureNumber": 1 << 60}

    return _changed(record, change)


def bomb_inside(record: bytes) -> bytes:
    """An unknown key whose value is forty arrays of ten references each to the next."""

    def change(root: dict[str, Any], objects: list[Any]) -> None:
        value: list[Any] = []
        for _ in range(40):
            value = [value] * 10
        objects.append(value)
        root["FutureBomb"] = UID(len(objects) - 1)

    return _changed(record, change)


def _changed(record: bytes, change: Callable[[dict[str, Any], list[Any]], None]) -> bytes:
    archive = plistlib.loads(record)
    objects = archive["$objects"]
    change(objects[archive["$top"]["root"].data], objects)
    return _stored(archive)


def _stored(archive: dict[str, Any]) -> bytes:
    return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY, sort_keys=False)
