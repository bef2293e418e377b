"""AES-256-CBC as backups use it: zero initialisation vector, PKCS#7 padding, for Manifest.db and for every blob.

Padding is always there: a plaintext of whole blocks gets one block more. What has no valid padding at its end was cut
or captured while it was being written; everything that was decrypted is kept.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 16
_MODE = CBC(bytes(BLOCK))


def decryptor(key: bytes) -> CipherContext:
    """A fresh decryption stream for one file key of 32 bytes."""
    return Cipher(AES(key), _MODE).decryptor()


def padding_length(last: bytes) -> int:
    """How many bytes of padding end in `last`, the last block of the plaintext; 0 when there is no valid padding."""
    if not last:
        return 0
    count = last[-1]
    if 1 <= count <= BLOCK and last[-count:] == bytes([count]) * count:
        return count
    return 0
