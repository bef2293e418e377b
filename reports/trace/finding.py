"""Finding a record by its id: which line of which file it is, and what it says of its origin.

The kind stands in the id and tells the file, which is read once, line by line; of the lines that are not wanted only
the id is decoded. Its SHA-256 comes out of the same pass.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from bagtag.custody.errors import UsageError, VerificationError
from bagtag.reports.trace.folder import Folder

FILES = {
    "message": "data/records/messages.jsonl",
    "chat": "data/records/chats.jsonl",
    "contact": "data/records/contacts.jsonl",
    "trace": "data/records/deletion_traces.jsonl",
    "draft": "data/records/drafts.jsonl",
    "message-setting": "data/records/message_settings.jsonl",
    "issue": "data/records/issues.jsonl",
}
"""Where the records of each kind lie, by the first word of their id."""
INVENTORY = "data/inventory/files.jsonl"
_FILE_ID = re.compile(r"[0-9a-f]{40}")
_NUMBERED = re.compile(r"(.*/)([0-9]{1,18})")
_LONGEST_LINE = 1 << 26
_MOST = 100
"""Records of one id that are followed; more can only be in a folder that was tampered with."""
_MOST_ATTACHED = 10_000


class Origin(msgspec.Struct, frozen=True):
    """A record's provenance, as far as its way back needs it."""

    file_id: str | None = None
    domain: str | None = None
    relative_path: str | None = None
    sha256: str | None = None
    source: str | None = None
    table: str | None = None
    rowid: int | None = None
    wal_sha256: str | None = None

    @property
    def name(self) -> str:
        """Domain and path in one."""
        return f"{self.domain}/{self.relative_path}"


class Attached(msgspec.Struct, frozen=True):
    """A file that a record names: an attachment of a message or of a draft."""

    rowid: int | None = None
    guid: str | None = None
    name: str | None = None
    file_id: str | None = None
    domain: str | None = None
    relative_path: str | None = None
    sha256: str | None = None
    filename_raw: str | None = None
    bag_path: str | None = None
    status: str | None = None
    reason: str | None = None


class Record(msgspec.Struct, frozen=True):
    """What of a record's line its way back needs. Issues call their origin `where`."""

    id: str | None = None
    file_id: str | None = None
    provenance: Origin | None = None
    where: Origin | None = None
    raw: Any = None
    attachments: Annotated[list[Attached], msgspec.Meta(max_length=_MOST_ATTACHED)] = []


@dataclass(frozen=True, slots=True)
class Found:
    """A line that has the id. `offset` and `length` are bytes; the newline counts with the line."""

    file: str
    line: int
    offset: int
    length: int
    sha256: str
    record: Record

    @property
    def origin(self) -> Origin | None:
        """Where the record says that it was read. A line of the inventory is about its own file."""
        if self.file == INVENTORY:
            return Origin(file_id=self.record.file_id)
        return self.record.provenance or self.record.where


@dataclass(slots=True)
class Finding:
    """All lines that have the id; `more` counts those beyond the ones that are followed."""

    file: str
    found: list[Found] = field(default_factory=list)
    more: int = 0


class _Key(msgspec.Struct):
    id: str | None = None
    file_id: str | None = None


class _Nearest:
    """The ids next to one that is not there."""

    def __init__(self, record_id: str) -> None:
        self._stem, self._number = _numbered(record_id)
        self._first: str | None = None
        self._below: tuple[int, str] | None = None
        self._above: tuple[int, str] | None = None

    def see(self, other: str) -> None:
        """Take notice of an id."""
        if self._first is None:
            self._first = other
        stem, number = _numbered(other)
        if stem != self._stem or number is None or self._number is None:
            return
        if number < self._number and (self._below is None or number > self._below[0]):
            self._below = number, other
        elif number > self._number and (self._above is None or number < self._above[0]):
            self._above = number, other

    def hint(self, file: str) -> str:
        """What to look at instead."""
        near = [each[1] for each in (self._below, self._above) if each is not None]
        if near:
            return f"nearest in {file}: {' and '.join(near)}"
        return f"{file} is empty" if self._first is None else f"the ids in {file} look like {self._first}"


def find(folder: Folder, record_id: str) -> Finding:
    """The record of that id, or a file of the inventory by its fileID.

    Raises UsageError when no record has it, VerificationError when the file of its kind cannot be read.
    """
    by_file = _FILE_ID.fullmatch(record_id) is not None
    kind = record_id.partition("/")[0]
    file = INVENTORY if by_file else FILES.get(kind)
    if file is None:
        raise UsageError(
            f"{record_id!r} is no record id",
            hint=f"ids begin with {', '.join(f'{each}/' for each in FILES)}, as in message/3d0d7e5f/message/1; the "
            "fileID of a file (40 hexadecimal digits) is one too",
        )
    finding, nearest, digest = Finding(file), _Nearest(record_id), hashlib.sha256()
    key_of = msgspec.json.Decoder(_Key).decode
    try:
        for number, offset, raw in _lines(folder, file, digest):
            try:
                key = key_of(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue  # `verify` names it
            own = key.file_id if by_file else key.id
            if own == record_id:
                if len(finding.found) < _MOST:
                    finding.found.append(_taken(file, number, offset, raw))
                else:
                    finding.more += 1
            elif own is not None:
                nearest.see(own)
    except OSError as trouble:
        raise VerificationError(
            f"bag/{file} cannot be read: {trouble.strerror or trouble}", hint="`bagtag verify` lists what is wrong"
        ) from trouble
    folder.noted(file, digest.hexdigest())
    if not finding.found:
        raise UsageError(f"no record has the id {record_id}", hint=nearest.hint(f"bag/{file}"))
    return finding


def _lines(folder: Folder, file: str, digest: Any) -> Iterator[tuple[int, int, bytes]]:
    """(number from 1, offset, bytes) of each line; one that is absurdly long is passed by, and counted."""
    with folder.open(file) as lines:
        number = offset = 0
        while raw := lines.readline(_LONGEST_LINE):
            number += 1
            length, whole = len(raw), raw.endswith(b"\n") or len(raw) < _LONGEST_LINE
            digest.update(raw)
            if whole:
                yield number, offset, raw
            while not whole:
                raw = lines.readline(_LONGEST_LINE)
                digest.update(raw)
                length += len(raw)
                whole = raw.endswith(b"\n") or len(raw) < _LONGEST_LINE
            offset += length


def _taken(file: str, number: int, offset: int, raw: bytes) -> Found:
    try:
        record = msgspec.json.decode(raw, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise VerificationError(
            f"bag/{file}, line {number}, has not the shape of a record: {trouble}",
            hint="`bagtag verify` lists what is wrong with the folder",
        ) from trouble
    return Found(file, number, offset, len(raw), hashlib.sha256(raw).hexdigest(), record)


def _numbered(record_id: str) -> tuple[str, int | None]:
    found = _NUMBERED.fullmatch(record_id)
    return (record_id, None) if found is None else (found[1], int(found[2]))
