"""Published vectors through our own functions where one takes them, else through the library call it rests on.

RFC 3394 4.1-4.6 (key wrap), RFC 6070 (PBKDF2-HMAC-SHA1), RFC 7914 section 11 (PBKDF2-HMAC-SHA256), NIST SP 800-38A
F.2.5 and F.2.6 (CBC with AES-256), and this project's known answers for a key bag, an index key and a file, which
iphone-backup-decrypt and pyiosbackup confirmed when they were made.
"""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from bagtag.extract.keybag import ClassKey, ClassKeys, KeyBag, parse
from bagtag.extract.keys.derivation import Stage
from bagtag.extract.reading.cipher import decryptor, padding_length

KEK_OF_RFC_3394 = bytes(range(32))
DATA_OF_RFC_3394 = bytes.fromhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
WRAPS = [  # section, bits of the wrapping key, bits of the key data, ciphertext
    ("4.1", 128, 128, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
    ("4.2", 192, 128, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
    ("4.3", 256, 128, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
    ("4.4", 192, 192, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
    ("4.5", 256, 192, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"),
    ("4.6", 256, 256, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"),
]
SHA1_STAGES = [  # passphrase, salt, rounds, derived key
    (b"password", b"salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
    (b"password", b"salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
    (b"password", b"salt", 4096, "4b007901b765489abead49d926f721d065a429c1"),
    (
        b"passwordPASSWORDpassword", b"saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096,
        "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
    ),
    (b"pass\0word", b"sa\0lt", 4096, "56fa6aa75548099dcc37d7f03425e0c3"),
    pytest.param(b"password", b"salt", 16_777_216, "eefe3d61cd4da4e4e9945b3d6ba2158c2634e984", marks=pytest.mark.slow),
]  # fmt: skip
SHA256_STAGES = [
    (
        b"passwd", b"salt", 1,
        ("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
         "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"),
    ),
    (
        b"Password", b"NaCl", 80_000,
        ("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
         "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"),
    ),
]  # fmt: skip

NIST_KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
NIST_IV = bytes(range(16))
NIST_PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
NIST_SEALED = bytes.fromhex(
    "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
    "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"
)

PASSPHRASE = "kat-pässword"
BAG = bytes.fromhex(
    "56455253000000040000000554595045000000040000000155554944000000102054449d0bc4d16b2a406ec6ed9cc7c0484d434b00000028fb"
    "34edaac9aaad3fe30a84b0d7440bbf79f351f08b591c0443ec5d1605750b9b3290b4ee403b4eb157524150000000040000000053414c540000"
    "001484972dc0338d9597c4787b249e0e750445f852d84954455200000004000000644450575400000004000000014450494300000004000007"
    "d04450534c000000145fea8fd2477db39bb83970899b37257bf521d4da5555494400000010df8bed5ecf3b1dcfffa13e274c59a04e434c4153"
    "000000040000000b5752415000000004000000034b545950000000040000000057504b5900000028ceb8fa446875e1019a0ff4d55dd7955a87"
    "ff5e208c4b0819aad193f5ba24634b152155878fc32a635555494400000010e244d27b77c293039c1fc6262fd31540434c4153000000040000"
    "00045752415000000004000000024b545950000000040000000057504b5900000028d4e16ffe8fb4612aa1fa215f5f3965241eb5f518ab6426"
    "e364c469200afe609deb86397411162afd55554944000000105ef97bb8313d825e95801026e6a3a91c434c4153000000040000000357524150"
    "00000004000000024b545950000000040000000057504b5900000028e2dc6d72f8ed40b010ac8a3d1e6c340ab3b181a78906e9b239d955dc8b"
    "9093cdf102c332d4c5a6d7"
)
FIRST_KEY = "5a3d194f2927aeff6dc83fa7babdc68c43e956a6c3eaf9d172f56bad364431bc"
KEK = "fb4af14ab096881de03d79701b3cd271f010a3d245ba43fdfdefa1bd8b216eb0"
OLD_KEK = "7f20fefc2d9e5948998f54cfa3ba720454670ad70b021d42eda3b8a6508515fd"
CLASS_KEYS = {  # class 11 is the device's too: this is what the passphrase's layer alone gives
    11: "767470814f785d3633a7fb8c7ef2420f2109a4dce1f6f6c5ce5e98dae47fc454",
    4: "1426e8971e2bc485c8cc93c0334170d4161d298a69a2c2cf01ff8352f9b69796",
    3: "1b8b6034996bb11a9e7022e9e038cc2512406d66022f124faa00543ebf56aa58",
}
INDEX_KEY = "040000002f56ad3b7e27fc7c8b7a5cc88c376c7bd917b908e1b2ae85023b5e595e6f1bfa1a30915a2cdcbf0a"
FILE_KEY = "03000000fcd2e0168ede2ab9d9d487effd529ab043b98fcf110bcc44ef6713a25509a68fbf2a480cf14437ba"
BLOB = bytes.fromhex("1c1ce2182ccc3fe02fa9739f1461199aca377d6b3b21e109ac76215478f7c295b8d5c33e5b61617753b8419ccf5ab45b")


def one_class(wrapped: bytes) -> KeyBag:
    """A key bag of class 3 alone."""
    return KeyBag(
        version=5, kind=1, uuid=None, salt=bytes(20), iterations=1, double_protection_salt=None,
        double_protection_iterations=None, classes=(ClassKey(3, 2, 0, "", wrapped),), unknown=(), tail=b"", size=0,
    )  # fmt: skip


def opened() -> ClassKeys:
    """The class keys of the minted bag."""
    bag = parse(BAG)
    return bag.unwrap(bag.derive(PASSPHRASE))


@pytest.mark.parametrize(("section", "kek", "data", "wrapped"), WRAPS, ids=[wrap[0] for wrap in WRAPS])
def test_rfc_3394_unwraps(section: str, kek: int, data: int, wrapped: str) -> None:
    key = KEK_OF_RFC_3394[: kek // 8]
    assert aes_key_unwrap(key, bytes.fromhex(wrapped)) == DATA_OF_RFC_3394[: data // 8]
    with pytest.raises(InvalidUnwrap):
        aes_key_unwrap(key, bytes.fromhex(wrapped)[:-1] + bytes([int(wrapped[-2:], 16) ^ 1]))


def test_rfc_3394_4_6_is_the_wrap_of_a_class_key_and_of_a_file_key() -> None:
    wrapped = bytes.fromhex(WRAPS[-1][3])
    assert one_class(wrapped).unwrap(KEK_OF_RFC_3394).closed == {}
    keys = ClassKeys({3: KEK_OF_RFC_3394}, {}, damaged=0)
    assert keys.file_key((3).to_bytes(4, "little") + wrapped) == DATA_OF_RFC_3394


@pytest.mark.parametrize(("secret", "salt", "rounds", "key"), SHA1_STAGES)
def test_rfc_6070_begins_every_sha1_stage(secret: bytes, salt: bytes, rounds: int, key: str) -> None:
    """PBKDF2 gives its output block after block, so a shorter published key is the beginning of our 32 bytes."""
    assert Stage(hashes.SHA1(), salt, rounds).derive(secret).hex().startswith(key)


@pytest.mark.parametrize(("secret", "salt", "rounds", "key"), SHA256_STAGES)
def test_rfc_7914_gives_the_sha256_stage(secret: bytes, salt: bytes, rounds: int, key: str) -> None:
    assert len(key) == 128
    assert Stage(hashes.SHA256(), salt, rounds).derive(secret).hex() == key[:64]


def test_nist_f_2_6_decrypts_and_only_the_first_block_knows_the_vector() -> None:
    plain = decryptor(NIST_KEY).update(NIST_SEALED)
    first = bytes(left ^ right for left, right in zip(plain[:16], NIST_IV, strict=True))
    assert first + plain[16:] == NIST_PLAIN


def test_nist_f_2_5_encrypts_what_our_decryptor_reads_in_any_pieces() -> None:
    assert Cipher(AES(NIST_KEY), CBC(NIST_IV)).encryptor().update(NIST_PLAIN) == NIST_SEALED
    sealed = Cipher(AES(NIST_KEY), CBC(bytes(16))).encryptor().update(NIST_PLAIN)
    stream = decryptor(NIST_KEY)
    assert b"".join(stream.update(sealed[at : at + 7]) for at in range(0, len(sealed), 7)) == NIST_PLAIN


def test_both_stages_of_the_minted_bag_give_the_known_keys() -> None:
    bag = parse(BAG)
    assert len(BAG) == 524
    assert (bag.version, bag.kind, bag.iterations, bag.double_protection_iterations) == (5, 1, 100, 2000)
    assert [(item.number, item.wrap) for item in bag.classes] == [(11, 3), (4, 2), (3, 2)]
    assert bag.double_protection_salt is not None
    first = Stage(hashes.SHA256(), bag.double_protection_salt, 2000).derive(PASSPHRASE.encode())
    assert first.hex() == FIRST_KEY
    assert Stage(hashes.SHA1(), bag.salt, 100).derive(first).hex() == KEK
    assert bag.derive(PASSPHRASE).hex() == KEK


def test_the_known_class_keys_come_out_of_the_minted_bag() -> None:
    found = {key.number: aes_key_unwrap(bytes.fromhex(KEK), key.wrapped or b"").hex() for key in parse(BAG).classes}
    assert found == CLASS_KEYS


def test_the_old_variant_goes_through_the_sha1_stage_alone() -> None:
    records = BAG.replace(
        bytes.fromhex("5645525300000004" + "00000005"), bytes.fromhex("5645525300000004" + "00000003")
    )
    start, end = records.index(b"DPWT"), records.index(b"DPSL") + 8 + 20
    bag = parse(records[:start] + records[end:])
    assert (bag.version, bag.double_protection) == (3, False)
    assert bag.derive(PASSPHRASE).hex() == OLD_KEK


def test_the_key_of_the_index_opens_with_class_4() -> None:
    key = opened().file_key(bytes.fromhex(INDEX_KEY))
    assert key.hex() == "d61090a86b83b69a6ade868c5fbcc1641c7b8c5a8702b28f47bc14aeea1a9a29"


def test_a_file_of_two_whole_blocks_has_a_third_of_padding() -> None:
    key = opened().file_key(bytes.fromhex(FILE_KEY))
    assert key.hex() == "3281452db23f7d4adf6ecafcda33c5c605c6fa1dff593b301fdf383e3ac0313c"
    plain = decryptor(key).update(BLOB)
    assert padding_length(plain[-16:]) == 16
    assert plain[:-16] == b"hello, backup: 16-byte edge case"
    assert hashlib.sha256(plain[:-16]).hexdigest() == "86257ff35d309fba7753dd5bc391c113de6e7310fa7a04cabf134495338a61c2"
    assert hashlib.sha1(BLOB).hexdigest() == "c8b7e6565a6c1016c89a0e4e6398bc1c54dc3028"


def test_an_empty_file_is_one_block_of_padding() -> None:
    key = opened().file_key(bytes.fromhex(FILE_KEY))
    plain = decryptor(key).update(bytes.fromhex("f93994aae29db6f290f9bc19cda28b22"))
    assert padding_length(plain) == 16
