"""What to do with the blob of a regular file: decrypt it, take it as it is, or only hash it, judged by its first bytes.

The row's record says whether there is a key, the set says whether it was decrypted in place, and the blob itself has
the last word: one that is readable as it lies there needs no key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from bagtag.extract.evidence import Outcome
from bagtag.extract.index.mbfile import FileMetadata
from bagtag.extract.keybag import KeyUnavailableError
from bagtag.extract.reading.plain_look import looks_plain, nobody_can_tell
from bagtag.extract.reading.set_keys import State

HEAD = 4096
"""So many of the first bytes are looked at."""

Treatment = bytes | Literal["copy", "leave"]
"""Decrypt it with this key, take it as it is, or only hash it."""


class Keys(Protocol):
    """The state of a set and its keys; a `Backup` is one."""

    @property
    def state(self) -> State:
        """How the set is stored."""

    def file_key(self, wrapped: bytes, /) -> bytes:
        """The key of one file from its record's 44 bytes. Raises KeyUnavailableError."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The treatment, and what it says about the row as long as the blob is read to its end without trouble.

    `doubtful`: without valid padding at its end the blob may be plain.
    """

    treatment: Treatment = field(repr=False)
    outcome: Outcome = Outcome.OK
    finding: str | None = None
    doubtful: bool = False


_COPY = Choice("copy")
_LEAVE = Choice("leave")
_ALREADY_PLAIN = Choice("copy", Outcome.ALREADY_PLAIN)
_UNAVAILABLE = Choice("leave", Outcome.KEY_UNAVAILABLE)


def choose(keys: Keys, metadata: FileMetadata | None, head: bytes, length: int) -> Choice:
    """Choose for a blob of `length` bytes that begins with `head` (up to `HEAD` bytes); no metadata: a bad record."""
    if metadata is None:
        return _LEAVE if keys.state == "encrypted" else _COPY
    if not length:
        return Choice("copy", Outcome.TRUNCATED if metadata.size else Outcome.OK_EMPTY)
    wrapped = metadata.encryption_key
    if wrapped is None:
        return _without_key(keys, head, length, metadata.size)
    if keys.state == "already-plain":
        return _ALREADY_PLAIN
    try:
        key = keys.file_key(wrapped)
    except KeyUnavailableError:
        return _ALREADY_PLAIN if looks_plain(head, length, metadata.size) else _UNAVAILABLE
    if looks_plain(head, length, metadata.size, key):
        return _ALREADY_PLAIN
    return Choice(key, doubtful=nobody_can_tell(head, length, metadata.size, key))


def _without_key(keys: Keys, head: bytes, length: int, size: int | None) -> Choice:
    """In an encrypted set a file without a key is odd: it is taken when nothing speaks for ciphertext."""
    if keys.state != "encrypted":
        return _COPY
    if length == size or looks_plain(head, length, size):
        return Choice("copy", finding="no-key")
    return Choice("leave", Outcome.KEY_UNAVAILABLE, "no-key")
