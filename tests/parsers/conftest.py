"""Tiny databases for the parsers: only the tables and columns a case needs, read through the real runner."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bagtag.extract.evidence import Issue, Outcome, Provenance
from bagtag.extract.files import FileFacts
from bagtag.extract.sqlite import Database
from bagtag.parsers.artifact import Reconciled, run
from bagtag.parsers.names import Card, Names
from bagtag.parsers.records import Chat, Contact, DeletionTrace, Message

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
SMS = ("HomeDomain", "Library/SMS/sms.db")
ADDRESS_BOOK = ("HomeDomain", "Library/AddressBook/AddressBook.sqlitedb")
FILE_ID = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
_COUNTED = {"message", "chat", "handle", "attachment", "deleted_messages", "ABPerson"}
_EMPTY = {"message": ["guid", "text", "handle_id", "service", "date", "is_from_me"], "handle": ["id", "service"],
          "ABPerson": ["First", "Last", "Organization", "Kind"]}  # fmt: skip


@dataclass
class FakeFiles:
    """Files of a made-up backup: databases on disk, and file rows by path in MediaDomain."""

    databases: dict[tuple[str, str], Path]
    rows: dict[str, FileFacts] = field(default_factory=dict)
    bare: bool = False
    backup_at: str | None = None
    wal: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        self.asked.append((domain, relative_path))
        return self.rows.get(relative_path) if domain == "MediaDomain" else None

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        return (self.rows[path] for path in sorted(self.rows) if path.startswith(prefix) and domain == "MediaDomain")

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:
        return b"abc"[:most] if self.facts(domain, relative_path) is not None else None

    def hand_over(self) -> None:
        return None

    def database(self, domain: str, relative_path: str) -> Database | None:
        path = self.databases.get((domain, relative_path))
        if path is None:
            return None
        file_id = None if self.bare else hashlib.sha1(f"{domain}-{relative_path}".encode()).hexdigest()
        where = Provenance(file_id=file_id, domain=domain, relative_path=relative_path, sha256="ab" * 32)
        return Database.open(path, where, wal=self.wal)


def write_database(path: Path, tables: Tables) -> Path:
    """A database whose tables have the columns that their rows name, in that order."""
    connection = sqlite3.connect(path)
    for table, rows in tables.items():
        names = list(dict.fromkeys(name for row in rows for name in row)) or _EMPTY.get(table, ["guid"])
        key = "ROWID INTEGER PRIMARY KEY AUTOINCREMENT, " if table in _COUNTED else ""
        columns = [name for name in names if name != "ROWID"]
        connection.execute(f"CREATE TABLE {table} ({key}{', '.join(columns)})")
        for row in rows:
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    connection.commit()
    connection.close()
    return path


def collect(found: Iterator[Any]) -> SimpleNamespace:
    """Sort what the runner yields; every record must be what its published type says, as JSON and back."""
    result = SimpleNamespace(messages={}, chats={}, contacts={}, traces=[], issues=[], tables={}, order=[])
    for item in found:
        again = msgspec.json.decode(msgspec.json.encode(item), type=type(item))
        assert again == item
        result.order.append(item)
        match item:
            case Message():
                result.messages[item.rowid] = item
            case Chat():
                result.chats[item.rowid] = item
            case Contact():
                result.contacts[item.rowid] = item
            case DeletionTrace():
                result.traces.append(item)
            case Issue():
                result.issues.append(item)
            case Reconciled():
                result.tables[item.table] = (item.rows, item.records, item.issues)
    return result


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """Write `sms` (and `contacts`) as databases and read them; `files` are file rows by path, `cards` names."""

    numbers = itertools.count()

    def reading(
        sms: Tables | Path | None = None,
        contacts: Tables | None = None,
        files: Mapping[str, Outcome] | None = None,
        *,
        cards: Sequence[Card] | None = None,
        only: Sequence[str] | None = None,
        bare: bool = False,
        wal: bool = False,
    ) -> SimpleNamespace:
        databases: dict[tuple[str, str], Path] = {}
        if sms is not None:
            databases[SMS] = sms if isinstance(sms, Path) else write_database(tmp_path / f"sms{next(numbers)}.db", sms)
        if contacts is not None:
            databases[ADDRESS_BOOK] = write_database(tmp_path / f"contacts{next(numbers)}.db", contacts)
        rows = {path: file_facts(path, outcome) for path, outcome in (files or {}).items()}
        fake = FakeFiles(databases, rows, bare=bare, wal=wal)
        return collect(run(fake, only, Names(tuple(cards)) if cards is not None else None))

    return reading


def file_facts(path: str, outcome: Outcome) -> FileFacts:
    """The facts of a file row: three bytes where there are any."""
    whole = outcome in (Outcome.OK, Outcome.TRUNCATED)
    return FileFacts(
        file_id=hashlib.sha1(f"MediaDomain-{path}".encode()).hexdigest(), domain="MediaDomain", relative_path=path,
        outcome=outcome, size=3 if whole else None, sha256=hashlib.sha256(b"abc").hexdigest() if whole else None,
        bag_path=None,
    )  # fmt: skip


@pytest.fixture
def message_tables() -> Callable[..., dict[str, list[dict[str, Any]]]]:
    """sms.db of one direct chat and the given message rows, each joined to it; every row gets what is usual."""

    def tables(*messages: Mapping[str, Any], **others: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        usual = {"text": None, "handle_id": 1, "service": "iMessage", "date": 700_000_000_000_000_000, "is_from_me": 0}
        rows = [{"ROWID": n, "guid": f"G-{n}", **usual, **each} for n, each in enumerate(messages, 1)]
        return {
            "message": rows,
            "handle": [{"id": "+12025550171", "service": "iMessage", "country": "us"}],
            "chat": [{"guid": "iMessage;-;+12025550171", "style": 45, "chat_identifier": "+12025550171",
                      "service_name": "iMessage", "display_name": ""}],
            "chat_message_join": [{"chat_id": 1, "message_id": row["ROWID"]} for row in rows],
            "chat_handle_join": [{"chat_id": 1, "handle_id": 1}],
            **others,
        }  # fmt: skip

    return tables


@pytest.fixture
def new_database(tmp_path: Path) -> Callable[[str, Tables], Path]:
    """Write tables into a new file of that name."""
    return lambda name, tables: write_database(tmp_path / name, tables)
