"""A property of XMP is found among the bytes of a picture, however hostile they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats import xmp

NAME = "stickerEffect:type"


@pytest.mark.parametrize(
    ("packet", "value"),
    [
        (b'<rdf:Description stickerEffect:type="stroke"/>', "stroke"),
        (b"<rdf:Description stickerEffect:type = 'comic' x:y='z'>", "comic"),
        (b"<stickerEffect:type>puffy</stickerEffect:type>", "puffy"),
        (b"<stickerEffect:type> puffy\n</stickerEffect:type>", "puffy"),
        (b'stickerEffect:type="a &amp; &quot;b&quot; &lt;"', 'a & "b" <'),
        ('stickerEffect:type="gänzend"'.encode(), "gänzend"),
    ],
)
def test_a_property_is_an_attribute_or_an_element_anywhere_in_the_file(packet: bytes, value: str) -> None:
    assert xmp.value(b"\0\0\0\x1cftypheic" + bytes(40) + packet + b"\xff\xd9", NAME) == value


def test_a_file_without_the_property_has_no_value() -> None:
    assert xmp.value(b'<x:xmpmeta><rdf:Description stickerEffect:kind="x"/></x:xmpmeta>', NAME) is None
    assert xmp.value(b"", NAME) is None


def test_the_first_place_that_has_a_value_counts() -> None:
    data = b'<stickerEffect:type><rdf:li>x</rdf:li></stickerEffect:type></a> stickerEffect:type="comic"'
    assert xmp.value(data, NAME) == "comic"


@pytest.mark.parametrize("rest", [b"", b'="', b'=""', b'="stro', b'="' + b"x" * 300 + b'"', b"=stroke", b"/>"])
def test_a_property_without_a_value_is_malformed(rest: bytes) -> None:
    with pytest.raises(MalformedError, match="without a value"):
        xmp.value(b"  stickerEffect:type" + rest, NAME)


def test_a_file_of_nothing_but_the_name_is_given_up() -> None:
    with pytest.raises(MalformedError):
        xmp.value(NAME.encode() * 100_000, NAME)


@given(
    st.lists(st.one_of(st.binary(max_size=6), st.sampled_from([NAME.encode(), b'="', b"'", b">", b"</", b"=", b"x"])))
)
def test_whatever_the_bytes_there_is_a_short_value_none_or_malformed(pieces: list[bytes]) -> None:
    try:
        found = xmp.value(b"".join(pieces), NAME)
    except MalformedError:
        return
    assert found is None or len(found) <= xmp.LONGEST_VALUE
