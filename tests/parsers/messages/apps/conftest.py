"""Payloads of app balloons, written by hand: keyed archives and protobufs that share nothing with their readers."""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Callable
from plistlib import UID
from types import SimpleNamespace
from typing import Any

import pytest

from bagtag.parsers.messages.apps import balloon as balloons

EXTENSION = "com.apple.messages.MSMessageExtensionBalloonPlugin:"


class Url(str):
    """Text that is written as an NSURL."""


class Day(float):
    """Seconds since 2001 that are written as an NSDate."""


def write_archive(root: Any) -> bytes:
    """A keyed archive of plain values, `Url`, `Day`, and instances ({"$class": name, …})."""
    objects: list[Any] = ["$null"]

    def add(value: Any) -> UID:
        objects.append(None)
        uid = UID(len(objects) - 1)
        if isinstance(value, Url):
            objects[uid.data] = {"NS.base": UID(0), "NS.relative": add(str(value)), "$class": kind("NSURL")}
        elif isinstance(value, Day):
            objects[uid.data] = {"NS.time": float(value), "$class": kind("NSDate")}
        elif isinstance(value, dict) and "$class" in value:
            members = {key: add(member) for key, member in value.items() if key != "$class"}
            objects[uid.data] = {**members, "$class": kind(value["$class"])}
        elif isinstance(value, dict):
            keys, values = [add(key) for key in value], [add(member) for member in value.values()]
            objects[uid.data] = {"NS.keys": keys, "NS.objects": values, "$class": kind("NSDictionary")}
        elif isinstance(value, list):
            objects[uid.data] = {"NS.objects": [add(member) for member in value], "$class": kind("NSArray")}
        else:
            objects[uid.data] = value
        return uid

    def kind(name: str) -> UID:
        objects.append({"$classname": name, "$classes": [name, "NSObject"]})
        return UID(len(objects) - 1)

    top = {"root": add(root)}
    whole = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": top, "$objects": objects}
    return plistlib.dumps(whole, fmt=plistlib.FMT_BINARY)


def varint(number: int) -> bytes:
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def write_protobuf(*fields: tuple[int, Any]) -> bytes:
    """Fields of (number, value): int as varint, float as fixed32, (format, value) fixed, bytes or str with a length."""
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += varint(number << 3) + varint(value)
        elif isinstance(value, float):
            written += varint(number << 3 | 5) + struct.pack("<f", value)
        elif isinstance(value, tuple):
            packed = struct.pack("<" + value[0], value[1])
            written += varint(number << 3 | (5 if len(packed) == 4 else 1)) + packed
        else:
            raw = value.encode() if isinstance(value, str) else value
            written += varint(number << 3 | 2) + varint(len(raw)) + raw
    return written


@pytest.fixture(scope="session")
def archive() -> Callable[..., bytes]:
    return write_archive


@pytest.fixture(scope="session")
def url() -> Callable[[str], str]:
    """Text that `archive` writes as an NSURL."""
    return Url


@pytest.fixture(scope="session")
def day() -> Callable[[float], float]:
    """Seconds since 2001 that `archive` writes as an NSDate."""
    return Day


@pytest.fixture(scope="session")
def protobuf() -> Callable[..., bytes]:
    return write_protobuf


@pytest.fixture(scope="session")
def balloon() -> Callable[..., SimpleNamespace]:
    """Reads a payload as the balloon of a row; gives the app, its details, the fallback, reports and notes."""

    def reading(bundle: str | None, payload: bytes | None) -> SimpleNamespace:
        reports: list[str] = []
        notes: list[str] = []
        found = balloons.read(bundle, payload, reports.append, notes.append)
        assert found is not None
        return SimpleNamespace(
            app=found.app, details=found.app.details, fallback=found.fallback, reports=reports, notes=notes
        )

    return reading


@pytest.fixture(scope="session")
def extension(archive: Callable[..., bytes], balloon: Callable[..., Any]) -> Callable[..., Any]:
    """Reads the balloon of an Apple extension whose root dictionary has these members."""

    def reading(bundle: str, root: dict[str, Any]) -> Any:
        return balloon(f"{EXTENSION}0000000000:{bundle}", archive(root))

    return reading
