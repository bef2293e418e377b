"""What data detectors find in a text: dates, addresses, flights, parcels, money, amounts, numbers, codes.

Known from the attributes of real bodies: each is an archived DDScannerResult under the key `dd-result`, with the
matched text `MS`, the type `T`, the value `V`, the range `AR` in UTF-16 units and the results inside it `SR`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from plistlib import UID
from typing import Any

from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.typedstream import MutableData, utf16_length

GENERIC, CALENDAR, MONEY, ADDRESS, PHONE = (
    f"__kIM{what}AttributeName" for what in ("DataDetected", "CalendarEvent", "Money", "Address", "PhoneNumber")
)
ONE_TIME_CODE = "__kIMOneTimeCodeAttributeName"


@dataclass(frozen=True)
class Detected(MutableData):
    """The blob of one result, and what a reader should find in it."""

    found: dict[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Result:
    """One result: its type, its words, its value, and the results inside it."""

    type: str
    words: str
    value: str | None = None
    inside: tuple[Result, ...] = ()


def detected(result: Result, *, before: str = "") -> Detected:
    """The archive of a result whose words stand behind `before` in the text."""
    archive = Archive()
    root = _archived(archive, result, f"{before}{result.words}")
    return Detected(archive.stored(root, "dd-result"), _found(result, f"{before}{result.words}"))


def _archived(archive: Archive, result: Result, text: str) -> UID:
    members = {
        "AR": archive.range(_start(result, text), utf16_length(result.words)),
        "MS": result.words,
        "T": result.type,
        "V": result.value,
        "P": 0,
        "VN": 0,
        "SR": archive.array([_archived(archive, each, text) for each in result.inside]) if result.inside else None,
    }
    return archive.instance(["DDScannerResult", "NSObject"], members)


def told(result: Result) -> dict[str, Any]:
    """The result in words: its type, its words, its value, and the results inside it."""
    found: dict[str, Any] = {"type": result.type, "text": result.words}
    if result.value is not None:
        found["value"] = result.value
    if result.inside:
        found["inside"] = [told(each) for each in result.inside]
    return found


def _start(result: Result, text: str) -> int:
    return utf16_length(text[: text.rindex(result.words)])


def _found(result: Result, text: str) -> dict[str, Any]:
    return {
        "MS": result.words,
        "T": result.type,
        "V": result.value,
        "AR": {"location": _start(result, text), "length": utf16_length(result.words)},
        "SR": [_found(each, text) for each in result.inside] or None,
    }


def _nested(outer: str, words: str, *inside: tuple[str, str] | Result) -> Result:
    whole = [each if isinstance(each, Result) else Result(each[0], each[1], each[1]) for each in inside]
    return Result(outer, words, None, tuple(whole))


KINDS: Sequence[tuple[str, str, Result]] = (
    (GENERIC, "Site: ", Result("HttpURL", "https://example.com/tickets", "https://example.com/tickets")),
    (GENERIC, "Mail: ", Result("Email", "ann.lee@example.com", "ann.lee@example.com")),
    (PHONE, "Call ", _nested("PhoneNumber", "(202) 555-0171", ("Value", "(202) 555-0171"))),
    (GENERIC, "Use ", Result("AuthCode", "123456", "123456")),
    (CALENDAR, "See you ", _nested("Date", "June 3 at 5pm", ("MonthName", "June"), ("Day", "3"), ("Hours", "5"))),
    (MONEY, "It was ", _nested("Money", "$12.50", ("Currency", "$"), ("IntegralValue", "12"))),
    (
        ADDRESS,
        "We live at ",
        _nested(
            "FullAddress",
            "1 Main Street, Springfield, IL 62701, USA",
            _nested("Street", "1 Main Street", ("StreetNumber", "1"), ("StreetName", "Main Street")),
            ("City", "Springfield"),
            ("State", "IL"),
            ("ZipCode", "62701"),
            Result("Country", "USA", "us", (Result("CountryCode", "USA", "us"),)),
        ),
    ),
    (
        GENERIC,
        "It is ",
        _nested("PhysicalAmount", "20 km", ("value", "20"), Result("Unit", "km", "kilometers")),
    ),
    (
        GENERIC,
        "Parcel ",
        _nested("TrackingNumber", "1Z999AA10123456784", Result("UPS", "1Z999AA10123456784", "1Z999AA10123456784")),
    ),
    (
        GENERIC,
        "🛫 on ",
        _nested("FlightInformation", "LH400", Result("AirlineCode", "LH", "LH"), ("FlightNumber", "400")),
    ),
)
"""Attribute, the words before it, the result. The emoji before the last moves its range by one UTF-16 unit."""
