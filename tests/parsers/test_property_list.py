"""A property list is the same values whether it is XML or binary, and a hostile one is refused."""

from __future__ import annotations

import plistlib
from datetime import datetime
from plistlib import FMT_BINARY, FMT_XML
from typing import Any

import pytest

from bagtag.extract.formats.binary_plist import Date
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers import property_list

VALUES: dict[str, Any] = {
    "text": "é\U0001f600", "number": -5, "real": 0.5, "yes": True, "bytes": b"\0\1", "list": [1, ["a"]],
    "date": datetime(2001, 1, 2),  # noqa: DTZ001 - property lists hold UTC without a zone
}  # fmt: skip


@pytest.mark.parametrize("form", [FMT_BINARY, FMT_XML])
def test_both_forms_give_the_same_values(form: Any) -> None:
    read = property_list.dictionary(plistlib.dumps(VALUES, fmt=form))
    assert read == {**VALUES, "date": Date(86400.0)}


ENTITY = b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "b">]><plist version="1.0"><string>&a;</string></plist>'
DEEP = b'<plist version="1.0">' + b"<array>" * 100 + b"</array>" * 100 + b"</plist>"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"bplist00", b"hello", b"<plist", b"<plist><integer>x</integer></plist>", b"<plist></plist>x",
        ENTITY, DEEP, b"<plist><date>1</date></plist>", b"<plist><dict><string>a</string></dict></plist>", b"\xff\xfe<",
        b"x" * (property_list.LARGEST + 1),
    ],
)  # fmt: skip
def test_what_is_no_property_list_is_malformed(content: bytes) -> None:
    with pytest.raises(MalformedError):
        property_list.read(content)


def test_a_list_of_something_else_is_no_dictionary() -> None:
    with pytest.raises(MalformedError, match="no dictionary"):
        property_list.dictionary(plistlib.dumps(["a"]))
