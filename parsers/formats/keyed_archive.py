"""The keyed archive: objects written by NSKeyedArchiver, a flat property list in which UIDs point at each other.

On the phone the payloads of app balloons and link previews (`message.payload_data`), detected dates and addresses
inside attributes, translations. Known from real payloads: `$objects` holds everything, `$top` names the entry (`root`,
or one other key such as `dd-result`), object 0 is `$null`, and `$class` of an object points at its class with
`$classname` and `$classes`. The keys of the Foundation classes (`NS.keys`, `NS.objects`, `NS.relative` …) are Apple's.
"""

from __future__ import annotations

import plistlib
import uuid
from collections.abc import Callable

from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.binary_plist import MAX_DEPTH, Date
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.expansion import Expansion
from bagtag.parsers.formats.foundation import Range, Unknown, Url, Value

CLASS = "$class"
ROOT = "root"
NULL = "$null"
CYCLE = "contains itself"

Stored = binary_plist.Value
Members = dict[str | int, Stored]
Mapping = dict[str | int, Value]


def read(data: bytes) -> Value:
    """The archived value: that of `root`, else that of the only key of `$top`, else a dict of all its keys.

    Foundation classes become plain values (sets are lists, NSUUID is its text in capitals). An object of another class,
    or one whose keys are not those of its class, is a dict of its members with the class name under `$class`;
    NSAttributedString is one of these, its text under `NSString`. An object met again inside itself is an `Unknown`.

    Raises `MalformedError` for anything that is no keyed archive, for references to objects that do not exist, and when
    references multiply the archive beyond what one of its size holds (`Expansion`) or `MAX_DEPTH` levels.
    """
    match binary_plist.read(data):
        case {"$objects": list() as objects, "$top": dict() as top} if top:
            archive = _Archive(objects, Expansion(len(data)))
            if ROOT in top:
                return archive.value(top[ROOT])
            if len(top) == 1:
                return archive.value(next(iter(top.values())))
            return archive.mapping(top)
    raise MalformedError("a property list that is no keyed archive")


class _Archive:
    __slots__ = ("depth", "expansion", "objects", "opened")

    def __init__(self, objects: list[Stored], expansion: Expansion) -> None:
        self.objects = objects
        self.expansion = expansion
        self.depth = 0
        self.opened: set[int] = set()

    def value(self, stored: Stored) -> Value:
        self.expansion.value()
        if not isinstance(stored, (plistlib.UID, list, dict)):
            if isinstance(stored, (str, bytes)):
                self.expansion.text(len(stored))
            return stored
        if self.depth >= MAX_DEPTH:
            raise MalformedError(f"references nest more than {MAX_DEPTH} deep")
        self.depth += 1
        try:
            if isinstance(stored, plistlib.UID):
                return self.referred(stored.data)
            return self.instance(stored) if isinstance(stored, dict) else list(map(self.value, stored))
        finally:
            self.depth -= 1

    def referred(self, number: int) -> Value:
        stored = self.object(number)
        if number == 0 and stored == NULL:
            return None
        if number in self.opened:
            return Unknown(self.class_names(stored)[0] if isinstance(stored, dict) else "", note=CYCLE)
        self.opened.add(number)
        try:
            return self.instance(stored) if isinstance(stored, dict) else self.value(stored)
        finally:
            self.opened.discard(number)

    def object(self, number: int) -> Stored:
        if number >= len(self.objects):
            raise MalformedError(f"a reference to object {number} of {len(self.objects)}")
        return self.objects[number]

    def class_names(self, stored: Members) -> tuple[str, list[str]]:
        """(name of the class or empty, that name and those of its ancestors)."""
        reference = stored.get(CLASS)
        if not isinstance(reference, plistlib.UID):
            return "", []
        match self.object(reference.data):
            case {"$classname": str() as name, "$classes": list() as lineage}:
                return name, [name, *(each for each in lineage if isinstance(each, str) and each != name)]
            case {"$classname": str() as name}:
                return name, [name]
        raise MalformedError(f"object {reference.data} is no class")

    def instance(self, stored: Members) -> Value:
        name, lineage = self.class_names(stored)
        for known in lineage:
            if known in CLASSES:
                plain = CLASSES[known](self, stored)
                if plain is not MISFIT:
                    return plain
                break
        whole = self.mapping(stored)
        return {CLASS: name, **whole} if name else whole

    def mapping(self, stored: Members) -> Mapping:
        return {key: self.value(member) for key, member in stored.items() if key != CLASS or not _is_uid(member)}


def _is_uid(stored: Stored) -> bool:
    return isinstance(stored, plistlib.UID)


MISFIT = Unknown("", note="keys are not those of the class")


def _dictionary(archive: _Archive, stored: Members) -> Value:
    match stored:
        case {"NS.keys": list() as keys, "NS.objects": list() as members} if len(keys) == len(members):
            made: Mapping = {}
            for key in map(archive.value, keys):
                if not isinstance(key, (str, int)) or key in made:
                    return MISFIT  # such a dictionary has no plain form
                made[key] = None
            for key, member in zip(made, members, strict=True):
                made[key] = archive.value(member)
            return made
    return MISFIT


def _array(archive: _Archive, stored: Members) -> Value:
    members = stored.get("NS.objects")
    return list(map(archive.value, members)) if isinstance(members, list) else MISFIT


def _string(archive: _Archive, stored: Members) -> Value:
    plain = archive.value(stored.get("NS.string"))
    return plain if isinstance(plain, str) else MISFIT


def _data(archive: _Archive, stored: Members) -> Value:
    plain = archive.value(stored.get("NS.data"))
    return plain if isinstance(plain, bytes) else MISFIT


def _date(archive: _Archive, stored: Members) -> Value:
    seconds = archive.value(stored.get("NS.time"))
    return Date(float(seconds)) if isinstance(seconds, int | float) else MISFIT


def _uuid(archive: _Archive, stored: Members) -> Value:
    raw = archive.value(stored.get("NS.uuidbytes"))
    return str(uuid.UUID(bytes=raw)).upper() if isinstance(raw, bytes) and len(raw) == 16 else MISFIT


def _url(archive: _Archive, stored: Members) -> Value:
    relative, base = archive.value(stored.get("NS.relative")), archive.value(stored.get("NS.base"))
    if not isinstance(relative, str):
        return MISFIT
    if base is None:
        return Url(relative)
    return Url(relative, base.text) if isinstance(base, Url) and base.base is None else MISFIT


def _range(archive: _Archive, stored: Members) -> Value:
    location = archive.value(stored.get("NS.rangeval.location"))
    length = archive.value(stored.get("NS.rangeval.length"))
    return Range(location, length) if isinstance(location, int) and isinstance(length, int) else MISFIT


def _null(_: _Archive, __: Members) -> Value:
    return None


CLASSES: dict[str, Callable[[_Archive, Members], Value]] = {
    "NSDictionary": _dictionary,
    "NSArray": _array,
    "NSSet": _array,
    "NSOrderedSet": _array,
    "NSString": _string,
    "NSData": _data,
    "NSDate": _date,
    "NSUUID": _uuid,
    "NSURL": _url,
    "NSValue": _range,
    "NSNull": _null,
}
