"""What hangs on a message is the same, whether SQLite joins the table or its rows are read around damage."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.evidence import Provenance
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.messages.associated import Associated
from bagtag.sample_backups.make import mint

FILE_ID = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
NOWHERE = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)


class WithoutJoins:
    """The database, with a damaged page that each join of the message table with itself meets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        if "JOIN message AS t" in sql:
            raise DamagedError("database disk image is malformed")
        yield from self._database.rows(sql, parameters)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("associated")
    minted = mint(folder / "backup", encrypted=False, ios="26.0", features=True)
    shutil.copy(minted.folder / FILE_ID[:2] / FILE_ID, folder / "sms.db")
    with closing(sqlite3.connect(folder / "sms.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE message SET associated_message_guid = CAST(x'703a302f41ff' AS TEXT) WHERE ROWID ="
            " (SELECT max(ROWID) FROM message WHERE associated_message_type = 2000)"
        )
        database.commit()
    return folder / "sms.db"


def test_tapbacks_votes_and_targets_are_the_same_read_around_damage(path: Path) -> None:
    with Database.open(path, NOWHERE) as database:
        joined = {name: list(rows) for name, rows in Associated(database, 100).cursors().items()}
        without: Any = WithoutJoins(database)
        around = {name: list(rows) for name, rows in Associated(without, 100).cursors().items()}
    assert all(joined.values())
    assert around == joined


def test_a_table_without_these_columns_has_none(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as made:
        made.execute("CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT)")
    with Database.open(tmp_path / "old.db", NOWHERE) as database:
        found = Associated(database, 100)
        assert {name: list(rows) for name, rows in found.cursors().items()} == {
            "about": [],
            "tapbacks": [],
            "votes": [],
        }
        assert found.damaged() is None
