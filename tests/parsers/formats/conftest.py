"""A typedstream writer for the tests: written from the rules of the format alone, it shares nothing with the reader."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any, Literal

import pytest

OBJECT = (b"NSObject", 0)
STRING = ((b"NSString", 1), OBJECT)
MUTABLE_STRING = ((b"NSMutableString", 1), *STRING)
NUMBER = ((b"NSNumber", 0), (b"NSValue", 0), OBJECT)
DICTIONARY = ((b"NSDictionary", 0), OBJECT)
ATTRIBUTED = ((b"NSAttributedString", 0), OBJECT)


class StreamWriter:
    """Writes one stream; the methods append, and `bytes(writer)` is the stream so far."""

    def __init__(self, order: Literal["little", "big"] = "little") -> None:
        self.order: Literal["little", "big"] = order
        self.out = bytearray(b"\x04\x0b" + (b"streamtyped" if order == "little" else b"typedstream"))
        self.strings: dict[bytes, int] = {}
        self.classes: dict[tuple[tuple[bytes, int], ...], int] = {}
        self.objects = 0
        self.unsigned(1000)

    def __bytes__(self) -> bytes:
        return bytes(self.out)

    def raw(self, *parts: int | bytes) -> None:
        for part in parts:
            self.out += bytes([part]) if isinstance(part, int) else part

    def signed(self, number: int) -> None:
        if -110 <= number <= 127:
            self.raw(number & 0xFF)
        else:
            head, width = next(
                (h, w) for h, w in ((0x81, 2), (0x82, 4), (0x87, 8)) if -(1 << (8 * w - 1)) <= number < 1 << (8 * w - 1)
            )
            self.raw(head, number.to_bytes(width, self.order, signed=True))

    def unsigned(self, number: int) -> None:
        if number <= 127:
            self.raw(number)
        else:
            head, width = next((h, w) for h, w in ((0x81, 2), (0x82, 4), (0x87, 8)) if number < 1 << (8 * w))
            self.raw(head, number.to_bytes(width, self.order))

    def refer(self, number: int) -> None:
        self.signed(number - 110)

    def shared(self, text: bytes) -> None:
        if text in self.strings:
            self.refer(self.strings[text])
        else:
            self.strings[text] = len(self.strings)
            self.raw(0x84)
            self.unsigned(len(text))
            self.raw(text)

    def begin(self, chain: tuple[tuple[bytes, int], ...]) -> int:
        """A group of one new object up to its class; returns the number of the object."""
        self.shared(b"@")
        return self.begin_value(chain)

    def begin_value(self, chain: tuple[tuple[bytes, int], ...]) -> int:
        self.raw(0x84)
        number = self.objects
        self.objects += 1
        self.class_chain(chain)
        return number

    def class_chain(self, chain: tuple[tuple[bytes, int], ...]) -> None:
        while chain:
            if chain in self.classes:
                self.refer(self.classes[chain])
                return
            self.raw(0x84)
            self.classes[chain] = self.objects
            self.objects += 1
            self.shared(chain[0][0])
            self.signed(chain[0][1])
            chain = chain[1:]
        self.raw(0x85)

    def end(self) -> None:
        self.raw(0x86)

    def object_reference(self, number: int) -> None:
        self.shared(b"@")
        self.refer(number)

    def count(self, number: int, code: bytes = b"i") -> None:
        self.shared(code)
        self.signed(number)

    def byte_string(self, raw: bytes) -> None:
        self.shared(b"+")
        self.unsigned(len(raw))
        self.raw(raw)

    def c_string(self, text: bytes) -> None:
        self.shared(b"*")
        self.raw(0x84)
        self.objects += 1
        self.shared(text)

    def string(self, text: str | bytes, chain: tuple[tuple[bytes, int], ...] = STRING) -> int:
        number = self.begin(chain)
        self.byte_string(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        self.end()
        return number

    def number(self, code: bytes, value: float) -> int:
        number = self.begin(NUMBER)
        self.c_string(code)
        self.shared(code)
        if code in (b"f", b"d"):
            self.raw(0x83, struct.pack(("<" if self.order == "little" else ">") + code.decode(), value))
        elif code in (b"c", b"C", b"B"):
            self.raw(int(value) & 0xFF)
        else:
            (self.signed if code.islower() else self.unsigned)(int(value))
        self.end()
        return number

    def data(self, raw: bytes, name: bytes = b"NSData") -> int:
        number = self.begin(((name, 0), OBJECT))
        self.count(len(raw))
        self.shared(b"[%dc]" % len(raw))
        self.raw(raw)
        self.end()
        return number

    def date(self, seconds: float) -> int:
        number = self.begin(((b"NSDate", 0), OBJECT))
        self.shared(b"d")
        self.raw(0x83, struct.pack("<d" if self.order == "little" else ">d", seconds))
        self.end()
        return number

    def url(self, text: str) -> int:
        number = self.begin(((b"NSURL", 0), OBJECT))
        self.shared(b"c")
        self.raw(0)
        self.string(text)
        self.end()
        return number

    def value(self, value: Any) -> int:
        """A group of one object for a plain Python value; a callable writes itself."""
        if callable(value):
            return int(value())
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, float):
            return self.number(b"d", value)
        if isinstance(value, int):
            return self.number(b"i" if -(1 << 31) <= value < 1 << 31 else b"q", value)
        if isinstance(value, bytes):
            return self.data(value)
        chain = DICTIONARY if isinstance(value, dict) else ((b"NSArray", 0), OBJECT)
        number = self.begin(chain)
        self.count(len(value))
        for member in value:
            self.value(member)
            if isinstance(value, dict):
                self.value(value[member])
        self.end()
        return number

    def attributed(
        self, text: str | bytes, runs: Iterable[tuple[int, int, dict[str, Any] | None]], mutable: bool = True
    ) -> bytes:
        """A whole body: runs are (dictionary number, UTF-16 length, the dictionary at its first use)."""
        self.begin(((b"NSMutableAttributedString", 0), *ATTRIBUTED) if mutable else ATTRIBUTED)
        self.string(text, MUTABLE_STRING if mutable else STRING)
        for number, length, attributes in runs:
            self.shared(b"iI")
            self.signed(number)
            self.unsigned(length)
            if attributes is not None:
                self.value(attributes)
        self.end()
        return bytes(self)


@pytest.fixture(scope="session")
def new_stream() -> Callable[..., StreamWriter]:
    """Makes a `StreamWriter`."""
    return StreamWriter


@pytest.fixture(scope="session")
def body_of_hi() -> bytes:
    """The published vector: text `Hi`, one run of two units, attributes {message part: 0}; 225 bytes."""
    return bytes.fromhex(
        "040b73747265616d747970656481e803 8401 40 8484 84194e534d757461626c6541747472696275746564537472696e67 00"
        "84 84124e5341747472696275746564537472696e67 00 84 84084e534f626a656374 00 85"
        "92 84 84 840f4e534d757461626c65537472696e67 01 84 84084e53537472696e67 01 95 84012b 02 4869 86"
        "84026949 01 02 92 84 84 840c4e5344696374696f6e617279 00 95 840169 01"
        "92 84 98 98 1d 5f5f6b494d4d657373616765506172744174747269627574654e616d65 86"
        "92 84 84 84084e534e756d626572 00 84 84074e5356616c7565 00 95 84012a 84 9b 9b 00 86 86 86"
    )
