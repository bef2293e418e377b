"""Seeds for the blobs of a message: sound ones, from the writers of the sample backups or by hand, and odd ones."""

from __future__ import annotations

import base64
import datetime as dt
import json
import lzma
import plistlib
import struct
from collections.abc import Iterator, Mapping
from plistlib import UID
from typing import Any

from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.typedstream import FIRST_REFERENCE, Number, Run, Url, Value, Writer, attributed_string

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
HI = attributed_string([Run("Hi", {PART: 0})])
OLDER = attributed_string([Run("Ho", {PART: 0})], mutable=False)
SIGN = 0x8000


def streams() -> Iterator[tuple[str, bytes]]:
    """Bodies of every shape, and streams that hold something else."""
    yield "hi", HI
    yield "empty", attributed_string([], mutable=False)
    yield "parts-and-emoji", attributed_string([Run("a😀", {PART: 0}), Run("\ufffc", {PART: 1, TRANSFER: "at_1_G"})])
    every: dict[str, Value] = {
        "i": -111,
        "q": Number(1 << 40, "q"),
        "c": Number(-1, "c"),
        "url": Url("tel:+1"),
        "data": b"\x00\xff",
    }
    yield "every-value", attributed_string([Run("one ", every), Run("two ", {PART: 1}), Run("again", every)])
    yield "length-of-two-bytes", attributed_string([Run("ü" * 70, {PART: 0})])
    yield "lone-surrogate", attributed_string([Run("\ud83d!", {PART: 0})])
    yield "late-references", _late()
    yield "contains-itself", _multiplied(1, endless=True)
    yield "multiplies", _multiplied(6)
    yield "struct-and-array", _typed(b"\x84\x0e{a=i[2c]{b=d}}\x05hi\x83" + struct.pack("<d", 0.5))
    yield "big-endian", b"\x04\x0btypedstream\x81\x03\xe8\x84\x01@\x84\x84\x84\x08NSString\x01\x85\x84\x01+\x02Hi\x86"
    yield "cut", HI[:-20]
    yield "deep", _typed(b"\x84\x01@\x84\x84\x84\x01X\x00\x85" + b"\x92\x84\x93" * 130 + b"\x86" * 131)


def _typed(groups: bytes) -> bytes:
    return HI[:16] + groups


def _late() -> bytes:
    """240 strings, then classes and types that are new there and met twice."""
    late: dict[str, Value] = {"u": Url("a"), "v": Url("b"), "q": Number(1, "q"), "r": Number(2, "q")}
    return attributed_string([Run("x", {f"{number}": "" for number in range(120)} | late)])


def _multiplied(levels: int, *, endless: bool = False) -> bytes:
    """Dictionaries that each hold the next one twice; with `endless` the innermost holds itself."""
    writer = Writer()
    writer.object("NSAttributedString")
    writer.string("x")
    writer.shared("iI")
    writer.integer(1)
    writer.length(1)
    _dictionary(writer, levels, endless)
    writer.end()
    return bytes(writer.out)


def _dictionary(writer: Writer, level: int, endless: bool) -> int:
    number = writer._objects  # noqa: SLF001 - what a reference has to name
    writer.object("NSDictionary")
    writer.shared("i")
    writer.integer(2)
    writer.string("a")
    again = _dictionary(writer, level - 1, endless) if level else number
    if not level:
        writer.string("end")
    writer.string("b")
    if level or endless:
        writer.shared("@")
        writer.integer(again + FIRST_REFERENCE)
    else:
        writer.string("")
    writer.end()
    return number


