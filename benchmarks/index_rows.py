"""Rows of a large index, made fast: the archive of each file is a template with its own values written over it.

The templates have the shape that the samples have, which is that of real indexes: MBFile and NSMutableData, 4 to 8
objects, 0.4 to 1.9 KB; directories and links without a key, a digest in some domains only, attributes on photos.
Nothing is checked of the values: digests, keys and times are made up.
"""

from __future__ import annotations

import hashlib
import plistlib
import random
from collections.abc import Iterator
from functools import cache
from plistlib import UID
from typing import Any, Literal

Kind = Literal["file", "digest", "photo", "directory", "link"]
Row = tuple[str, str, str, int, bytes]
"""fileID, domain, relativePath, flags, file."""

FLAGS = {"directory": 2, "link": 4}
MODES = {"directory": 0o40755, "link": 0o120755}
TARGET = "/private/var/mobile/Containers/Shared/AppGroup/00000000-0000-4000-8000-000000000000"
SIZE, MODIFIED, INODE = 0x7A6B5C4D, 0x6A5B4C3D, 0x00000002_5A4B3C2D
KEY, DIGEST = bytes(range(1, 45)), bytes(range(101, 121))
ATTRIBUTES = plistlib.dumps(
    {
        "com.apple.assetsd.originalFilename": b"IMG_0000.HEIC",
        "com.apple.assetsd.timeZoneName": b"America/New_York",
        "com.apple.assetsd.creatorBundleID": b"com.apple.camera",
        "com.apple.assetsd.importedByBundleIdentifier": plistlib.dumps(list(range(150)), fmt=plistlib.FMT_BINARY),
    },
    fmt=plistlib.FMT_BINARY,
)
FOLDERS = (
    "Library/Caches/com.example.images/fsCachedData", "Library/Application Support/Store/Blobs/Originals",
    "Documents/Conversations/Attachments", "Library/WebKit/WebsiteData/LocalStorage", "Documents", "Library/Cookies",
    "Media/DCIM/100APPLE", "Media/PhotoData/Thumbnails/V2/DCIM", "tmp/Uploads", "Documents/Übertragungen/Köln",
)  # fmt: skip
ENDS = ("jpg", "plist", "sqlite", "sqlite-wal", "json", "HEIC", "mov", "data")
DIGESTS = frozenset({"HomeDomain", "HealthDomain", "KeychainDomain", "WirelessDomain"})
_PER_DOMAIN = 2600


def rows(count: int, *, encrypted: bool, seed: str = "index") -> Iterator[Row]:
    """`count` rows, a domain after the other as a device writes them, in each the paths as they come; no two alike."""
    throws = random.Random(seed)
    domains = [_domain(number, throws) for number in range(-(-count // _PER_DOMAIN))]
    throws.shuffle(domains)
    for number in range(count):
        domain = domains[number // _PER_DOMAIN]
        kind = _kind(domain, throws.random())
        folder, name = FOLDERS[throws.randrange(len(FOLDERS))], throws.randbytes(16).hex().upper()
        path = f"{folder}/{name[:2]}/{name[2:10]}-{name[10:14]}-{name[14:26]}"
        if kind != "directory":
            path += f"-{number}.{ENDS[throws.randrange(len(ENDS))]}"
        file_id = hashlib.sha1(f"{domain}-{path}".encode(), usedforsecurity=False).hexdigest()
        yield file_id, domain, path, FLAGS.get(kind, 1), _record(kind, path, number, throws.randbytes(64), encrypted)


def _domain(number: int, throws: random.Random) -> str:
    if number % 10 == 0:
        return ("HomeDomain", "CameraRollDomain", "MediaDomain", "HealthDomain")[number // 10 % 4]
    name = f"com.example.{throws.randbytes(throws.randrange(3, 10)).hex()}.app{number}"
    return ("AppDomain-", "AppDomainGroup-group.", "AppDomainPlugin-")[number % 3] + name


def _kind(domain: str, throw: float) -> Kind:
    if throw < 0.15:
        return "directory"
    if throw < 0.155:
        return "link"
    if domain == "CameraRollDomain":
        return "photo"
    return "digest" if domain in DIGESTS else "file"


def _record(kind: Kind, path: str, number: int, throw: bytes, encrypted: bool) -> bytes:
    wide = not path.isascii()
    template, at = _template(kind, len(path), wide, encrypted)
    record = bytearray(template)
    written = path.encode("utf-16-be" if wide else "ascii")
    record[at["path"] : at["path"] + len(written)] = written
    for time, back in (("modified", 0), ("changed", -1), ("created", 1)):
        record[at[time] : at[time] + 4] = (1_500_000_000 + (number * 977) % 250_000_000 - back).to_bytes(4, "big")
    record[at["inode"] : at["inode"] + 8] = (2**33 + number).to_bytes(8, "big")
    if "size" in at:
        record[at["size"] : at["size"] + 4] = (0x10000 + number).to_bytes(4, "big")
    if "key" in at:
        record[at["key"] : at["key"] + 40] = throw[:40]
    if "digest" in at:
        record[at["digest"] : at["digest"] + 20] = throw[44:]
    return bytes(record)


@cache
def _template(kind: Kind, length: int, wide: bool, encrypted: bool) -> tuple[bytes, dict[str, int]]:
    """The archive for a path of this many UTF-16 units, and where each value lies in it."""
    filler = "\u0123" if wide else "\x01"
    body: dict[str, Any] = {
        "LastModified": MODIFIED, "Flags": 0, "GroupID": 501, "LastStatusChange": MODIFIED + 1, "Birth": MODIFIED - 1,
        "Size": 0 if kind in FLAGS else SIZE, "InodeNumber": INODE, "Mode": MODES.get(kind, 0o100644), "UserID": 501,
        "ProtectionClass": 0 if kind in FLAGS else 3, "RelativePath": UID(2),
    }  # fmt: skip
    objects: list[Any] = ["$null", body, filler * length]
    sought = {
        "path": (filler * length).encode("utf-16-be" if wide else "ascii"), "inode": INODE.to_bytes(8, "big"),
        "modified": MODIFIED.to_bytes(4, "big"), "changed": (MODIFIED + 1).to_bytes(4, "big"),
        "created": (MODIFIED - 1).to_bytes(4, "big"),
    }  # fmt: skip

    def add(key: str, value: Any) -> None:
        body[key] = UID(len(objects))
        objects.append(value)

    if kind not in FLAGS:
        sought["size"] = SIZE.to_bytes(4, "big")
    if kind == "link":
        add("Target", TARGET)
    if kind == "digest":
        add("Digest", DIGEST)
        sought["digest"] = DIGEST
    if encrypted and kind not in FLAGS:
        wrapped: dict[str, Any] = {"NS.data": (3).to_bytes(4, "little") + KEY[4:]}
        add("EncryptionKey", wrapped)
        add("$class", {"$classname": "NSMutableData", "$classes": ["NSMutableData", "NSData", "NSObject"]})
        wrapped["$class"] = body.pop("$class")
        sought["key"] = KEY[4:]
    add("$class", {"$classname": "MBFile", "$classes": ["MBFile", "NSObject"]})
    if kind == "photo":
        add("ExtendedAttributes", ATTRIBUTES)
    archive = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": UID(1)}, "$objects": objects}
    record = plistlib.dumps(archive, fmt=plistlib.FMT_BINARY, sort_keys=False)
    at = {name: record.index(value) for name, value in sought.items()}
    return record, at
