"""The key bag against vectors that other tools agreed on, and against the layout of a device's bag."""

from __future__ import annotations

import hashlib
import random
import struct

import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from bagtag.sample_backups.keybag import ClassKey, KeyBag, encrypt, first_stage, new_bag, pad, second_stage

PASSPHRASE = "kat-pässword"
BAG = bytes.fromhex(
    "56455253000000040000000554595045000000040000000155554944000000102054449d0bc4d16b2a406ec6ed9cc7c0484d434b00000028"
    "fb34edaac9aaad3fe30a84b0d7440bbf79f351f08b591c0443ec5d1605750b9b3290b4ee403b4eb157524150000000040000000053414c54"
    "0000001484972dc0338d9597c4787b249e0e750445f852d8495445520000000400000064445057540000000400000001445049430000000400"
    "0007d04450534c000000145fea8fd2477db39bb83970899b37257bf521d4da5555494400000010df8bed5ecf3b1dcfffa13e274c59a04e43"
    "4c4153000000040000000b5752415000000004000000034b545950000000040000000057504b5900000028ceb8fa446875e1019a0ff4d55d"
    "d7955a87ff5e208c4b0819aad193f5ba24634b152155878fc32a635555494400000010e244d27b77c293039c1fc6262fd31540434c415300"
    "000004000000045752415000000004000000024b545950000000040000000057504b5900000028d4e16ffe8fb4612aa1fa215f5f3965241e"
    "b5f518ab6426e364c469200afe609deb86397411162afd55554944000000105ef97bb8313d825e95801026e6a3a91c434c41530000000400"
    "0000035752415000000004000000024b545950000000040000000057504b5900000028e2dc6d72f8ed40b010ac8a3d1e6c340ab3b181a789"
    "06e9b239d955dc8b9093cdf102c332d4c5a6d7"
)
KEK = "fb4af14ab096881de03d79701b3cd271f010a3d245ba43fdfdefa1bd8b216eb0"
CLASS_KEYS = {
    11: "767470814f785d3633a7fb8c7ef2420f2109a4dce1f6f6c5ce5e98dae47fc454",
    4: "1426e8971e2bc485c8cc93c0334170d4161d298a69a2c2cf01ff8352f9b69796",
    3: "1b8b6034996bb11a9e7022e9e038cc2512406d66022f124faa00543ebf56aa58",
}


def records(bag: bytes) -> list[tuple[str, bytes]]:
    found, at = [], 0
    while at < len(bag):
        (length,) = struct.unpack_from(">I", bag, at + 4)
        found.append((bag[at : at + 4].decode(), bag[at + 8 : at + 8 + length]))
        at += 8 + length
    assert at == len(bag)
    return found


def vector_bag() -> KeyBag:
    tags = records(BAG)
    header = dict(reversed(tags[:10]))
    uuids = [value for tag, value in tags[10:] if tag == "UUID"]
    return KeyBag(
        uuid=header["UUID"],
        hmac_key=header["HMCK"],
        salt=header["SALT"],
        iterations=100,
        dpsl=header["DPSL"],
        dpic=2000,
        kek=bytes.fromhex(KEK),
        classes=[
            ClassKey(number, uuid, bytes.fromhex(key))
            for (number, key), uuid in zip(CLASS_KEYS.items(), uuids, strict=True)
        ],
    )


def test_two_rounds_of_pbkdf2_lead_from_the_passphrase_to_the_known_key() -> None:
    bag = vector_bag()
    assert bag.dpsl is not None
    secret = first_stage(PASSPHRASE, bag.dpsl, 2000)
    assert secret.hex() == "5a3d194f2927aeff6dc83fa7babdc68c43e956a6c3eaf9d172f56bad364431bc"
    assert second_stage(secret, bag.salt, 100).hex() == KEK


def test_the_old_way_derives_from_the_passphrase_with_the_second_round_alone() -> None:
    old = second_stage(PASSPHRASE.encode(), vector_bag().salt, 100)
    assert old.hex() == "7f20fefc2d9e5948998f54cfa3ba720454670ad70b021d42eda3b8a6508515fd"


def test_the_known_bag_is_written_byte_for_byte() -> None:
    assert vector_bag().stored() == BAG