def archives() -> Iterator[tuple[str, bytes]]:
    """Payloads of a link preview and of an app, a detected link, and archives that do not hold together."""
    made = Archive()
    members = {"URL": made.url("https://example.com/?a=1"), "title": "Cake", "summary": "Twelve steps"}
    preview = made.instance(["LPLinkMetadata", "NSObject"], members)
    yield "link-preview", made.stored(made.dictionary({"richLinkMetadata": preview, "richLinkIsPlaceholder": False}))
    kinds: list[Any] = [
        "$null",
        {
            "NS.keys": [UID(2), UID(3), UID(4), UID(5)],
            "NS.objects": [UID(6), UID(7), UID(8), UID(9)],
            "$class": UID(10),
        },
        *("ldtext", "sessionIdentifier", "date", "set"),
        {"NS.string": "word", "$class": UID(11)},
        {"NS.uuidbytes": bytes(range(16)), "$class": UID(12)},
        {"NS.time": 700_000_000.5, "$class": UID(13)},
        {"NS.objects": [UID(0), UID(14)], "$class": UID(15)},
        *({"$classname": name, "$classes": [name, "NSObject"]} for name in ("NSDictionary", "NSString", "NSUUID")),
        {"$classname": "NSDate"},
        {"NS.rangeval.location": 3, "NS.rangeval.length": 4, "NS.special": 4, "$class": UID(16)},
        {"$classname": "NSMutableSet", "$classes": ["NSMutableSet", "NSSet", "NSObject"]},
        {"$classname": "NSValue", "$classes": ["NSValue", "NSObject"]},
    ]
    yield "every-class", _archived(kinds)
    found = [{"MS": "noon", "T": "Date", "SR": [UID(1)], "$class": UID(2)}, {"$classname": "DDScannerResult"}]
    yield "other-key", _archived(["$null", *found], {"dd-result": UID(1)})
    yield "contains-itself", _archived(["$null", [UID(1), {"again": UID(1)}]])
    yield "multiplies", _archived(["$null", *([UID(step + 2)] * 4 for step in range(12)), "end"])
    yield "no-such-object", _archived(["$null", UID(9)])
    yield "class-is-no-class", _archived(["$null", {"$class": UID(0), "a": dt.datetime(2001, 1, 1)}])  # noqa: DTZ001
    yield "two-keys", _archived(["$null", 1, b"2"], {"one": UID(1), "two": UID(2)})


def _archived(objects: list[Any], top: Mapping[str, UID] | None = None) -> bytes:
    whole = {"$archiver": "NSKeyedArchiver", "$version": 100_000, "$top": top or {"root": UID(1)}, "$objects": objects}
    return plistlib.dumps(whole, fmt=plistlib.FMT_BINARY)


def summaries() -> Iterator[tuple[str, bytes]]:
    """Summaries of edits and unsent parts, of tapbacks and translations, and ones whose types are other ones."""
    edited = {"0": [{"t": OLDER, "d": 7e8}, {"t": HI, "d": 7e8 + 60, "bcg": "6A0B-1"}]}
    places = {"0": {"lo": 0, "le": 5}, "1": {"lo": 5, "le": 9}}
    trees: dict[str, Any] = {
        "edited": {"ec": edited, "ep": [0], "euh": ["+12025550171"], "ust": True, "amc": 0},
        "unsent": {"rp": [1], "otr": places, "ust": True, "euh": ["a", "b"]},
        "edited-then-unsent": {"ec": edited, "rp": [0, 0, "1"], "otr": places},
        "quote": {"ams": "Loved “hi”", "amsa": "com.apple.siri", "amc": 1},
        "translated": {"tmp": _translation()},
        "other-types": {"ec": [1], "rp": {"0": 1}, "otr": 3, "euh": "one", "ams": b"x", "tmp": "none", "new": [[]]},
        "odd-versions": {"ec": {"x": [], "1": 5, "2": [{}, 3, {"t": "plain", "d": float("inf")}, {"t": b"\x04\x0b"}]}},
        "odd-times": {"ec": {"0": [{"t": HI, "d": -1e300}, {"t": HI, "d": dt.datetime(2024, 1, 1)}]}},  # noqa: DTZ001
    }
    for name, tree in trees.items():
        yield name, plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)
    yield "no-dictionary", plistlib.dumps([1], fmt=plistlib.FMT_BINARY)
    yield "no-list", b"\x04\x0bstreamtyped"


