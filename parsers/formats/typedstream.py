"""typedstream: Apple's archive format before property lists (NSArchiver), still the form of message bodies.

On the phone it is the column `message.attributedBody` of sms.db, the versions of edited messages and the deleted parts.
Apple never documented it; the rules below are known from real message bodies and from public descriptions, and the
independent reader pytypedstream judges this one in the tests.

    04 0B "streamtyped" 81 E8 03        streamer version, name (its spelling tells the byte order), system version 1000
    group, group, …                     to the end; Messages writes exactly one

A *group* is a type encoding and one value for each type in it. A *head* is the byte that begins most values: 81, 82 and
87 announce an integer of 2, 4 or 8 bytes, 83 a raw float, 84 something new, 85 nil, 86 the end of an object; 80 to 91
are reserved, and every other byte is a small integer itself. A *reference* to something met before is the integer
number - 110. Numbers are given in two tables: shared strings (encodings, names), and objects (objects, classes and
C-strings together).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from bagtag.extract.formats.malformed import MalformedError, warn
from bagtag.parsers.formats.archived_object import NOT_READ_YET, Class, Group, Object, Value, archived_class
from bagtag.parsers.formats.type_encoding import ArrayType, StructType, Type, least_bytes, split

INTEGER_WIDTHS = {0x81: 2, 0x82: 4, 0x87: 8}
FLOAT, NEW, NIL, END = 0x83, 0x84, 0x85, 0x86
FIRST_LITERAL = 0x92  # 0x80 to 0x91 are reserved for heads
FIRST_REFERENCE = -110  # what the literal 0x92 means as a signed byte
STREAMER_VERSION, SYSTEM_VERSION = 4, 1000
BYTE_ORDERS: dict[bytes, Literal["little", "big"]] = {b"streamtyped": "little", b"typedstream": "big"}
HEADER_LENGTH = 13
SIGNED = frozenset("silq")
UNSIGNED = frozenset("SILQ")
MAX_DEPTH = 128
MAX_LINEAGE = 64
MAX_CLASS_NAME = 1024
SHORT = 256  # names up to this many bytes are decoded once per process


@dataclass(slots=True)
class Archive:
    """A whole stream: its groups in order, and what was odd about it.

    `byte_strings` are (start, end) of the content of each byte string; in a body the first is that of the text.
    """

    groups: list[Group]
    warnings: list[str] = field(default_factory=list)
    byte_strings: list[tuple[int, int]] = field(default_factory=list)

    @property
    def root(self) -> Value:
        """The first value of the first group, which is the archived object; None if the group is empty."""
        return next(iter(self.groups[0].values), None)


def read(data: bytes) -> Archive:
    """The stream as values, with every class kept.

    Bytes after the first group are read as further groups as far as they go; they are a warning either way.

    Raises `MalformedError` when the header or the first group cannot be read.
    """
    reader = _Reader(data)
    try:
        reader.header()
        groups = [reader.group(0)]
    except IndexError:
        # Every slice is checked; an index out of range can only be `data[pos]` at the end of the data.
        raise MalformedError("the stream ends in the middle of a value", len(data)) from None
    if reader.pos < len(data):
        reader.trailing(groups)
    return Archive(groups, reader.warnings, reader.byte_strings)


def _text(raw: bytes) -> str:
    # Names are ASCII in every stream seen; other bytes stay legible and can be written anywhere.
    return raw.decode("utf-8", "backslashreplace")


_short_text = lru_cache(maxsize=256)(_text)


class _Reader:
    __slots__ = ("byte_strings", "data", "encodings", "objects", "order", "pos", "strings", "warnings")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0
        self.order: Literal["little", "big"] = "little"
        self.strings: list[str] = []
        self.objects: list[Object | Class | str | None] = []  # None: a class whose parents are still being read
        self.encodings: dict[str, tuple[Type, ...]] = {}
        self.warnings: list[str] = []
        self.byte_strings: list[tuple[int, int]] = []

    def header(self) -> None:
        order = BYTE_ORDERS.get(self.data[2:HEADER_LENGTH])
        if order is None or self.data[1] != HEADER_LENGTH - 2:
            raise MalformedError("no typedstream header", 0)
        if self.data[0] != STREAMER_VERSION:
            raise MalformedError(f"streamer version {self.data[0]}, only {STREAMER_VERSION} is known", 0)
        self.order = order
        self.pos = HEADER_LENGTH
        system_version = self.integer(signed=False)
        if system_version != SYSTEM_VERSION:
            warn(self.warnings, f"system version {system_version} instead of {SYSTEM_VERSION}")

    def trailing(self, groups: list[Group]) -> None:
        start = self.pos
        try:
            while self.pos < len(self.data):
                groups.append(self.group(0))
        except (MalformedError, IndexError):
            warn(self.warnings, f"{len(self.data) - start} bytes after the first group (at byte {start})")
        else:
            warn(self.warnings, f"{len(groups)} groups instead of one (the second at byte {start})")

    def group(self, depth: int) -> Group:
        at = self.pos
        number = self.data[at] - FIRST_LITERAL
        if 0 <= number < len(self.strings):  # an encoding met before, in one byte: nearly every group
            self.pos = at + 1
            encoding: str | None = self.strings[number]
        else:
            encoding = self.shared_string()
        if encoding == "@":
            return Group(encoding, (self.object(depth),))
        if encoding == "i":
            return Group(encoding, (self.integer(signed=True),))
        if encoding == "+":
            return Group(encoding, (self.byte_string(),))
        if encoding == "iI":
            return Group(encoding, (self.integer(signed=True), self.integer(signed=False)))
        if encoding is None:
            raise MalformedError("a group without a type encoding", at)
        types = self.encodings.get(encoding)
        if types is None:
            try:
                types = self.encodings[encoding] = split(encoding)
            except MalformedError as trouble:
                raise MalformedError(trouble.what, at) from None
        return Group(encoding, tuple([self.value(each, depth) for each in types]))

    def value(self, of: Type, depth: int) -> Value:
        if not isinstance(of, str):
            return self.compound(of, depth)
        if of in SIGNED:
            return self.integer(signed=True)
        if of in UNSIGNED:
            return self.integer(signed=False)
        if of in "cCB":
            byte = self.data[self.pos]
            self.pos += 1
            return byte - 256 if of == "c" and byte > 0x7F else byte
        if of in "fd":
            return self.float(of)
        if of == "@":
            return self.object(depth)
        if of == "*":
            return self.c_string()
        if of == "+":
            return self.byte_string()
        if of == "#":
            return self.class_chain()
        return self.shared_string()  # an atom or a selector

    def compound(self, of: ArrayType | StructType, depth: int) -> Value:
        if depth >= MAX_DEPTH:
            raise MalformedError(f"values nested more than {MAX_DEPTH} deep", self.pos)
        if least_bytes(of) > len(self.data) - self.pos:
            raise MalformedError(f"a value of at least {least_bytes(of)} bytes is longer than the stream", self.pos)
        if isinstance(of, StructType):
            return tuple([self.value(member, depth + 1) for member in of.members])
        if of.element in ("c", "C"):
            start = self.pos
            self.pos += of.count
            return self.data[start : self.pos]
        return tuple([self.value(of.element, depth + 1) for _ in range(of.count)])

    def object(self, depth: int) -> Object | None:
        head = self.data[self.pos]
        if head == NIL:
            self.pos += 1
            return None
        at = self.pos
        if head != NEW:
            target = self.referred()
            if not isinstance(target, Object):
                raise MalformedError("a reference to something that is no object", at)
            return target
        if depth >= MAX_DEPTH:
            raise MalformedError(f"objects nested more than {MAX_DEPTH} deep", at)
        self.pos += 1
        groups: list[Group] = []
        made = Object(NOT_READ_YET, groups)
        self.objects.append(made)  # an object takes its number before its class does
        kind = self.class_chain()
        if kind is None:
            raise MalformedError("an object without a class", at)
        made.kind = kind
        while self.data[self.pos] != END:
            groups.append(self.group(depth + 1))
        self.pos += 1
        return made

    def class_chain(self) -> Class | None:
        unfinished: list[tuple[int, str, int]] = []
        known: Class | None = None
        while self.data[self.pos] == NEW:
            at = self.pos
            self.pos += 1
            number = len(self.objects)
            self.objects.append(None)
            name = self.shared_string()
            if name is None:
                raise MalformedError("a class without a name", at)
            if len(name) > MAX_CLASS_NAME:
                raise MalformedError(f"a class name of {len(name)} characters", at)
            unfinished.append((number, name, self.integer(signed=True)))
            if len(unfinished) > MAX_LINEAGE:
                raise MalformedError(f"a class with more than {MAX_LINEAGE} ancestors", at)
        at = self.pos
        if self.data[at] == NIL:
            self.pos += 1
        else:
            target = self.referred()
            if not isinstance(target, Class):
                raise MalformedError("a reference to something that is no finished class", at)
            known = target
            if len(known.lineage) + len(unfinished) > MAX_LINEAGE:
                raise MalformedError(f"a class with more than {MAX_LINEAGE} ancestors", at)
        for number, name, version in reversed(unfinished):
            known = self.objects[number] = archived_class(name, version, known)
        return known

    def c_string(self) -> str | None:
        at = self.pos
        head = self.data[at]
        if head == NIL:
            self.pos += 1
            return None
        if head != NEW:
            target = self.referred()
            if not isinstance(target, str):
                raise MalformedError("a reference to something that is no C-string", at)
            return target
        self.pos += 1
        number = len(self.objects)
        self.objects.append(None)
        text = self.shared_string()
        if text is None:
            raise MalformedError("a new C-string without text", at)
        self.objects[number] = text
        return text

    def shared_string(self) -> str | None:
        at = self.pos
        head = self.data[at]
        if head == NEW:
            self.pos = at + 1
            raw = self.counted_bytes()
            text = _short_text(raw) if len(raw) <= SHORT else _text(raw)
            self.strings.append(text)
            return text
        if head >= FIRST_LITERAL:  # numbers 0 to 109, by far the most frequent form
            number = head - FIRST_LITERAL
            self.pos = at + 1
        elif head == NIL:
            self.pos = at + 1
            return None
        else:
            number = self.integer(signed=True) - FIRST_REFERENCE
        if not 0 <= number < len(self.strings):
            raise MalformedError(f"a reference to shared string {number} of {len(self.strings)}", at)
        return self.strings[number]

    def referred(self) -> Object | Class | str | None:
        at = self.pos
        number = self.integer(signed=True) - FIRST_REFERENCE
        if not 0 <= number < len(self.objects):
            raise MalformedError(f"a reference to object {number} of {len(self.objects)}", at)
        return self.objects[number]

    def byte_string(self) -> bytes | None:
        if self.data[self.pos] == NIL:
            self.pos += 1
            return None
        found = self.counted_bytes()
        self.byte_strings.append((self.pos - len(found), self.pos))
        return found

    def counted_bytes(self) -> bytes:
        length = self.data[self.pos]
        if length < 0x80:
            start = self.pos + 1
        else:
            if length >= FIRST_LITERAL:
                # Never seen: every stream writes lengths from 128 up in two bytes or more. Read as the rules suggest.
                warn(self.warnings, f"a length of {length} in one byte (at byte {self.pos})")
            length = self.integer(signed=False)
            start = self.pos
        end = start + length
        if end > len(self.data):
            raise MalformedError(f"{length} bytes are longer than the stream", start)
        self.pos = end
        return self.data[start:end]

    def integer(self, *, signed: bool) -> int:
        at = self.pos
        head = self.data[at]
        if head < 0x80:
            self.pos = at + 1
            return head
        if head >= FIRST_LITERAL:
            self.pos = at + 1
            return head - 256 if signed else head
        width = INTEGER_WIDTHS.get(head)
        if width is None:
            raise MalformedError(f"head 0x{head:02x} where an integer belongs", at)
        end = at + 1 + width
        if end > len(self.data):
            raise MalformedError(f"an integer of {width} bytes is longer than the stream", at)
        self.pos = end
        return int.from_bytes(self.data[at + 1 : end], self.order, signed=signed)

    def float(self, of: str) -> float:
        if self.data[self.pos] != FLOAT:
            return float(self.integer(signed=True))  # whole numbers are stored as integers
        start = self.pos + 1
        end = start + (4 if of == "f" else 8)
        if end > len(self.data):
            raise MalformedError("a float is longer than the stream", start)
        self.pos = end
        number: float = struct.unpack(("<" if self.order == "little" else ">") + of, self.data[start:end])[0]
        return number
