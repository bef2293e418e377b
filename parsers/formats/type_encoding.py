"""Type encodings: how Objective-C writes a C type as text, such as `i`, `@`, `[12c]` or `{_NSRange=QQ}`.

A typedstream says with them what each group of values holds. Known from the published `@encode` rules of Objective-C
and from the streams of Messages databases, which use few of them.

    c C B            one raw byte              *        C-string
    s S i I l L q Q  integers                  % :      atom, selector
    f d              floats                    # @      class, object
    +                byte string               !        skipped, no bytes
    [Nt]             array of N                {name=…} struct, members in order
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bagtag.extract.formats.malformed import MalformedError

SCALARS = frozenset("cCBsSiIlLqQfd+*%:#@")
MAX_LENGTH = 4096
MAX_NESTING = 16
MAX_COUNT_DIGITS = 10


@dataclass(frozen=True, slots=True)
class ArrayType:
    """`[Nt]`: `count` values of one type; `least` is the smallest number of bytes they can take."""

    count: int
    element: Type
    least: int


@dataclass(frozen=True, slots=True)
class StructType:
    """`{name=…}`: the members in order; `least` is the smallest number of bytes they can take."""

    name: str
    members: tuple[Type, ...]
    least: int


Type: TypeAlias = str | ArrayType | StructType  # a str is one letter of SCALARS


def least_bytes(of: Type) -> int:
    """The smallest number of bytes in which a value of this type can be written."""
    return 1 if isinstance(of, str) else of.least


def split(encoding: str) -> tuple[Type, ...]:
    """The types of a group, in order; `!` gives none.

    A type that takes no bytes (`[0c]`, the body of an empty NSData) is accepted only when it stands alone: otherwise a
    stream of few bytes could hold any number of values.

    Raises `MalformedError` for text that is no encoding, and for unions, pointers and bit fields, which are never
    archived.
    """
    if len(encoding) > MAX_LENGTH:
        raise MalformedError(f"type encoding of {len(encoding)} characters")
    types, end = _sequence(encoding, 0, "", 0)
    if end != len(encoding):
        raise MalformedError(f"type encoding {encoding[:80]!r} closes a bracket it never opened")
    if len(types) > 1 and any(not least_bytes(each) for each in types):
        raise MalformedError(f"type encoding {encoding[:80]!r} holds a type without bytes")
    return types


def _sequence(encoding: str, at: int, close: str, nesting: int) -> tuple[tuple[Type, ...], int]:
    types: list[Type] = []
    while at < len(encoding) and encoding[at] not in ("]", "}"):
        if encoding[at] == "!":
            at += 1
            continue
        made, at = _one(encoding, at, nesting)
        types.append(made)
    if close:
        if encoding[at : at + 1] != close:
            raise MalformedError(f"type encoding {encoding[:80]!r} lacks a {close}")
        at += 1
    return tuple(types), at


def _one(encoding: str, at: int, nesting: int) -> tuple[Type, int]:
    letter = encoding[at]
    if letter in SCALARS:
        return letter, at + 1
    if nesting >= MAX_NESTING:
        raise MalformedError(f"type encoding nested more than {MAX_NESTING} deep")
    if letter == "[":
        return _array(encoding, at + 1, nesting + 1)
    if letter == "{":
        return _struct(encoding, at + 1, nesting + 1)
    raise MalformedError(f"unknown type {letter!r} in encoding {encoding[:80]!r}")


def _array(encoding: str, at: int, nesting: int) -> tuple[Type, int]:
    start = at
    while at < len(encoding) and encoding[at] in "0123456789":
        at += 1
    if not 0 < at - start <= MAX_COUNT_DIGITS:
        raise MalformedError(f"type encoding {encoding[:80]!r} has an array without a usable count")
    count = int(encoding[start:at])
    elements, end = _sequence(encoding, at, "]", nesting)
    if len(elements) != 1 or not least_bytes(elements[0]):
        raise MalformedError(f"type encoding {encoding[:80]!r} has an array that is not of one type")
    return ArrayType(count, elements[0], count * least_bytes(elements[0])), end


def _struct(encoding: str, at: int, nesting: int) -> tuple[Type, int]:
    start = at
    while at < len(encoding) and encoding[at] not in "=}":
        at += 1
    name = encoding[start:at]
    if encoding[at : at + 1] == "=":
        at += 1
    members, end = _sequence(encoding, at, "}", nesting)
    if not members or any(not least_bytes(member) for member in members):
        raise MalformedError(f"type encoding {encoding[:80]!r} has a struct with nothing in it")
    return StructType(name, members, sum(map(least_bytes, members))), end