def _translation() -> bytes:
    words = {"NSString": UID(6), "$class": UID(9)}
    told = {"NS.keys": [UID(3), UID(4)], "NS.objects": [UID(5), UID(7)], "$class": UID(10)}
    parts = {"NS.keys": [UID(8)], "NS.objects": [UID(11)], "$class": UID(10)}
    kinds = [{"$classname": name, "$classes": [name, "NSObject"]} for name in ("NSAttributedString", "NSDictionary")]
    objects = ["$null", parts, told, "translatedText", "translationLanguage", words, "Bonjour", "fr", 0, *kinds]
    kept = {"NS.objects": [UID(2)], "$class": UID(12)}
    return _archived([*objects, kept, {"$classname": "NSArray", "$classes": ["NSArray", "NSObject"]}])


def protocol_buffers() -> Iterator[tuple[str, bytes]]:
    """Each wire type, and fields that break off."""
    yield "empty", b""
    yield "every-type", _number(1, 300) + _bytes(2, b"in") + _fixed(3, "<Q", 2**63) + _fixed(4, "<f", 0.5)
    yield "longest-number", _key(15, 0) + b"\xff" * 9 + b"\x01"
    yield "padded-number", _key(1, 0) + b"\x80\x80\x00"
    yield "high-field", _number(2**29 - 1, 1) + _number(16, 0)
    yield "nested", _bytes(1, _bytes(1, _bytes(1, _number(1, 1))))
    yield "cut", _bytes(1, b"whole")[:-2]
    yield "group", _key(1, 3) + _key(1, 4)
    yield "length-past-the-end", _key(1, 2) + b"\xff\xff\xff\xff\x0f"


def handwritings() -> Iterator[tuple[str, bytes]]:
    """Drawings as they are and packed, and ones whose counts do not fit."""
    points = [[(-5, 10, 40), (0, 0, 41), (300, -200, 42)], [(1, 1, 3)]]
    plain = b"".join(struct.pack("<H", len(stroke)) + b"".join(map(_inked, stroke)) for stroke in points)
    packed = lzma.compress(plain, preset=0)
    yield "plain", _drawing(plain, 2)
    yield "packed", _drawing(packed, 2, packing=4, size=len(plain))
    yield "built-in", _drawing(plain, 2, at=0)
    yield "wrong-size", _drawing(packed, 2, packing=4, size=3)
    yield "too-many-strokes", _drawing(plain, 2**31)
    yield "other-packing", _drawing(plain, 2, packing=2, size=9)
    yield "cut", _drawing(plain, 2)[:-9]
    yield "bomb", _drawing(lzma.compress(bytes(200_000), preset=0), 1, packing=4, size=200_000)
    line = struct.pack("<H", 1000) + b"".join(_inked((10 * step, step % 9, 40)) for step in range(1000))
    yield "many-points", _drawing(lzma.compress(line * 9, preset=0), 9, packing=4, size=len(line) * 9)
    yield "no-drawing", _fixed(2, "<q", 5) + _bytes(3, b"id")


def _inked(point: tuple[int, int, int]) -> bytes:
    return struct.pack("<4H", *((each & 0xFFFF) ^ SIGN for each in point), SIGN ^ 0xFFFF)


def _drawing(content: bytes, strokes: int, *, packing: int = 1, size: int | None = None, at: int = 7 * 10**11) -> bytes:
    canvas = struct.pack("<2H", 512 ^ SIGN, 256 ^ SIGN)
    frame = struct.pack("<4H", *(each ^ SIGN for each in (0, 0, 300, 200)))
    told = _number(6, len(content) if size is None else size) + _number(7, 4) + _bytes(8, content)
    inner = _bytes(2, canvas) + _bytes(3, frame) + _number(4, strokes) + _number(5, packing) + told
    return _fixed(2, "<q", at) + _bytes(3, b"2F6A-4B1C") + _bytes(4, inner)


