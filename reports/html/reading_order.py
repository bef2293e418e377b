"""The order in which people read: messages of each chat by time, where records lie on disk by rowid.

messages.jsonl may hold a million lines, so a scratch SQLite in the private work folder keeps, for every record, where
its line starts, and for every chat the order (sent_at, rowid); records without a time come last. Pages are then read
by byte offset, one page in memory at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from bagtag.parsers.records import Message, State

PER_PAGE = 2000
"""Messages on one page: what a browser opens in under half a second."""

_BATCH = 500
_SCHEMA = """
    CREATE TABLE record (line INTEGER PRIMARY KEY, start INTEGER, length INTEGER, id TEXT, guid TEXT, anchor TEXT,
                         live INTEGER);
    CREATE TABLE place (chat INTEGER, sent TEXT, rowid_ INTEGER, line INTEGER);
"""
_ORDER = """
    CREATE TABLE reading AS
        SELECT chat, line, sent, row_number() OVER (
            PARTITION BY chat ORDER BY sent IS NULL, sent, rowid_ IS NULL, rowid_, line) - 1 AS position FROM place;
    DROP TABLE place;
    CREATE INDEX reading_chat ON reading (chat, position);
    CREATE INDEX reading_line ON reading (line);
    CREATE INDEX record_guid ON record (guid);
    CREATE INDEX record_id ON record (id);
"""


class _Chat(msgspec.Struct):
    rowid: int


class _Line(msgspec.Struct):
    """What the order needs of a message record; the rest of the line is skipped."""

    id: str
    guid: str | None
    rowid: int | None
    state: State
    sent_at: str | None
    chats: list[_Chat]


class _Guid(msgspec.Struct):
    guid: str | None


class _Thread(msgspec.Struct):
    originator_guid: str


class _Mentions(msgspec.Struct):
    target: _Guid | None
    thread: _Thread | None
    tapbacks: list[_Guid]


class Mentions(NamedTuple):
    """The GUIDs that the records of a page refer to: messages to quote, and tapback rows to link."""

    quoted: set[str]
    tapbacks: set[str]


class Line(NamedTuple):
    """Where a record lies: its line number (from 1), its first byte and its length in bytes."""

    number: int
    start: int
    length: int


class Place(NamedTuple):
    """Where the report shows a record: chat rowid (None: in no chat), page from 1, anchor, and its line."""

    chat: int | None
    page: int
    anchor: str
    line: Line


class Extent(NamedTuple):
    """What a chat holds: number of records, first and last sent_at."""

    messages: int
    first_at: str | None
    last_at: str | None


def anchor(rowid: int | None, state: State, number: int) -> str:
    """The id of a record's article: `m<rowid>`; recovered rows may repeat a rowid, so theirs is the line number."""
    return f"m{rowid}" if rowid is not None and state != "recovered" else f"line-{number}"


class ReadingOrder:
    """A context manager over messages.jsonl; the scratch file is gone when it is left."""

    def __init__(self, messages: Path, work: Path) -> None:
        self._scratch = work / "report-reading-order.sqlite"
        self._scratch.unlink(missing_ok=True)  # one that a killed run has left
        self._database = sqlite3.connect(self._scratch)
        self._database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
        self._file = messages.open("rb") if messages.exists() else None
        self._decoder = msgspec.json.Decoder(Message)
        self.count = self._index()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._database.close()
        self._scratch.unlink(missing_ok=True)

    def chats(self) -> dict[int | None, Extent]:
        """Every chat that has a record, with its extent; None stands for records in no chat."""
        found = self._database.execute("SELECT chat, count(*), min(sent), max(sent) FROM reading GROUP BY chat")
        return {chat: Extent(count, first, last) for chat, count, first, last in found}

    def page(self, chat: int | None, number: int) -> Iterator[tuple[Line, Message]]:
        """The records of one page (from 1), in reading order, one in memory at a time."""
        for where in self._lines(chat, number):
            yield where, self.read(where)

    def mentions(self, chat: int | None, number: int) -> Mentions:
        """What the records of one page (from 1) refer to."""
        decode = msgspec.json.Decoder(_Mentions).decode
        found = Mentions(set(), set())
        for where in self._lines(chat, number):
            record = decode(self._bytes(where))
            if record.target is not None and record.target.guid is not None:
                found.quoted.add(record.target.guid)
            elif record.thread is not None:
                found.quoted.add(record.thread.originator_guid)
            found.tapbacks.update(tapback.guid for tapback in record.tapbacks if tapback.guid is not None)
        return found

    def _lines(self, chat: int | None, number: int) -> list[Line]:
        found = self._database.execute(
            "SELECT line, start, length FROM reading JOIN record USING (line) "
            "WHERE chat IS ? AND position >= ? AND position < ? ORDER BY position",
            (chat, (number - 1) * PER_PAGE, number * PER_PAGE),
        )
        return [Line(*row) for row in found]

    def page_starts(self, chat: int | None) -> list[str | None]:
        """The first sent_at of each page of a chat."""
        found = self._database.execute(
            "SELECT sent FROM reading WHERE chat IS ? AND position % ? = 0 ORDER BY position", (chat, PER_PAGE)
        )
        return [sent for (sent,) in found]

    def read(self, where: Line) -> Message:
        """The record on a line."""
        return self._decoder.decode(self._bytes(where))

    def _bytes(self, where: Line) -> bytes:
        assert self._file is not None  # a Line only comes from an index over an open file
        self._file.seek(where.start)
        return self._file.read(where.length)

    def by_guid(self, guids: Iterable[str], chat: int | None) -> dict[str, Place]:
        """Where messages of these GUIDs are shown: live rows before others, this chat before others."""
        return self._places("guid", sorted(set(guids)), chat)

    def by_id(self, ids: Iterable[str]) -> dict[str, Place]:
        """Where the records of these ids are shown."""
        return self._places("id", sorted(set(ids)), None)

    def _places(self, column: str, keys: Sequence[str], chat: int | None) -> dict[str, Place]:
        places: dict[str, Place] = {}
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            found = self._database.execute(
                f"SELECT {column}, chat, position, anchor, line, start, length FROM record JOIN reading USING (line) "
                f"WHERE {column} IN ({','.join('?' * len(batch))}) ORDER BY live DESC, chat IS NOT ?, line, chat",
                (*batch, chat),
            )
            for key, where, position, article, *line in found:
                places.setdefault(key, Place(where, position // PER_PAGE + 1, article, Line(*line)))
        return places

    def _index(self) -> int:
        records: list[tuple[Any, ...]] = []
        places: list[tuple[Any, ...]] = []
        number = start = 0
        decode = msgspec.json.Decoder(_Line).decode
        for number, text in enumerate(self._file or (), start=1):
            found = decode(text)
            article = anchor(found.rowid, found.state, number)
            records.append((number, start, len(text), found.id, found.guid, article, found.state == "live"))
            chats: set[int | None] = {chat.rowid for chat in found.chats} or {None}
            places += [(chat, found.sent_at, found.rowid, number) for chat in chats]
            start += len(text)
            if len(records) >= 5000:
                self._store(records, places)
        self._store(records, places)
        self._database.executescript(_ORDER)
        return number

    def _store(self, records: list[tuple[Any, ...]], places: list[tuple[Any, ...]]) -> None:
        self._database.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", records)
        self._database.executemany("INSERT INTO place VALUES (?, ?, ?, ?)", places)
        records.clear()
        places.clear()
