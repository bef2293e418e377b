"""A writer of Apple's typedstream, the form in which Messages keeps an attributed text (column attributedBody).

Known from the byte grammar of `streamtyped` archives: two tables of back references (shared strings, objects), one
head byte an integer, an attributed string as its text and then runs `iI` of dictionary number and UTF-16 length.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

NEW, NIL, END = b"\x84", b"\x85", b"\x86"
HEADER = b"\x04\x0bstreamtyped\x81\xe8\x03"
FIRST_REFERENCE = -110

CHAINS: Mapping[str, Sequence[tuple[str, int]]] = {
    "NSAttributedString": (("NSAttributedString", 0), ("NSObject", 0)),
    "NSMutableAttributedString": (("NSMutableAttributedString", 0), ("NSAttributedString", 0), ("NSObject", 0)),
    "NSString": (("NSString", 1), ("NSObject", 0)),
    "NSMutableString": (("NSMutableString", 1), ("NSString", 1), ("NSObject", 0)),
    "NSDictionary": (("NSDictionary", 0), ("NSObject", 0)),
    "NSNumber": (("NSNumber", 0), ("NSValue", 0), ("NSObject", 0)),
    "NSURL": (("NSURL", 0), ("NSObject", 0)),
    "NSData": (("NSData", 0), ("NSObject", 0)),
    "NSMutableData": (("NSMutableData", 0), ("NSData", 0), ("NSObject", 0)),
}
"""Class, version, then its parents."""


@dataclass(frozen=True)
class Url:
    """An NSURL without a base."""

    address: str


@dataclass(frozen=True)
class Number:
    """An NSNumber under a type code other than `i`: `q` 64-bit, `c` one byte, `d` a double."""

    value: int | float
    code: str


@dataclass(frozen=True)
class MutableData:
    """An NSMutableData, as data detectors leave what they found."""

    content: bytes


Value = int | Number | str | bytes | MutableData | Url | Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """A stretch of text under one dictionary of attributes."""

    text: str
    attributes: Mapping[str, Value] = field(default_factory=dict)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit of every range in Messages."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Writer:
    """One stream under construction: bytes so far and the two tables of what may be referred to."""

    def __init__(self) -> None:
        self.out = bytearray(HEADER)
        self._strings: dict[bytes, int] = {}
        self._classes: dict[str, int] = {}
        self._c_strings: dict[str, int] = {}
        self._objects = 0

    def integer(self, value: int) -> None:
        """A signed integer in the shortest form: the byte itself, or 0x81, 0x82, 0x87 and 2, 4, 8 bytes."""
        if FIRST_REFERENCE <= value <= 127:
            self.out += struct.pack("<b", value)
        elif -0x8000 <= value < 0x8000:
            self.out += b"\x81" + struct.pack("<h", value)
        elif -0x80000000 <= value < 0x80000000:
            self.out += b"\x82" + struct.pack("<i", value)
        else:
            self.out += b"\x87" + struct.pack("<q", value)

    def length(self, value: int) -> None:
        """An unsigned integer, as lengths are written: up to 127 the byte itself, then 0x81 or 0x82."""
        if value < 0x80:
            self.out += struct.pack("<B", value)
        elif value < 0x10000:
            self.out += b"\x81" + struct.pack("<H", value)
        else:
            self.out += b"\x82" + struct.pack("<I", value)

    def shared(self, text: str) -> None:
        """A shared string: spelled out the first time, afterwards its number in the table."""
        spelled = text.encode()
        if spelled in self._strings:
            self.integer(self._strings[spelled] + FIRST_REFERENCE)
            return
        self._strings[spelled] = len(self._strings)
        self.out += NEW
        self.length(len(spelled))
        self.out += spelled

    def object(self, name: str) -> None:
        """Open an object of class `name`: it takes its number first, then its classes take theirs, child to parent."""
        self.shared("@")
        self.out += NEW
        self._objects += 1
        for each, version in CHAINS[name]:
            if each in self._classes:
                self.integer(self._classes[each] + FIRST_REFERENCE)
                return
            self.out += NEW
            self._classes[each] = self._objects
            self._objects += 1
            self.shared(each)
            self.integer(version)
        self.out += NIL

    def end(self) -> None:
        """Close the object opened last."""
        self.out += END

    def c_string(self, text: str) -> None:
        """A C string in its own group: an object whose text is a shared string."""
        self.shared("*")
        if text in self._c_strings:
            self.integer(self._c_strings[text] + FIRST_REFERENCE)
            return
        self.out += NEW
        self._c_strings[text] = self._objects
        self._objects += 1
        self.shared(text)

    def string(self, text: str, name: str = "NSString") -> None:
        """A string object."""
        spelled = text.encode("utf-8", "surrogatepass")
        self.object(name)
        self.shared("+")
        self.length(len(spelled))
        self.out += spelled
        self.end()

    def number(self, value: float, code: str) -> None:
        """An NSNumber: its type code as a C string, then a group of that type; a whole double is an integer."""
        self.object("NSNumber")
        self.c_string(code)
        self.shared(code)
        if code == "c":
            self.out += struct.pack("<b", value)
        elif value == int(value):
            self.integer(int(value))
        else:
            self.out += b"\x83" + struct.pack("<d", value)
        self.end()

    def data(self, content: bytes, name: str = "NSData") -> None:
        """A data object: its length, then as many bytes."""
        self.object(name)
        self.shared("i")
        self.integer(len(content))
        self.shared(f"[{len(content)}c]")
        self.out += content
        self.end()

    def value(self, value: Value) -> None:
        """Any value an attribute may have."""
        if isinstance(value, str):
            self.string(value)
        elif isinstance(value, int):
            self.number(value, "i")
        elif isinstance(value, Number):
            self.number(value.value, value.code)
        elif isinstance(value, bytes):
            self.data(value)
        elif isinstance(value, MutableData):
            self.data(value.content, "NSMutableData")
        elif isinstance(value, Url):
            self.object("NSURL")
            self.shared("c")
            self.out += b"\x00"
            self.string(value.address)
            self.end()
        else:
            self.dictionary(value)

    def dictionary(self, attributes: Mapping[str, Value]) -> None:
        """An NSDictionary, in the order given."""
        self.object("NSDictionary")
        self.shared("i")
        self.integer(len(attributes))
        for key, value in attributes.items():
            self.string(key)
            self.value(value)
        self.end()


def attributed_string(runs: Sequence[Run], *, mutable: bool = True) -> bytes:
    """The whole stream of one attributed text. Runs with equal attributes share one dictionary; no runs: empty text."""
    writer = Writer()
    prefix = "NSMutable" if mutable else "NS"
    writer.object(f"{prefix}AttributedString")
    writer.string("".join(run.text for run in runs), f"{prefix}String")
    seen: list[Mapping[str, Value]] = []
    for run in runs:
        known = run.attributes in seen
        if not known:
            seen.append(run.attributes)
        writer.shared("iI")
        writer.integer(seen.index(run.attributes) + 1)
        writer.length(utf16_length(run.text))
        if not known:
            writer.dictionary(run.attributes)
    writer.end()
    return bytes(writer.out)
