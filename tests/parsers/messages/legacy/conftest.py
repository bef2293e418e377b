"""Databases of iOS 3 to 5, made by hand from the columns that such databases have."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bagtag.extract.evidence import Issue, Outcome, Provenance
from bagtag.extract.files import FileFacts
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import Account, Reconciled, run
from bagtag.parsers.messages.legacy.messages import TABLES, legacy_messages
from bagtag.parsers.names import Card, Names
from bagtag.parsers.records import Message

SMS = ("HomeDomain", "Library/SMS/sms.db")
COLUMNS = {
    "message": "address, date, text, flags, replace, svc_center, group_id, subject, country, recipients, read",
    "msg_group": "type, newest_message, unread_count, hash",
    "group_member": "group_id, address, country",
    "msg_pieces": "message_id, data, part_id, content_type, content_id, content_loc",
}
MADRID = {
    "message": ", madrid_attributedBody, madrid_handle, madrid_guid, madrid_roomname, madrid_service, madrid_account, "
    "madrid_flags, madrid_attachmentInfo, madrid_error, is_madrid, madrid_date_read, madrid_date_delivered",
    "madrid_attachment": "attachment_guid, created_date, filename, uti_type, mime_type, transfer_state",
    "madrid_chat": "style, state, properties, chat_identifier, service_name, guid, room_name, participants",
}


@dataclass
class FilesOfPhone:
    """sms.db on disk, and files of MediaDomain by path."""

    sms: Path
    rows: Mapping[str, Outcome] = field(default_factory=dict)
    bare: bool = False
    backup_at: str | None = None

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        if domain != "MediaDomain" or relative_path not in self.rows:
            return None
        whole = self.rows[relative_path] is Outcome.OK
        return FileFacts(
            file_id=hashlib.sha1(f"{domain}-{relative_path}".encode()).hexdigest(), domain=domain,
            relative_path=relative_path, outcome=self.rows[relative_path], size=3 if whole else None,
            sha256=hashlib.sha256(b"abc").hexdigest() if whole else None, bag_path=None,
        )  # fmt: skip

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        found = (self.facts(domain, path) for path in sorted(self.rows) if path.startswith(prefix))
        return (each for each in found if each is not None)

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:
        return None

    def hand_over(self) -> None:
        return None

    def database(self, domain: str, relative_path: str) -> Database | None:
        if (domain, relative_path) != SMS:
            return None
        where = Provenance(file_id="3d0d7e5f" * 5, domain=domain, relative_path=relative_path, sha256="ab" * 32)
        return Database.open(self.sms, where)


def write(path: Path, tables: Mapping[str, list[Mapping[str, Any]]], *, madrid: bool) -> None:
    columns = dict(COLUMNS)
    for table, more in MADRID.items() if madrid else ():
        columns[table] = columns.get(table, "") + more
    connection = sqlite3.connect(path)
    for table, names in columns.items():
        extra = {name for row in tables.get(table, ()) for name in row} - set(names.split(", ")) - {"ROWID"}
        every = ", ".join([names, *sorted(extra)])
        connection.execute(f"CREATE TABLE {table} (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, {every})")
        for row in tables.get(table, ()):
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    connection.commit()
    connection.close()


@pytest.fixture
def read_legacy(tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """Write tables of iOS 5 (`madrid`), else of iOS 4, and read messages and chats; every row must be accounted for.

    `files` are files of MediaDomain by path with their outcome.
    """

    def reading(
        *messages: Mapping[str, Any],
        madrid: bool = True,
        files: Mapping[str, Outcome] | None = None,
        cards: tuple[Card, ...] = (),
        bare: bool = False,
        **others: list[Mapping[str, Any]],
    ) -> SimpleNamespace:
        path = tmp_path / "sms.db"
        write(path, {"message": list(messages), **others}, madrid=madrid)
        held = FilesOfPhone(path, files or {}, bare)
        found = SimpleNamespace(messages={}, chats=[], issues=[], account=Account())
        database = held.database(*SMS)
        assert database is not None
        with database:
            told = list(legacy_messages(database, held, Names(cards), found.account))
            counts = {table: database.count(table) for table in TABLES if table in database.tables}
        for item in told:
            assert msgspec.json.decode(msgspec.json.encode(item), type=type(item)) == item
            if isinstance(item, Message):
                found.messages[item.rowid] = item
            else:
                found.issues.append(item)
        lost = Counter(each.where.table for each in found.issues if each.where.rowid is not None)
        for table, rows in counts.items():
            told_of = found.account.records.get(table, 0) + found.account.issues.get(table, 0) + lost[table]
            assert told_of == rows, table
        for chat in run(held, ["legacy_chats"], Names(cards)):
            if isinstance(chat, Reconciled):
                assert chat.rows == chat.records + chat.issues, chat
            elif isinstance(chat, Issue):
                found.issues.append(chat)
            else:
                assert msgspec.json.decode(msgspec.json.encode(chat), type=type(chat)) == chat
                found.chats.append(chat)
        return found

    return reading
