"""DER as X.690 has it: the examples of the standard, and every other spelling refused."""

from __future__ import annotations

import pytest

from bagtag.custody import der


@pytest.mark.parametrize(
    ("raw", "dotted"),
    [
        ("0603813403", "2.100.3"),  # the example of X.690, 8.19.5
        ("06062a864886f70d", "1.2.840.113549"),
        ("0609608648016503040201", "2.16.840.1.101.3.4.2.1"),  # SHA-256 (RFC 5754)
        ("060128", "1.0"),
        ("060100", "0.0"),
    ],
)
def test_object_identifiers_are_read(raw: str, dotted: str) -> None:
    assert der.read(bytes.fromhex(raw)).oid() == dotted


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**63, 2**64 - 1])
def test_numbers_are_read_as_they_are_written(number: int) -> None:
    assert der.read(der.encode_integer(number)).integer() == number


def test_numbers_are_signed() -> None:
    # X.690, 8.3.3: two's complement
    assert der.read(bytes.fromhex("0201ff")).integer() == -1
    assert der.read(bytes.fromhex("020200ff")).integer() == 255
    assert der.encode_integer(255) == bytes.fromhex("020200ff")


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 24])
def test_lengths_are_read_as_they_are_written(size: int) -> None:
    raw = der.encode(der.OCTET_STRING, b"a" * size)
    assert der.read(raw).octets() == b"a" * size


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "cut short"),
        ("04", "cut short"),
        ("0402aa", "cut short"),
        ("0401aabb", "1 trailing bytes"),
        ("048101aa", "length"),  # 1 in the long form
        ("04820001aa", "length"),  # with a leading zero
        ("0480aa0000", "length"),  # indefinite: BER, not DER
        ("0485000000000aaa", "length"),
        ("0482", "length"),
        ("1f0101", "tag of several bytes"),
    ],
)
def test_other_spellings_of_tag_and_length_are_refused(raw: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        der.read(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", ["0200", "02020001", "0202ff80", "0401aa"])
def test_other_spellings_of_numbers_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"fewest bytes|tag"):
        der.read(bytes.fromhex(raw)).integer()


@pytest.mark.parametrize("raw", ["0600", "060180", "06028001", "06032a8086", "0401aa"])
def test_other_spellings_of_object_identifiers_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"fewest bytes|cut short|tag"):
        der.read(bytes.fromhex(raw)).oid()


def test_a_structure_holds_as_many_values_as_it_may() -> None:
    two = der.read(bytes.fromhex("3006020101020102"))
    assert [node.integer() for node in two.parts(der.SEQUENCE, 2, 2)] == [1, 2]
    for least, most in ((3, 9), (0, 1)):
        with pytest.raises(ValueError, match="values in a structure"):
            two.parts(der.SEQUENCE, least, most)
    with pytest.raises(ValueError, match="values in a structure"):
        two.only(der.SEQUENCE)
    with pytest.raises(ValueError, match="tag 0x30 where 0x31 belongs"):
        two.parts(der.SET)
    with pytest.raises(ValueError, match="more than 256"):
        der.read(der.encode(der.SEQUENCE, b"\x05\x00" * 257)).parts(der.SEQUENCE)
    with pytest.raises(ValueError, match="cut short"):
        der.read(bytes.fromhex("30020203")).parts(der.SEQUENCE)
