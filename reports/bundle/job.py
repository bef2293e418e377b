"""What an evidence folder is made of and from: the order for it, and what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from bagtag.custody.examination import Examination
from bagtag.custody.signer import Signer
from bagtag.reports.bundle.scope import Scope
from bagtag.reports.bundle.seal import Authority


@dataclass(frozen=True, slots=True)
class Sealing:
    """Who vouches for the folder when it is closed: a key with the name of its owner, an authority for the time."""

    signer: Signer | None = None
    name: str | None = None
    authority: Authority | None = None

    def facts(self) -> dict[str, str | None]:
        """The same without secrets."""
        return {
            "signer": self.name,
            "keyid": None if self.signer is None else self.signer.keyid,
            "tsa": None if self.authority is None else self.authority.url,
        }


@dataclass(frozen=True, slots=True)
class Job:
    """The order. `source` is a backup folder or a folder above it; `dest` must not exist.

    `also` adds digests to the inventory (sha512, sha1, md5); `rehash` says what of the source is read again at the end:
    the property lists, the index and what was opened as a database, or everything. `tz` is the zone of the report.
    """

    source: Path
    dest: Path
    examination: Examination
    scope: Scope = field(default_factory=Scope)
    without_key_bag: bool = False
    also: tuple[str, ...] = ()
    rehash: Literal["opened", "full"] = "opened"
    tz: str = "UTC"
    sealing: Sealing = field(default_factory=Sealing)

    def options(self, version: str) -> dict[str, Any]:
        """What must be the same for an interrupted run to be continued."""
        return {
            "bagtag": version,
            "examination": msgspec.to_builtins(self.examination),
            "scope": self.scope.facts(),
            "without-key-bag": self.without_key_bag,
            "also": list(self.also),
            "rehash": self.rehash,
            "tz": self.tz,
            "sealing": self.sealing.facts(),
        }


@dataclass(frozen=True, slots=True)
class Made:
    """A finished evidence folder. `records`, `outcomes` and `effects` count lines of the bag's own files.

    `keyids` are those of the keys that signed the statement, `stamps` counts the time stamps over it.
    """

    dest: Path
    payload_digest: str
    bag_digest: str
    source_digest: str
    records: dict[str, int]
    outcomes: dict[str, int]
    effects: dict[str, int]
    continued: bool
    keyids: tuple[str, ...]
    stamps: int
    notes: tuple[str, ...]
