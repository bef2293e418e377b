"""Does a blob look readable as it is, although its row carries a key? Then another tool decrypted it in place.

Ciphertext has no telling start and is whole blocks, always longer than the file's size. Known starts of files decide;
else a length that is exactly the manifest's Size: of no whole blocks, unless the key brings order into the bytes (then
it is a truncated copy that happens to be as long as the file); of whole blocks, if the key brings disorder into them.
"""

from __future__ import annotations

from bagtag.extract.reading.cipher import BLOCK, decryptor

# Eight bytes and more: chance in ciphertext is 2^-64 and less.
_CERTAIN = (b"SQLite format 3\0", b"bplist00", b"\x89PNG\r\n\x1a\n", b"<?xml version")
# Short ones count only for a blob that is exactly as long as the file.
_PROBABLE = (
    b"\xff\xd8\xff",
    b"%PDF-",
    b"PK\x03\x04",
    b"GIF8",
    b"caff",
    b"RIFF",
    b"{\\rtf",
    b"#!AMR",
    b"\x1f\x8b",
    b"BEGIN:",
)
_BOX = b"ftyp"
"""HEIC, MP4, MOV: bytes 4 to 7."""
_SAMPLE = 256


def looks_plain(head: bytes, length: int, size: int | None, key: bytes | None = None) -> bool:
    """Judge by the first bytes (up to 4,096), the blob's length, the manifest's Size and the file key, if at hand."""
    if head.startswith(_CERTAIN):
        return True
    if length != size:
        return False
    if head.startswith(_PROBABLE) or head[4:8] == _BOX:
        return True
    if length % BLOCK:
        return key is None or not _brings_order(head, key)
    return key is not None and _brings_disorder(head, key)


def nobody_can_tell(head: bytes, length: int, size: int | None, key: bytes) -> bool:
    """Whether a blob that does not look plain may be so all the same: as long as the file, and noise either way."""
    return length == size and length % BLOCK == 0 and not _brings_order(head, key)


def _brings_order(head: bytes, key: bytes) -> bool:
    """Whether decryption leaves clearly fewer different byte values: 256 random bytes have about 162 of them."""
    before, after = _variety(head, key)
    return after * 4 < before * 3


def _brings_disorder(head: bytes, key: bytes) -> bool:
    """Whether decryption makes clearly more of them: what lies there is in better order without it."""
    before, after = _variety(head, key)
    return before * 4 < after * 3


def _variety(head: bytes, key: bytes) -> tuple[int, int]:
    """How many different byte values there are in the first whole blocks, as they lie and decrypted."""
    whole = head[: min(len(head), _SAMPLE) // BLOCK * BLOCK]
    return len(set(whole)), len(set(decryptor(key).update(whole)))
