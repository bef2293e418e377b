"""Objects of a typedstream as Foundation values: what NSUnarchiver would make of them, without running any class.

Each class writes its own body. The bodies below are known from real message bodies: NSString is `+`, NSNumber a type
code as `*` and then a group of that type, NSDictionary a count `i` and then keys and values, and so on. A subclass
begins with the body of its parent, so NSMutableString reads as NSString. A body that differs in any way is kept whole
as `Unknown`.
"""

from __future__ import annotations

from collections.abc import Callable

from bagtag.extract.formats.binary_plist import MAX_DEPTH, Date, text
from bagtag.extract.formats.malformed import MalformedError, warn
from bagtag.parsers.formats import archived_object
from bagtag.parsers.formats.archived_object import Class, Object
from bagtag.parsers.formats.expansion import Expansion
from bagtag.parsers.formats.foundation import Range, Unknown, Url, Value

CYCLE = "contains itself"
MISFIT = "body is not that of its class"
RANGES = frozenset(["{_NSRange=QQ}", "{_NSRange=II}", "{_NSRange=LL}"])


class _MisfitError(Exception):
    """The body is not what the class writes."""


class Unarchiver:
    """Turns the objects of one archive into values; `warnings` is the list given, which grows.

    One of these serves one archive: it bounds how much the references of a hostile stream can be multiplied out.
    """

    __slots__ = ("_depth", "_open", "expansion", "warnings")

    def __init__(self, warnings: list[str], expansion: Expansion) -> None:
        self.warnings = warnings
        self.expansion = expansion
        self._depth = 0
        self._open: set[int] = set()

    def value(self, archived: archived_object.Value) -> Value:
        """The value of anything a typedstream can hold.

        Raises `MalformedError` when references multiply the stream beyond its `expansion` or `MAX_DEPTH` levels.
        """
        self.expansion.value()
        if isinstance(archived, Object):
            plain = self.string(archived)  # most objects are strings, and those hold no others
            if plain is not None:
                return plain
        if isinstance(archived, (Object, tuple)):
            if self._depth >= MAX_DEPTH:
                raise MalformedError(f"references nest more than {MAX_DEPTH} deep")
            self._depth += 1
            try:
                return self._object(archived) if isinstance(archived, Object) else tuple(map(self.value, archived))
            finally:
                self._depth -= 1
        if isinstance(archived, Class):
            return Unknown("Class", (), (("#", archived.lineage),))
        return archived

    def string(self, archived: archived_object.Value) -> str | None:
        """The text of an NSString or a subclass; None for anything else."""
        if isinstance(archived, Object) and "NSString" in archived.kind.lineage:
            try:
                return _string(self, archived)
            except _MisfitError:
                return None
        return None

    def _object(self, archived: Object) -> Value:
        kind, key = archived.kind, id(archived)
        if key in self._open:
            warn(self.warnings, f"{kind.name} {CYCLE}")
            return Unknown(kind.name, kind.lineage[1:], (), CYCLE)
        self._open.add(key)
        try:
            for name in kind.lineage:
                if name in BODIES:
                    return BODIES[name](self, archived)
            return self._whole(archived, "")
        except _MisfitError:
            warn(self.warnings, f"{kind.name}: {MISFIT}")
            return self._whole(archived, MISFIT)
        finally:
            self._open.discard(key)

    def _whole(self, archived: Object, note: str) -> Unknown:
        groups = tuple([(group.encoding, tuple(map(self.value, group.values))) for group in archived.groups])
        return Unknown(archived.kind.name, archived.kind.lineage[1:], groups, note)


def _string(unarchiver: Unarchiver, archived: Object) -> str:
    groups = archived.groups
    if len(groups) == 1 and groups[0].encoding == "+":
        raw = groups[0].values[0]
        if isinstance(raw, bytes):
            unarchiver.expansion.text(len(raw))
            decoded, trouble = text(raw)
            if trouble:
                warn(unarchiver.warnings, trouble)
            return decoded
    raise _MisfitError


def _data(unarchiver: Unarchiver, archived: Object) -> bytes:
    match archived.groups:
        case [("i", (0,))]:
            return b""
        case [("i", (length,)), (_, (bytes() as raw,))] if length == len(raw):
            unarchiver.expansion.text(len(raw))
            return raw
    raise _MisfitError


def _number_or_value(_: Unarchiver, archived: Object) -> Value:
    match archived.groups:
        case [("*", (code,)), (encoding, (int() | float() as number,))] if code == encoding:
            return number
        case [("*", (code,)), (encoding, ((int() as location, int() as length),))] if code == encoding in RANGES:
            return Range(location, length)
    raise _MisfitError


def _date(_: Unarchiver, archived: Object) -> Date:
    match archived.groups:
        case [("d", (float() as seconds,))]:
            return Date(seconds)
    raise _MisfitError


def _url(unarchiver: Unarchiver, archived: Object) -> Url:
    match archived.groups:
        case [("c", (0,)), ("@", (absolute,))]:
            address = unarchiver.string(absolute)
            if address is not None:
                return Url(address)
        case [("c", (1,)), ("@", (base,)), ("@", (relative,))]:
            address, above = unarchiver.string(relative), unarchiver.value(base)
            if address is not None and isinstance(above, Url) and above.base is None:
                return Url(address, above.text)
    raise _MisfitError


def _members(archived: Object, count_type: str, each: int) -> list[archived_object.Value]:
    groups = archived.groups
    if groups and groups[0].encoding == count_type:
        count = groups[0].values[0]
        members = [group.values[0] for group in groups[1:] if group.encoding == "@"]
        if isinstance(count, int) and count * each == len(members) == len(groups) - 1:
            return members
    raise _MisfitError


def _array(unarchiver: Unarchiver, archived: Object) -> list[Value]:
    return list(map(unarchiver.value, _members(archived, "i", 1)))


def _set(unarchiver: Unarchiver, archived: Object) -> list[Value]:
    return list(map(unarchiver.value, _members(archived, "I", 1)))


def _dictionary(unarchiver: Unarchiver, archived: Object) -> dict[str | int, Value]:
    members = _members(archived, "i", 2)
    made: dict[str | int, Value] = {}
    for key in map(unarchiver.value, members[::2]):
        if not isinstance(key, (str, int)) or key in made:
            raise _MisfitError  # such a dictionary has no plain form
        made[key] = None
    for key, member in zip(made, members[1::2], strict=True):
        made[key] = unarchiver.value(member)
    return made


BODIES: dict[str, Callable[[Unarchiver, Object], Value]] = {
    "NSString": _string,
    "NSData": _data,
    "NSValue": _number_or_value,
    "NSDate": _date,
    "NSURL": _url,
    "NSArray": _array,
    "NSSet": _set,
    "NSDictionary": _dictionary,
}