def touches() -> Iterator[tuple[str, bytes]]:
    """Digital Touch of every kind, and one that is none."""
    points = struct.pack("<4H", 1000, 2000, 65535, 0)
    colours = bytes.fromhex("ff0000ff00ff00ff")
    delays = struct.pack("<2H", 120, 5)
    line = struct.pack("<2H", 0, 2) + points
    flight = struct.pack("<f", 0.25), struct.pack("<f", 0.75)
    yield "tap", _touch(1, _bytes(2, delays) + _bytes(3, points) + _bytes(4, colours))
    beats = b"".join(_key(number, 5) + bytes(4) for number in (3, 4, 5))
    broken = _fixed(1, "<f", 72.5) + _number(2, 6) + beats + _fixed(6, "<f", 3.5)
    yield "heartbeat", _touch(3, broken)
    yield "sketch", _touch(4, _number(1, 2) + _bytes(2, line * 2) + _bytes(3, colours))
    yield "sketch-cut", _touch(4, _number(1, 2) + _bytes(2, line + line[:-3]) + _bytes(3, colours[:4]))
    yield "kiss", _touch(7, _bytes(1, delays) + _bytes(2, points) + _bytes(3, struct.pack("<2H", 1571, 0)))
    begun = _key(2, 5) + flight[0] + _key(3, 5) + flight[1]
    yield "fireball", _touch(8, _fixed(1, "<f", 2.0) + begun + _bytes(4, delays) + _bytes(5, points))
    objects = ["$null", {"NS.objects": [UID(2)], "$class": UID(3)}, _touch(7, _bytes(2, points))]
    over = _archived([*objects, {"$classname": "NSArray", "$classes": ["NSArray", "NSObject"]}])
    yield "photo", _touch(6, _bytes(2, over) + _number(4, 2))
    yield "unknown-kind", _touch(99, _bytes(1, b"?"))
    yield "empty", b""


def _touch(kind: int, inner: bytes) -> bytes:
    ends = _number(6, 0) + _number(7, 0)
    return _number(1, kind) + _fixed(2, "<Q", 0) + _bytes(3, inner) + _key(4, 5) + b"\xff\x80\x40\x20" + _bytes(
        5, b"4C1D-22"
    ) + ends  # fmt: skip


