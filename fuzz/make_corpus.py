"""Writes the seeds: known vectors of the formats, and records that the minter of sample backups makes.

    python fuzz/make_corpus.py

The same files every time; each is named for what it is.
"""

from __future__ import annotations

import datetime as dt
import plistlib
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from plistlib import UID
from typing import Any

import message_seeds
import page_targets
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from targets import KEY

from bagtag.sample_backups.entry import DIRECTORY, SYMLINK, Entry
from bagtag.sample_backups.manifest import Row, mbfile

CORPUS = Path(__file__).parent / "corpus"

# Known answers minted for this project: an index of three records (folder, file with a binary property, symlink) and a
# bag of three classes.
INDEX = bytes.fromhex(
    "6d6264620500000a486f6d65446f6d61696e0000ffffffffffff41ed0000000000000005000001f5000001f54d7c6d004d7c6d014d7c6cff"
    "00000000000000000000000a486f6d65446f6d61696e0005612e62696effff001411f6ad8ec52a2984abaafd7c3b516503785c2072002c03"
    "000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba81a40000000000000006000001"
    "f5000001f54d7c6d014d7c6d024d7c6d0000000000000000010301000d636f6d2e6578616d706c652e780003b100ff000a486f6d65446f6d"
    "61696e00026c6e00062f7661722f74ffffffffa1ed0000000000000007000001f5000001f54d7c6d024d7c6d034d7c6d0100000000000000"
    "000000"
)
FIRST_RECORD_END, SECOND_RECORD_END = 66, 215
WRAPPED_KEY = bytes.fromhex("03000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba")


def _record(tag: bytes, value: bytes | int) -> bytes:
    content = value if isinstance(value, bytes) else struct.pack(">I", value)
    return tag + struct.pack(">I", len(content)) + content


def _bag(*classes: bytes, rounds: int = 2, double: bool = True) -> bytes:
    """As short as a bag can be, for speed."""
    head = [_record(b"UUID", b"id"), _record(b"SALT", b"s" * 20), _record(b"ITER", rounds)]
    if double:
        head += [_record(b"DPIC", rounds), _record(b"DPSL", b"d" * 20)]
    return b"".join((*head, *classes))


def _class(number: int, wrap: int, wrapped: bytes) -> bytes:
    return _record(b"UUID", b"id") + _record(b"CLAS", number) + _record(b"WRAP", wrap) + _record(b"WPKY", wrapped)


def key_bags() -> Iterator[tuple[str, bytes]]:
    """Bags that open with the key of the target, and bags that do not."""
    class_key = b"c" * 32
    opens = aes_key_wrap(KEY, class_key)
    file_key = struct.pack("<I", 3) + aes_key_wrap(class_key, b"f" * 32)
    yield "empty", b""
    whole = [_record(tag, bytes(4)) for tag in (b"VERS", b"TYPE", b"HMCK", b"WRAP", b"DPWT")]
    yield "every-tag", b"".join(whole) + _bag(_class(3, 2, opens)) + _record(b"KTYP", 0) + _record(b"PBKY", bytes(32))
    yield "opens-in-one-class", _bag(_class(3, 2, opens))
    yield "opens-a-file-key", _bag(_class(3, 2, opens)) + _record(b"XTRA", file_key)
    yield "device-bound", _bag(_class(11, 3, opens), _class(3, 2, opens))
    yield "one-stage", _bag(_class(3, 2, opens), double=False)
    yield "wrong-key", _bag(_class(3, 2, bytes(40)))
    yield "short-wrap", _bag(_class(3, 2, bytes(8)))
    yield "many-rounds", _bag(_class(3, 2, opens), rounds=2**31)
    yield "cut", _bag(_class(3, 2, opens))[:-3]
    yield "length-past-the-end", _bag() + b"WPKY\xff\xff\xff\xff"


def indexes() -> Iterator[tuple[str, bytes]]:
    """The known index, its parts, and the ways it breaks."""
    yield "known", INDEX
    yield "no-record", INDEX[:6]
    yield "folder", INDEX[:FIRST_RECORD_END]
    yield "file-with-property", INDEX[:6] + INDEX[FIRST_RECORD_END:SECOND_RECORD_END]
    yield "symlink", INDEX[:6] + INDEX[SECOND_RECORD_END:]
    yield "cut-in-a-name", INDEX[:FIRST_RECORD_END] + INDEX[FIRST_RECORD_END : FIRST_RECORD_END + 20]
    yield "all-null", INDEX[:6] + b"\xff\xff" * 5 + bytes(40)
    yield "wrong-magic", b"mbdx\x02\x00" + INDEX[6:]