def test_the_key_of_the_index_is_wrapped_under_class_4() -> None:
    key = bytes.fromhex("d61090a86b83b69a6ade868c5fbcc1641c7b8c5a8702b28f47bc14aeea1a9a29")
    wrapped = "040000002f56ad3b7e27fc7c8b7a5cc88c376c7bd917b908e1b2ae85023b5e595e6f1bfa1a30915a2cdcbf0a"
    assert vector_bag().wrapped(4, key).hex() == wrapped


def test_a_file_key_is_wrapped_under_its_class_with_a_little_endian_number() -> None:
    key = bytes.fromhex("3281452db23f7d4adf6ecafcda33c5c605c6fa1dff593b301fdf383e3ac0313c")
    wrapped = "03000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba"
    assert vector_bag().wrapped(3, key).hex() == wrapped


def test_a_blob_is_cbc_with_a_zero_iv_and_padding_even_where_it_is_aligned() -> None:
    key = bytes.fromhex("3281452db23f7d4adf6ecafcda33c5c605c6fa1dff593b301fdf383e3ac0313c")
    blob = encrypt(key, pad(b"hello, backup: 16-byte edge case"))
    assert blob.hex() == (
        "1c1ce2182ccc3fe02fa9739f1461199aca377d6b3b21e109ac76215478f7c295b8d5c33e5b61617753b8419ccf5ab45b"
    )
    assert hashlib.sha1(blob).hexdigest() == "c8b7e6565a6c1016c89a0e4e6398bc1c54dc3028"
    assert encrypt(key, pad(b"")).hex() == "f93994aae29db6f290f9bc19cda28b22"


def test_a_new_bag_has_eleven_classes_from_11_down_to_1_in_1388_bytes() -> None:
    stored = new_bag(random.Random(7), "secret", 10, 10).stored()
    tags = records(stored)
    assert len(stored) == 1388
    assert [tag for tag, _ in tags[:10]] == [
        "VERS",
        "TYPE",
        "UUID",
        "HMCK",
        "WRAP",
        "SALT",
        "ITER",
        "DPWT",
        "DPIC",
        "DPSL",
    ]
    assert [tag for tag, _ in tags[10:15]] == ["UUID", "CLAS", "WRAP", "KTYP", "WPKY"]
    classes = [value for tag, value in tags if tag == "CLAS"]
    wraps = [value for tag, value in tags[10:] if tag == "WRAP"]
    assert [int.from_bytes(each, "big") for each in classes] == list(range(11, 0, -1))
    assert [int.from_bytes(each, "big") for each in wraps] == [3, 3, 3, 2, 2, 2, 3, 2, 2, 2, 2]


def test_an_old_bag_has_no_tags_of_the_first_round_and_1336_bytes() -> None:
    bag = new_bag(random.Random(7), "secret", 10, 10, version=3, double_kdf=False)
    tags = records(bag.stored())
    assert len(bag.stored()) == 1336
    assert [tag for tag, _ in tags[:8]] == ["VERS", "TYPE", "UUID", "HMCK", "WRAP", "SALT", "ITER", "UUID"]
    assert tags[0][1] == b"\x00\x00\x00\x03"
    kek = hashlib.pbkdf2_hmac("sha1", b"secret", dict(tags)["SALT"], 10, 32)
    assert [len(aes_key_unwrap(kek, value)) for tag, value in tags if tag == "WPKY"] == [32] * 11


def test_no_class_key_unwraps_under_another_passphrase() -> None:
    bag = new_bag(random.Random(7), "secret", 10, 10)
    assert bag.dpsl is not None
    other = second_stage(first_stage("Secret", bag.dpsl, 10), bag.salt, 10)
    for tag, value in records(bag.stored()):
        if tag == "WPKY":
            assert len(aes_key_unwrap(bag.kek, value)) == 32
            with pytest.raises(InvalidUnwrap):
                aes_key_unwrap(other, value)


def test_the_secrets_of_a_bag_are_not_in_its_repr() -> None:
    bag = new_bag(random.Random(7), "secret", 10, 10)
    assert bag.kek.hex() not in repr(bag)
    assert repr(bag.kek) not in repr(bag)