def balloons() -> Iterator[tuple[str, bytes]]:
    """A byte that chooses the app, and what it could have sent."""
    previews = dict(archives())
    yield "link-preview", b"\x01" + previews["link-preview"]
    yield "link-without-id", b"\x00" + previews["link-preview"]
    song = {"$class": ["LPiTunesMediaSongMetadata"], "name": "Song", "artist": "A", "lyricExcerpt": {"lyrics": "la"}}
    yield "music", b"\x01" + _preview(specialization=song)
    program = {"$class": ["LPiTunesMediaSoftwareMetadata"], "name": "App", "platform": "iOS", "genre": "Games"}
    yield "app-store", b"\x01" + _preview(specialization=program)
    place = {"$class": ["LPMapMetadata"], "name": "Café", "addressComponents": {"_street": "1 Way", "_city": "Town"}}
    yield "place", b"\x01" + _preview(specialization2=place)
    shared = {"$class": ["_SWCollaborationMetadata"], "title": "Notes", "collaborationIdentifier": "c"}
    yield "collaboration", b"\x01" + _preview(collaborationMetadata=shared)
    yield "handwriting", b"\x02" + dict(handwritings())["plain"]
    yield "digital-touch", b"\x03" + dict(touches())["kiss"]
    options = [{"optionIdentifier": "1", "text": "yes", "creatorHandle": "+1", "canBeEdited": True}]
    poll = {"version": 1, "item": {"title": "?", "creatorHandle": "+1", "orderedPollOptions": options}}
    vote = {"item": {"votes": [{"voteOptionIdentifier": "1", "participantHandle": "+1", "serverVoteTime": 7e8}]}}
    yield "poll", b"\x05" + _extension(URL=_data(poll) + "?src=p&c=1", ldtext="Poll")
    yield "vote", b"\x05" + _extension(URL=_data(vote))
    yield "apple-cash", b"\x06" + _extension(URL="data:application/vnd.apple.pkppm;base64,AAEC", ldtext="$5 Payment")
    yield "fitness", b"\x07" + _extension(an="Fitness", userInfo={"caption": "closed"})
    yield "slideshow", b"\x08" + _extension(URL="https://share.example.com/photos/#0a", ldtext="2 photos")
    times = "messageType=1&estimatedEndTime=1700000000.5&triggerTime=1e9&sendDate=-1"
    yield "check-in", b"\x09" + _extension(URL=f"?{times}", userInfo={"caption": "Check In: at home"})
    yield "find-my", b"\x0a" + _extension(URL="?FindMyMessagePayloadVersionKey=v0&FindMyMessagePayloadZippedDataKey=x")
    reply = b'{"quick-reply":{"items":[{"title":"a","identifier":"1"}],"selectedIndex":0,"summaryText":"s"}}'
    picker = b'{"listPicker":{"sections":[{"items":[{"title":"a"}]}]},"receivedMessage":{"title":"t"}}'
    form = b'{"dynamic":{"data":{"selections":[{"subtitle":"s","items":[{"title":"t"}]}]}}}'
    for name, data in (("quick-reply", reply), ("list-picker", picker), ("form", form)):
        yield name, b"\x0b" + _extension(data=data, URL="?x")
    session = {"$class": ["NSUUID"], "NS.uuidbytes": bytes(16)}
    yield "game", b"\x0c" + _extension(URL="data:?ver=48&data=abc", sessionIdentifier=session, layoutClass="L")
    yield "unknown", b"\x0d" + _extension(ai=b"\x89PNG", appid=7, liveLayoutInfo=_archived(["$null", "inner"]))
    yield "no-payload", b"\x01"
    yield "other-codec", b"\x0d" + _bytes(1, b"abc")


def _preview(**members: Any) -> bytes:
    url = {"$class": ["NSURL"], "NS.base": None, "NS.relative": "https://example.com"}
    return _tree({"richLinkMetadata": {"$class": ["LPLinkMetadata"], "URL": url, "title": "T", **members}})


def _extension(**members: Any) -> bytes:
    if isinstance(address := members.get("URL"), str):
        members["URL"] = {"$class": ["NSURL"], "NS.base": None, "NS.relative": address}
    return _tree(members)


def _data(tree: Any) -> str:
    return "data:," + base64.urlsafe_b64encode(json.dumps(tree).encode()).decode().rstrip("=")


def _tree(root: Any) -> bytes:
    """Dictionaries, lists and scalars as an archive; `$class` in a dictionary makes it an object with those members."""
    objects: list[Any] = ["$null"]

    def add(value: Any) -> UID:
        if value is None:
            return UID(0)
        objects.append(value)
        uid = UID(len(objects) - 1)
        if isinstance(value, list):
            objects[uid.data] = {"NS.objects": [add(each) for each in value], "$class": kind("NSArray")}
        elif isinstance(value, dict) and "$class" in value:
            members = {key: add(each) for key, each in value.items() if key not in ("$class", "NS.uuidbytes")}
            raw = {key: each for key, each in value.items() if key == "NS.uuidbytes"}
            objects[uid.data] = {**members, **raw, "$class": kind(*value["$class"])}
        elif isinstance(value, dict):
            keys, values = [add(key) for key in value], [add(each) for each in value.values()]
            objects[uid.data] = {"NS.keys": keys, "NS.objects": values, "$class": kind("NSDictionary")}
        return uid

    def kind(name: str) -> UID:
        objects.append({"$classname": name, "$classes": [name, "NSObject"]})
        return UID(len(objects) - 1)

    return _archived(objects, {"root": add(root)})


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _number(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _varint(len(value)) + value


def _fixed(field: int, form: str, value: float) -> bytes:
    packed = struct.pack(form, value)
    return _key(field, 1 if len(packed) == 8 else 5) + packed
