"""Key derivation and unwrapping against published vectors (hashcat and john self-tests) and minted known answers."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from bagtag.custody.errors import EvidenceError, PassphraseError
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

HASHCAT = [
    ("hashcat", "$itunes_backup$*9*ebd7f9b33293b2511f0a4139d5b213feff51476968863cef60ec38d720497b6ff39a0bb63fa9f84e*10000*2202015774208421818002001652122401871832**"),  # noqa: E501
    ("hashcat", "$itunes_backup$*10*17a3b858e79bc273be43a9f113b71efe7ec8e7e401396b350180b4592ef45db67ffef7b2d64329a5*10000*2721336781705041205314422175267631184867*1000*99fafc983e732998adb9fadc162a2e382143f115"),  # noqa: E501
    ("123456", "$itunes_backup$*9*bc707ac0151660426c8114d04caad9d9ee2678a7b7ab05c18ee50cafb2613c31c8978e8b1e9cad2a*10000*266343aaf99102ba7f6af64a3a2d62637793f753**"),  # noqa: E501
    ("855632538858211", "$itunes_backup$*10*31021f9c5a705c3625af21739d397082d90f7a00718a9307687625abc35fc3e4d78371e95cc708b6*10000*8840233131165307147445064802216857558435*1000*c77a159b325d10efee51a1c05701ef63fb85b599"),  # noqa: E501
    ("1", "$itunes_backup$*10*b3d3f05b5367345fcb654b9b628e2ed24d8b8726f1f74707a956c776475d6ebfffc962340d9cbbca*10000*6832814730342072666684158073107301064276*1000*46de5e844e0ee1c81d2cca6acefb77789c1a7cd0"),  # noqa: E501
    ("test123", "$itunes_backup$*9*06dc04bca4eeea2fbc1bc7356fa758243bead479673640a668db285c8f48c402cc435539d935509e*10000*37d2bd7caefbb24a9729e41a3257ef06188dc01e**"),  # noqa: E501
]  # fmt: skip
SLOW = "$itunes_backup$*10*deff6d646eb1fa2b6741efee8b70eda84341a838cef2bb10e582669759d7e33c399a0ba2a52cb9ec*10000*f09cfa82cc1695657cb2c347ee127c2523795fda*10000000*66f159e15f3ddbbdd4057f8babef7ad4472fac10"  # noqa: E501


def record(tag: str, value: bytes) -> bytes:
    return tag.encode() + len(value).to_bytes(4, "big") + value


def number(tag: str, value: int) -> bytes:
    return record(tag, value.to_bytes(4, "big"))


def bag_of(text: str) -> bytes:
    """A key bag of one class that holds what a published hash string holds."""
    _, wrapped, iterations, salt, dpic, dpsl = text.removeprefix("$itunes_backup$*").split("*")
    return b"".join(
        [
            number("VERS", 3), number("TYPE", 1), record("UUID", bytes(16)),
            record("SALT", bytes.fromhex(salt)), number("ITER", int(iterations)),
            *([number("DPIC", int(dpic)), record("DPSL", bytes.fromhex(dpsl))] if dpic else []),
            record("UUID", bytes(16)), number("CLAS", 4), number("WRAP", 2), record("WPKY", bytes.fromhex(wrapped)),
        ]
    )  # fmt: skip


@pytest.mark.parametrize(("passphrase", "text"), HASHCAT)
def test_published_strings_open_with_their_passphrase_and_no_other(passphrase: str, text: str) -> None:
    bag = parse(bag_of(text))
    assert bag.unwrap(bag.derive(passphrase)).closed == {}
    with pytest.raises(PassphraseError):
        bag.unwrap(bag.derive(passphrase + "x"))


@pytest.mark.slow
def test_a_real_bag_with_ten_million_rounds_gives_the_published_class_key() -> None:
    bag = parse(bag_of(SLOW))
    key = bag.derive("test123")
    assert key.hex().startswith("14b002704b80")
    wrapped = bag.classes[0].wrapped
    assert wrapped is not None
    assert aes_key_unwrap(key, wrapped).hex() == "c92b6a58e988a31c65fff965911147f624567facbfce602efc1a1da2374de238"


def test_the_minted_bag_derives_the_known_key() -> None:
    bag = parse(BAG)
    assert bag.derive(PASSWORD).hex() == KEK
    assert [(item.number, item.wrap) for item in bag.classes] == [(11, 3), (4, 2), (3, 2)]
    assert bag.tail == b""


def test_the_derived_key_opens_the_known_file_key() -> None:
    keys = parse(BAG).unwrap(bytes.fromhex(KEK))
    assert keys.file_key(FILE_KEY).hex() == "3281452db23f7d4adf6ecafcda33c5c605c6fa1dff593b301fdf383e3ac0313c"


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


def test_absurd_round_counts_are_refused_before_any_time_is_spent() -> None:
    absurd = BAG.replace(bytes.fromhex("44504943000000040000" + "07d0"), bytes.fromhex("4450494300000004" + "7fffffff"))
    with pytest.raises(EvidenceError, match="2,147,483,647 rounds"):
        parse(absurd).derive(PASSWORD)


def test_keys_do_not_show_in_a_representation() -> None:
    keys = parse(BAG).unwrap(bytes.fromhex(KEK))
    assert "1b8b6034" not in repr(keys) + repr(parse(BAG))
    assert "d4e16ffe" not in repr(parse(BAG))
