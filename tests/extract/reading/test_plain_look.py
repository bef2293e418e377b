"""Blobs that another tool decrypted in place are told from ciphertext, and cut ciphertext from them."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bagtag.extract.reading.plain_look import looks_plain, nobody_can_tell

KEY = bytes(range(32))
TEXT = b"A perfectly readable sentence, again and again. " * 10


def sealed(plain: bytes) -> bytes:
    missing = 16 - len(plain) % 16
    return Cipher(algorithms.AES(KEY), modes.CBC(bytes(16))).encryptor().update(plain + bytes([missing]) * missing)


@pytest.mark.parametrize("start", [b"SQLite format 3\0", b"bplist00", b"\x89PNG\r\n\x1a\n"])
def test_a_known_start_is_plain_whatever_the_size_says(start: bytes) -> None:
    assert looks_plain(start + bytes(100), 4096, 17, KEY)


def test_a_short_known_start_counts_only_with_the_exact_size() -> None:
    jpeg = b"\xff\xd8\xff\xe0" + bytes(60)
    assert looks_plain(jpeg, 64, 64)
    assert not looks_plain(jpeg, 64, 63)


def test_the_exact_size_and_no_whole_blocks_are_plain() -> None:
    assert looks_plain(TEXT[:333], 333, 333, KEY)
    assert not looks_plain(TEXT[:333], 333, 334, KEY)
    assert not looks_plain(TEXT[:333], 333, None, KEY)


def test_ciphertext_cut_to_the_very_size_is_still_ciphertext() -> None:
    plain = TEXT[:475]  # 475 = 29 blocks and 11 bytes, so 480 stored, and 5 of them lost
    assert not looks_plain(sealed(plain)[:475], 475, 475, KEY)


@pytest.mark.parametrize("size", [0, 1, 16, 100, 475])
def test_whole_ciphertext_is_never_plain(size: int) -> None:
    stored = sealed(TEXT[:size])
    assert not looks_plain(stored, len(stored), size, KEY)


def test_a_blob_of_whole_blocks_that_the_key_brings_into_disorder_is_plain() -> None:
    content = TEXT[: len(TEXT) // 16 * 16]
    assert looks_plain(content, len(content), len(content), KEY)
    assert not looks_plain(content, len(content), len(content) - 1, KEY)
    cut = sealed(content)[: len(content)]  # as long as the file, without its padding
    assert not looks_plain(cut, len(cut), len(cut), KEY)
    noise = hashlib.sha512(b"noise").digest()
    assert not looks_plain(noise, 64, 64, KEY)
    assert nobody_can_tell(noise, 64, 64, KEY)
    assert not nobody_can_tell(cut, len(cut), len(cut), KEY)
    assert not nobody_can_tell(noise, 64, 63, KEY)