def plists() -> Iterator[tuple[str, bytes]]:
    """Every kind of value, and shapes that honest writers do not make."""
    trees: dict[str, Any] = {
        "scalars": [True, False, 0, 255, 65536, 2**40, -1, 2**63, 1.5, "ascii", "grün", "😀", b"\x00\xff", UID(7)],
        "dates": [dt.datetime(2001, 1, 1), dt.datetime(2024, 5, 6, 7, 8, 9, 250000)],  # noqa: DTZ001
        "nested": {"a": [{"b": [[], {}, [1]]}]},
        "long-sizes": ["y" * 20, "é" * 20, b"x" * 300, list(range(20))],
        "shared": [["same", "same"], ["same", "same"]],
    }
    for name, tree in trees.items():
        yield name, plistlib.dumps(tree, fmt=plistlib.FMT_BINARY, sort_keys=False)
    yield "contains-itself", _objects(b"\xa1\x00")
    yield "multiplies", _objects(*(b"\xa2" + bytes([step + 1]) * 2 for step in range(20)), b"\x09")
    yield "overlaps", _objects(b"\xa3\x01\x02\x03", b"\x5f\x10\x06abcdef", b"\x56ghijkl", b"\x33" + bytes(8))
    yield "one-key-twice", _objects(b"\xd2\x01\x01\x02\x02", b"\x51a", b"\x08")


def _objects(*objects: bytes) -> bytes:
    out, offsets = bytearray(b"bplist00"), []
    for each in objects:
        offsets.append(len(out))
        out += each
    return bytes(out + bytes(offsets) + struct.pack(">6xBBQQQ", 1, 1, len(objects), 0, len(out)))


def rows() -> Iterator[tuple[str, bytes]]:
    """Records as devices write them, and as they could."""
    path = "Library/Preferences/com.example.plist"
    yield "file", mbfile(Row(Entry("HomeDomain", path, content=b"content"), 4_295_000_001, WRAPPED_KEY, bytes(20)))
    yield "folder", mbfile(Row(Entry("HomeDomain", "Library", DIRECTORY), 2))
    yield "symlink", mbfile(Row(Entry("HomeDomain", "tmp", SYMLINK, target="/private/var/tmp"), 3))
    attributes = {"com.apple.one": b"1", "com.apple.two": plistlib.dumps({"a": 1}, fmt=plistlib.FMT_BINARY)}
    yield "attributes", mbfile(Row(Entry("CameraRollDomain", "Media/a.heic", xattrs=attributes), 4))
    yield "name-beyond-ascii", mbfile(Row(Entry("HomeDomain", "Bücher/😀"), 5))
    yield "name-of-300", mbfile(Row(Entry("HomeDomain", "n" * 300), 6))
    root: dict[str, Any] = {"$class": UID(2), "RelativePath": UID(3), "Size": -2, "Mode": 2**64 - 1, "Birth": UID(4)}
    root |= {"LastModified": dt.datetime(2016, 9, 13), "LastStatusChange": 1.5, "Novel": [UID(1), {"a": 0.5}]}  # noqa: DTZ001
    kind = {"$classname": "MBFile", "$classes": ["MBFile", "NSObject"]}
    objects = ["$null", root, kind, {"NS.string": "text"}, {"NS.time": 495_460_800.5}]
    yield "ios-10-dates", _archive(objects)
    root = {"$class": UID(2), "EncryptionKey": WRAPPED_KEY, "Digest": {"NS.data": bytes(20)}, "RelativePath": UID(0)}
    yield "inline-values", _archive(["$null", root, kind])
    yield "no-file", _archive(["$null", {"a": 1}])


def _archive(objects: list[Any]) -> bytes:
    top = {"$archiver": "NSKeyedArchiver", "$version": 100_000, "$top": {"root": UID(1)}, "$objects": objects}
    return plistlib.dumps(top, fmt=plistlib.FMT_BINARY)


SEEDS: Mapping[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "keybag": key_bags,
    "mbdb": indexes,
    "plist": plists,
    "row": rows,
    "attributed-string": message_seeds.streams,
    "keyed-archive": message_seeds.archives,
    "protobuf": message_seeds.protocol_buffers,
    "summary": message_seeds.summaries,
    "handwriting": message_seeds.handwritings,
    "digital-touch": message_seeds.touches,
    "balloon": message_seeds.balloons,
    "sqlite-pages": page_targets.seeds,
}


def main() -> None:
    """Write every seed to `corpus/TARGET/NAME`."""
    for target, seeds in SEEDS.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
