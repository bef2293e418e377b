"""The key bag: minted known answers, damage told from a wrong passphrase, and bags that no device wrote."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.custody.errors import EvidenceError, PassphraseError
from bagtag.custody.progress import Silent
from bagtag.extract.keybag import KeyUnavailableError, parse

PASSWORD = "kat-pässword"
BAG = bytes.fromhex(
    "56455253000000040000000554595045000000040000000155554944000000102054449d0bc4d16b2a406ec6ed9cc7c0484d434b00000028"
    "fb34edaac9aaad3fe30a84b0d7440bbf79f351f08b591c0443ec5d1605750b9b3290b4ee403b4eb157524150000000040000000053414c54"
    "0000001484972dc0338d9597c4787b249e0e750445f852d8495445520000000400000064445057540000000400000001445049430000000"
    "4000007d04450534c000000145fea8fd2477db39bb83970899b37257bf521d4da5555494400000010df8bed5ecf3b1dcfffa13e274c59a0"
    "4e434c4153000000040000000b5752415000000004000000034b545950000000040000000057504b5900000028ceb8fa446875e1019a0ff4"
    "d55dd7955a87ff5e208c4b0819aad193f5ba24634b152155878fc32a635555494400000010e244d27b77c293039c1fc6262fd31540434c41"
    "5300000004000000045752415000000004000000024b545950000000040000000057504b5900000028d4e16ffe8fb4612aa1fa215f5f3965"
    "241eb5f518ab6426e364c469200afe609deb86397411162afd55554944000000105ef97bb8313d825e95801026e6a3a91c434c4153000000"
    "04000000035752415000000004000000024b545950000000040000000057504b5900000028e2dc6d72f8ed40b010ac8a3d1e6c340ab3b181"
    "a78906e9b239d955dc8b9093cdf102c332d4c5a6d7"
)
KEK = "fb4af14ab096881de03d79701b3cd271f010a3d245ba43fdfdefa1bd8b216eb0"
FILE_KEY = bytes.fromhex("03000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba")


def record(tag: str, value: bytes) -> bytes:
    return tag.encode() + len(value).to_bytes(4, "big") + value


def number(tag: str, value: int) -> bytes:
    return record(tag, value.to_bytes(4, "big"))


def altered(tag: str, value: bytes, place: int = 0) -> bytes:
    """The minted bag with the `place`th record of that tag given another value."""
    start = -1
    for _ in range(place + 1):
        start = BAG.index(tag.encode(), start + 1)
    end = start + 8 + int.from_bytes(BAG[start + 4 : start + 8], "big")
    return BAG[:start] + record(tag, value) + BAG[end:]


def test_a_class_that_the_device_wrapped_as_well_is_never_used() -> None:
    keys = parse(BAG).unwrap(bytes.fromhex(KEK))
    with pytest.raises(KeyUnavailableError, match="never leaves the device"):
        keys.file_key((11).to_bytes(4, "little") + bytes(40))


def test_a_wrong_passphrase_is_told_from_a_damaged_bag() -> None:
    bag = parse(BAG)
    with pytest.raises(PassphraseError, match="wrong passphrase"):
        bag.unwrap(bytes(32))
    with pytest.raises(EvidenceError, match="damaged"):
        parse(BAG.replace(b"WPKY", b"XPKY")).derive(PASSWORD)


def test_one_flipped_bit_in_one_class_leaves_the_others_open() -> None:
    broken = bytearray(BAG)
    broken[-1] ^= 1  # the last class in the bag is 3
    keys = parse(bytes(broken)).unwrap(bytes.fromhex(KEK))
    assert keys.damaged == 1
    with pytest.raises(KeyUnavailableError, match="damaged"):
        keys.file_key(FILE_KEY)


@pytest.mark.parametrize("length", [len(BAG) - 1, len(BAG) - 45, 300, 60])
def test_a_cut_bag_is_refused_with_how_much_was_cut(length: int) -> None:
    with pytest.raises(EvidenceError, match="damaged"):
        parse(BAG[:length]).check()


@pytest.mark.parametrize(
    ("tag", "count", "said"),
    [
        ("DPIC", 2**31, "2,147,483,648 rounds"), ("DPIC", 50_000_001, "50,000,001 rounds"), ("DPIC", 0, "0 rounds"),
        ("ITER", 2**31 - 1, "2,147,483,647 rounds"), ("ITER", 0, "0 rounds"), ("ITER", 2**32 - 1, "4,294,967,295"),
    ],
)  # fmt: skip
def test_absurd_round_counts_are_refused_before_any_time_is_spent(tag: str, count: int, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(EvidenceError, match=f"{said}.*{tag}") as raised:
        parse(altered(tag, count.to_bytes(4, "big"))).derive(PASSWORD)
    assert raised.value.exit_code == 3
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("length", [2**32 - 1, 2**31, 525])
def test_a_record_that_says_it_is_longer_than_the_bag_is_the_tail(length: int) -> None:
    bag = parse(BAG + b"WPKY" + length.to_bytes(4, "big") + bytes(40))
    assert len(bag.tail) == 48
    with pytest.raises(EvidenceError, match="48 bytes at its end"):
        bag.check()


@pytest.mark.parametrize(("data", "said"), [
    (BAG + record("XXXX", b"") * 1_000_000, "8,000,524 bytes"),
    (BAG + record("XXXX", b"") * 100_000, "more than 4,096 records"),
    (BAG + record("XXXX", bytes(2**20)), "1,049,108 bytes"),
    (b"".join(record("UUID", bytes(16)) for _ in range(40_000)), "more than 4,096 records"),
])  # fmt: skip
def test_a_huge_bag_is_refused_in_little_time_and_memory(data: bytes, said: str) -> None:
    began = time.monotonic()
    tracemalloc.start()
    with pytest.raises(EvidenceError, match=said):
        parse(data).derive(PASSWORD)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.monotonic() - began < 5
    assert peak < 16 * 2**20


@pytest.mark.parametrize("tag", ["SALT", "DPSL", "ITER", "DPIC"])
def test_a_record_that_is_there_twice_with_other_contents_is_refused(tag: str) -> None:
    start = BAG.index(tag.encode())
    length = int.from_bytes(BAG[start + 4 : start + 8], "big")
    twice = BAG[:start] + record(tag, bytes([7]) * length) + BAG[start:]
    with pytest.raises(EvidenceError, match=f"2 different values of {tag}"):
        parse(twice).check()
    harmless = BAG[:start] + BAG[start : start + 8 + length] + BAG[start:]
    assert parse(harmless).derive(PASSWORD).hex() == KEK


def test_a_key_that_is_there_twice_within_one_class_is_refused() -> None:
    with pytest.raises(EvidenceError, match="2 different values of WPKY of class record 3"):
        parse(BAG + record("WPKY", bytes(40))).check()


def test_two_bags_in_one_are_refused() -> None:
    """Their salts differ, and so do their keys of the same class: which one counts is never guessed."""
    other = BAG.replace(b"SALT" + bytes([0, 0, 0, 20, 0x84]), b"SALT" + bytes([0, 0, 0, 20, 0x85]))
    with pytest.raises(EvidenceError, match="2 different values of SALT"):
        parse(BAG + other).check()
    same_class = record("UUID", bytes(16)) + number("CLAS", 3) + number("WRAP", 2) + record("WPKY", bytes(40))
    with pytest.raises(EvidenceError, match="2 different values of the key of class 3"):
        parse(BAG + same_class).check()


@pytest.mark.parametrize(("tag", "length"), [("SALT", 19), ("DPSL", 21), ("DPSL", 0), ("SALT", 100_000)])
def test_a_salt_of_another_length_is_damage_and_no_wrong_passphrase(tag: str, length: int) -> None:
    with pytest.raises(EvidenceError, match=f"its {tag} is {length:,} bytes long"):
        parse(altered(tag, bytes(length))).derive(PASSWORD)


@pytest.mark.parametrize("tag", ["DPIC", "DPSL"])
def test_half_of_the_first_stage_is_damage_and_no_wrong_passphrase(tag: str) -> None:
    with pytest.raises(EvidenceError, match="one without the other"):
        parse(BAG.replace(tag.encode(), b"XXXX")).derive(PASSWORD)


def test_unknown_records_are_kept() -> None:
    bag = parse(record("NEWT", b"\x01\x02") + BAG)
    assert bag.unknown == (("NEWT", "0102"),)
    assert bag.derive(PASSWORD).hex() == KEK


@pytest.mark.parametrize("data", [b"", b"\0", bytes(8), b"UUID" + bytes(4), record("UUID", b"") * 2])
def test_a_bag_that_holds_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="damaged"):
        parse(data).check()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(BAG) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_whatever_bytes_are_changed_it_ends_in_one_of_three_ways(changes: list[tuple[int, int]]) -> None:
    broken = bytearray(BAG)
    for at, value in changes:
        broken[at] = value
    bag = parse(bytes(broken))
    assert bag.size == len(BAG)
    try:
        bag.check()
        keys = bag.unwrap(bytes.fromhex(KEK))
    except (EvidenceError, PassphraseError):
        return
    for number_ in (11, 4, 3):
        try:
            keys.file_key(number_.to_bytes(4, "little") + FILE_KEY[4:])
        except KeyUnavailableError:
            continue
        assert number_ == 3


def test_a_watched_derivation_gives_the_same_key() -> None:
    assert parse(BAG).derive(PASSWORD, Silent()).hex() == KEK


def test_keys_do_not_show_in_a_representation() -> None:
    keys = parse(BAG).unwrap(bytes.fromhex(KEK))
    assert "1b8b6034" not in repr(keys) + repr(parse(BAG))
    assert "d4e16ffe" not in repr(parse(BAG))
