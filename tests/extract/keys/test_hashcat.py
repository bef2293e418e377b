"""The self-test strings that hashcat (modes 14700, 14800) and John the Ripper (itunes_fmt_plug.c) publish."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from bagtag.custody.errors import EvidenceError, PassphraseError
from bagtag.extract.keybag import ClassKey
from bagtag.extract.keys.hashcat import parse, puzzle, weak_hash

TEN_MILLION = "$itunes_backup$*10*deff6d646eb1fa2b6741efee8b70eda84341a838cef2bb10e582669759d7e33c399a0ba2a52cb9ec*10000*f09cfa82cc1695657cb2c347ee127c2523795fda*10000000*66f159e15f3ddbbdd4057f8babef7ad4472fac10"  # noqa: E501
SIX = [
    ("hashcat", "$itunes_backup$*9*ebd7f9b33293b2511f0a4139d5b213feff51476968863cef60ec38d720497b6ff39a0bb63fa9f84e*10000*2202015774208421818002001652122401871832**"),  # noqa: E501
    ("hashcat", "$itunes_backup$*10*17a3b858e79bc273be43a9f113b71efe7ec8e7e401396b350180b4592ef45db67ffef7b2d64329a5*10000*2721336781705041205314422175267631184867*1000*99fafc983e732998adb9fadc162a2e382143f115"),  # noqa: E501
    ("123456", "$itunes_backup$*9*bc707ac0151660426c8114d04caad9d9ee2678a7b7ab05c18ee50cafb2613c31c8978e8b1e9cad2a*10000*266343aaf99102ba7f6af64a3a2d62637793f753**"),  # noqa: E501
    ("855632538858211", "$itunes_backup$*10*31021f9c5a705c3625af21739d397082d90f7a00718a9307687625abc35fc3e4d78371e95cc708b6*10000*8840233131165307147445064802216857558435*1000*c77a159b325d10efee51a1c05701ef63fb85b599"),  # noqa: E501
    ("1", "$itunes_backup$*10*b3d3f05b5367345fcb654b9b628e2ed24d8b8726f1f74707a956c776475d6ebfffc962340d9cbbca*10000*6832814730342072666684158073107301064276*1000*46de5e844e0ee1c81d2cca6acefb77789c1a7cd0"),  # noqa: E501
    ("test123", "$itunes_backup$*9*06dc04bca4eeea2fbc1bc7356fa758243bead479673640a668db285c8f48c402cc435539d935509e*10000*37d2bd7caefbb24a9729e41a3257ef06188dc01e**"),  # noqa: E501
]  # fmt: skip
PUBLISHED = [*SIX, pytest.param("test123", TEN_MILLION, marks=pytest.mark.slow)]
OLD, NEW = SIX[0][1], SIX[1][1]
CLASS_KEYS = [  # passphrase, string, how the derived key begins where that is published, class key
    (*SIX[2], "", "0003897185014cf89b30fb01979f5e675409edfce0cda6cba5f5467a969ebbae"),
    (*SIX[5], "", "974df46624faf86673d42c658a628872963ed4ab1527b01f75f8c87719c8a44c"),
    pytest.param(
        "test123", TEN_MILLION, "14b002704b80", "c92b6a58e988a31c65fff965911147f624567facbfce602efc1a1da2374de238",
        marks=pytest.mark.slow,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("passphrase", "text"), PUBLISHED)
def test_a_published_string_opens_with_its_passphrase_and_no_other(passphrase: str, text: str) -> None:
    bag = parse(text)
    assert bag.unwrap(bag.derive(passphrase)).closed == {}
    with pytest.raises(PassphraseError):
        bag.unwrap(bag.derive(passphrase + "x"))


@pytest.mark.parametrize(("passphrase", "text", "kek", "key"), CLASS_KEYS)
def test_the_class_keys_that_are_known_come_out(passphrase: str, text: str, kek: str, key: str) -> None:
    bag = parse(text)
    derived = bag.derive(passphrase)
    assert derived.hex().startswith(kek)
    assert aes_key_unwrap(derived, bag.classes[0].wrapped or b"").hex() == key


@pytest.mark.parametrize("text", [*(text for _, text in SIX), TEN_MILLION])
def test_the_published_string_comes_out_of_its_key_bag(text: str) -> None:
    assert puzzle(parse(text)) == text


def test_class_11_is_taken_where_it_can_be_and_else_the_first_under_the_passphrase() -> None:
    bag = parse(NEW)
    (published,) = bag.classes
    for others in (
        [ClassKey(4, 2, 0, "", bytes(40)), published],
        [ClassKey(10, 1, 0, "", bytes(40)), dataclasses.replace(published, number=9), ClassKey(3, 2, 0, "", bytes(40))],
        [ClassKey(11, 2, 0, "", bytes(32)), dataclasses.replace(published, number=4)],
    ):
        assert puzzle(dataclasses.replace(bag, classes=tuple(others))) == NEW


def test_classes_that_the_device_alone_wraps_are_no_puzzle() -> None:
    bag = parse(NEW)
    with pytest.raises(EvidenceError, match="nothing to guess"):
        puzzle(dataclasses.replace(bag, classes=(ClassKey(11, 1, 0, "", bytes(40)),)))


@pytest.mark.parametrize(
    "text",
    [
        "", "$itunes_backup$", OLD + "\n", OLD[:-1], NEW[:-1], NEW + "0", NEW.replace("*10*", "*11*"), NEW.upper(),
        NEW.replace("*10000*", "*99999999999*"), NEW.replace("*10000*", "*-1*"), NEW.replace("*10000*", "*٣*"),
        NEW.replace("17a3b8", "17a3"), "$itunes_backup$*9*" + "*" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_such_string_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no \\$itunes_backup\\$ line"):
        parse(text)


def test_the_weak_hash_of_ios_10_0_is_hash_and_salt_in_hex() -> None:
    """The known answer for the passphrase of this project's vectors: SHA-256 of passphrase and salt, one round."""
    salt = bytes.fromhex("7d79c37dde88dabd79d68ad12a4d26c161ad875a349b6ac068600403aeab5a22")
    digest = bytes.fromhex("c54211d95b0683659f9a8f94b7245c27c273925fc25f6d283e61e4a711238c77")
    assert weak_hash(digest, salt) == (
        "c54211d95b0683659f9a8f94b7245c27c273925fc25f6d283e61e4a711238c77:"
        "7d79c37dde88dabd79d68ad12a4d26c161ad875a349b6ac068600403aeab5a22"
    )
