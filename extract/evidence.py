"""What every fact carries with it: where it was read, and what could not be read.

`Issue` values travel with the evidence into records, reports and exit codes; they are never only a log line.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

Source = Literal["db", "wal", "freelist", "unallocated"]
Effect = Literal["lost", "partial", "recovered", "note"]

HARMFUL: frozenset[str] = frozenset({"lost", "partial"})
"""The effects that make a command end with exit code 1."""


class Outcome(StrEnum):
    """What became of one manifest row (public contract, inventory)."""

    OK = "ok"
    OK_EMPTY = "ok-empty"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    MISSING = "missing"
    TRUNCATED = "truncated"
    UNTERMINATED = "unterminated"
    BAD_RECORD = "bad-record"
    UNSAFE_PATH = "unsafe-path"
    KEY_UNAVAILABLE = "key-unavailable"
    ALREADY_PLAIN = "already-plain"
    NOT_A_REGULAR_FILE = "not-a-regular-file"
    OTHER_FLAGS = "other-flags"
    ORPHAN = "orphan"
    OUT_OF_SCOPE = "out-of-scope"


WITH_CONTENT: frozenset[Outcome] = frozenset(
    {Outcome.OK, Outcome.OK_EMPTY, Outcome.TRUNCATED, Outcome.UNTERMINATED, Outcome.ALREADY_PLAIN, Outcome.UNSAFE_PATH}
)
"""Outcomes of rows that may have left a file behind."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fact was read. `sha256` is that of the working copy's main file; positions are bytes in it."""

    file_id: str | None
    domain: str | None
    relative_path: str | None
    sha256: str | None
    source: Source = "db"
    table: str | None = None
    rowid: int | None = None
    page: int | None = None
    offset: int | None = None
    length: int | None = None
    wal_sha256: str | UnsetType = UNSET


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence that was not read as it should be: what was found, where, and what it means for the result."""

    effect: Effect
    what: str
    where: Provenance | None = None
    raw: str | None = None
