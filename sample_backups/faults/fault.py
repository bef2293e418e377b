"""A fault: what is done to a backup, told in one line, and what a reader should make of it.

Stands for damage and attacks met in practice; which set can have it follows from the container's history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bagtag.sample_backups.entry import Entry
from bagtag.sample_backups.era import era_of
from bagtag.sample_backups.plan import Plan

DOMAIN = "AppDomain-com.example.faults"
MODERN, MBDB = "18.5", "9.3"
BOTH = (MODERN, MBDB)
"""For each of the two containers one iOS that faults are minted for."""

Need = Literal["encrypted", "plain", "either"]


@dataclass(frozen=True)
class Fault:
    """One fault. `ios`: a version for each container that can have it; `need`: with encryption or without;
    `double_kdf`: it needs the key bag of iOS 10.2 and later."""

    name: str
    what: str
    expected: str
    apply: Callable[[Plan], None]
    need: Need = "either"
    ios: tuple[str, ...] = (MODERN,)
    double_kdf: bool = False

    def fits(self, *, encrypted: bool, ios: str) -> bool:
        """Whether such a backup can have it."""
        era = era_of(ios)
        contained = era.container in {era_of(each).container for each in self.ios}
        return self.fits_encryption(encrypted=encrypted) and contained and (era.double_kdf or not self.double_kdf)

    def fits_encryption(self, *, encrypted: bool) -> bool:
        """Whether an encrypted, or a plain, backup can have it."""
        return self.need in {"either", "encrypted" if encrypted else "plain"}

    @property
    def arguments(self) -> tuple[Mapping[str, Any], ...]:
        """Arguments of `mint` for each kind of backup that can have it."""
        return tuple(
            {"faults": (self.name,), "ios": ios, "encrypted": encrypted}
            for ios in self.ios
            for encrypted in (True, False)
            if self.fits(encrypted=encrypted, ios=ios)
        )


def text(name: str) -> bytes:
    """Content that says whose it is. Its length is no whole number of blocks: odd, since twelve times is even."""
    return f"The file of the fault {name}. ".encode() * 12 + b"\n"


def document(name: str, path: str | None = None) -> Entry:
    """The file that shows a fault."""
    return Entry(DOMAIN, f"Documents/{name}.txt" if path is None else path, content=text(name))


def other_id(name: str) -> str:
    """A fileID that is the SHA-1 of something else."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
