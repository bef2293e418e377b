"""A protobuf gives its fields in order; Google's published examples and hostile bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats import protobuf
from bagtag.parsers.formats.protobuf import FIXED32, FIXED64, LENGTH, MAX_FIELDS, VARINT, Field, Message, fields


@pytest.mark.parametrize(
    ("written", "expected"),
    [  # the examples of the encoding's published description
        ("089601", [Field(1, VARINT, 150)]),
        ("120774657374696e67", [Field(2, LENGTH, b"testing")]),
        ("1a03089601", [Field(3, LENGTH, b"\x08\x96\x01")]),
        ("220568656c6c6f280128022803", [Field(4, LENGTH, b"hello"), *[Field(5, VARINT, n) for n in (1, 2, 3)]]),
        ("08feffffffffffffffff01", [Field(1, VARINT, 2**64 - 2)]),
        ("", []),
    ],
)
def test_published_examples_are_read(written: str, expected: list[Field]) -> None:
    assert fields(bytes.fromhex(written)) == expected


@pytest.mark.parametrize(
    ("written", "trouble"),
    [
        ("08", "breaks off"),
        ("0880", "breaks off"),
        ("08ffffffffffffffffffff01", "more than 10 bytes"),
        ("08ffffffffffffffffff7f", "more than 64 bits"),
        ("1205", "5 bytes, 0 are left"),
        ("12ffffffffffffffffff01", "bytes, 0 are left"),
        ("09000000", "8 bytes, 3 are left"),
        ("0d000000", "4 bytes, 3 are left"),
        ("0b0c", "wire type 3"),
        ("0f00", "wire type 7"),
        ("0000", "field number 0"),
    ],
)
def test_bytes_that_are_no_message_are_refused(written: str, trouble: str) -> None:
    with pytest.raises(MalformedError, match=trouble):
        fields(bytes.fromhex(written))


def test_more_fields_than_are_read_are_refused() -> None:
    assert len(fields(b"\x08\x00" * MAX_FIELDS)) == MAX_FIELDS
    with pytest.raises(MalformedError, match="more than"):
        fields(b"\x08\x00" * (MAX_FIELDS + 1))


def varint(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def written(field: Field) -> bytes:
    key = varint(field.number << 3 | field.wire)
    if isinstance(field.value, bytes):
        return key + varint(len(field.value)) + field.value
    if field.wire == VARINT:
        return key + varint(field.value)
    return key + field.value.to_bytes(4 if field.wire == FIXED32 else 8, "little")


NUMBERS = st.integers(1, 2**29 - 1)
FIELDS = st.one_of(
    st.builds(Field, NUMBERS, st.just(VARINT), st.integers(0, 2**64 - 1)),
    st.builds(Field, NUMBERS, st.just(FIXED64), st.integers(0, 2**64 - 1)),
    st.builds(Field, NUMBERS, st.just(FIXED32), st.integers(0, 2**32 - 1)),
    st.builds(Field, NUMBERS, st.just(LENGTH), st.binary(max_size=300)),
)


@given(st.lists(FIELDS))
def test_what_was_written_is_read(expected: list[Field]) -> None:
    assert fields(b"".join(map(written, expected))) == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = fields(data)
    except MalformedError:
        return
    assert 2 * len(found) <= len(data)


def test_fields_are_given_as_what_is_asked_for() -> None:
    double = struct.pack("<d", 1.5)
    data = b"\x08\x07\x11" + struct.pack("<q", -3) + b"\x19" + double + b"\x25" + struct.pack("<f", 0.25)
    message = Message.of(data + b"\x2a\x02\xc3\xa9\x32\x01\xff")
    assert (message.integer(1), message.real(1)) == (7, 7.0)
    assert message.signed64(2) == -3
    assert (message.real(3), message.real(4)) == (1.5, 0.25)
    assert (message.text(5), message.octets(5), message.text(6)) == ("é", b"\xc3\xa9", "\ufffd")
    assert [message.integer(9), message.real(9), message.octets(9), message.text(9), message.signed64(9)] == [None] * 5
    assert message.rest() == []


def test_the_last_of_several_counts_and_the_others_stay_in_the_rest() -> None:
    message = Message.of(b"\x08\x01\x08\x02\x10\x05\x18\x00")
    assert message.integer(1) == 2
    assert message.rest() == [Field(1, VARINT, 1), Field(2, VARINT, 5)]


def test_a_field_of_another_wire_type_counts_as_absent() -> None:
    message = Message.of(b"\x08\x01\x12\x00")
    assert (message.octets(1), message.integer(2), message.signed64(1), message.real(2)) == (None, None, None, None)
    assert message.rest() == [Field(1, VARINT, 1)]


@pytest.mark.parametrize("value", ["0000807f", "000080ff", "0000c07f"])
def test_a_float_that_is_infinite_or_no_number_is_absent(value: str) -> None:
    assert Message.of(b"\x0d" + bytes.fromhex(value)).real(1) is None


def test_a_varint_tells_where_it_ends() -> None:
    assert protobuf.varint(b"\xff\x96\x01\xff", 1) == (150, 3)
