"""The keys of one set, apart from the backup that holds them: what a process that only reads blobs is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bagtag.extract.keybag import ClassKeys, KeyUnavailableError

State = Literal["encrypted", "plain", "already-plain"]


@dataclass(frozen=True, slots=True)
class SetKeys:
    """The state of a set and its class keys, as `treatment.choose` asks for them."""

    state: State
    class_keys: ClassKeys | None = field(repr=False)

    def file_key(self, wrapped: bytes, /) -> bytes:
        """The key of one file from its record's 44 bytes. Raises KeyUnavailableError."""
        if self.class_keys is None:
            raise KeyUnavailableError("the backup is not unlocked")
        return self.class_keys.file_key(wrapped)
