"""A hostile table Files is read as it should be or refused by name; it never leads in circles."""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bagtag.custody.errors import BagtagError, EvidenceError
from bagtag.extract.manifest import Manifest, file_id_of
from bagtag.extract.selection import Selection

SCHEMA = "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
ROWS = [("HomeDomain", f"Documents/{number:05d}.txt") for number in range(3000)]


def _insert(connection: sqlite3.Connection, rows: list[tuple[str, str]] = ROWS) -> None:
    connection.executemany(
        "INSERT INTO Files (fileID, domain, relativePath, flags, file) VALUES (?, ?, ?, 1, x'00')",
        [(file_id_of(*row), *row) for row in rows],
    )


def _made(path: Path, *statements: str, page_size: int = 4096) -> Path:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA page_size = {page_size}")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement)
    _insert(connection)
    connection.execute("COMMIT")
    connection.close()
    return path


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Manifest]]:
    """Manifests that are closed at the end."""
    held: list[Manifest] = []
    yield held
    for each in held:
        each.close()


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA,
        SCHEMA + " WITHOUT ROWID",
        SCHEMA.replace("Files", "FILES"),
        SCHEMA.replace("(fileID", "(rowid TEXT, _rowid_ TEXT, fileID"),
        SCHEMA.replace(" TEXT", "").replace(" PRIMARY KEY", ""),
        SCHEMA.replace("domain TEXT", "domain TEXT COLLATE NOCASE"),
        SCHEMA.replace("file BLOB", "file BLOB, more TEXT GENERATED ALWAYS AS (hex(zeroblob(100000))) VIRTUAL"),
        SCHEMA.replace("file BLOB", "file BLOB, last TEXT DEFAULT 'x'"),
    ],
)
def test_a_table_of_another_shape_is_read_all_the_same(schema: str, tmp_path: Path, opened: list[Manifest]) -> None:
    manifest = Manifest.open(_made(tmp_path / "Manifest.db", schema))
    opened.append(manifest)
    assert manifest.count() == len(ROWS)
    entries = list(manifest.entries())
    assert [(entry.domain, entry.relative_path) for entry in entries] == ROWS
    assert {entry.record for entry in entries} == {b"\0"}
    assert len({entry.rowid for entry in entries}) == len(ROWS)
    entry = manifest.resolve(*ROWS[7])
    assert entry is not None
    assert (entry.relative_path, entry.record) == (ROWS[7][1], b"\0")
    assert manifest.resolve("homedomain", ROWS[7][1]) is None
    assert list(manifest.entries(Selection(domain="homedomain"))) == []


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["CREATE TABLE Other (a)"], "no table Files"),
        (
            ["CREATE VIEW Files AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n"],
            "no table",
        ),
        (["CREATE VIRTUAL TABLE Files USING fts5(fileID, domain, relativePath, flags, file)"], "no table Files"),
        (["CREATE TABLE Files (fileID, domain, flags, file)"], "without relativePath"),
        ([SCHEMA.replace("file BLOB", "file BLOB AS (zeroblob(1000000000))")], "computes file"),
        ([SCHEMA.replace("domain TEXT", "domain TEXT AS (upper(fileID))")], "computes domain"),
        ([SCHEMA.replace("file BLOB", "file BLOB, rowid, oid, _rowid_")], "hide the rowid"),
    ],
)
def test_what_is_no_index_is_refused_by_name(statements: list[str], words: str, tmp_path: Path) -> None:
    path = tmp_path / "Manifest.db"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    with pytest.raises(EvidenceError, match=words) as refused:
        Manifest.open(path)
    assert refused.value.hint


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"


def test_triggers_and_views_beside_the_table_are_never_run(tmp_path: Path, opened: list[Manifest]) -> None:
    path = _made(
        tmp_path / "Manifest.db",
        SCHEMA,
        f"CREATE VIEW Properties AS {ENDLESS} SELECT x AS key, x AS value FROM n",
        f"CREATE TRIGGER t BEFORE DELETE ON Files BEGIN INSERT INTO Files {ENDLESS} SELECT x, x, x, x, x FROM n; END",
    )
    manifest = Manifest.open(path)
    opened.append(manifest)
    begun = time.process_time()
    assert len(list(manifest.entries())) == len(ROWS)
    assert manifest.properties() == {}
    assert time.process_time() - begun < 5


def _pages(content: bytearray, size: int, kind: int) -> list[int]:
    """Where the pages of one kind of tree page begin: 5 inner pages of tables, 13 leaves of tables."""
    return [at for at in range(0, len(content), size) if content[at + (100 if at == 0 else 0)] == kind and at]


def _looped(path: Path) -> None:
    """Every cell of the table's inner pages leads to the first leaf: its rows come again and again."""
    size = 512
    content = bytearray(path.read_bytes())
    for at in _pages(content, size, 5):
        (cells,) = struct.unpack_from(">H", content, at + 3)
        places = struct.unpack_from(f">{cells}H", content, at + 12)
        first = content[at + places[0] : at + places[0] + 4]
        for place in places:
            content[at + place : at + place + 4] = first
    path.write_bytes(content)


def test_pages_that_lead_to_each_other_end_the_reading(tmp_path: Path, opened: list[Manifest]) -> None:
    path = _made(tmp_path / "Manifest.db", SCHEMA, page_size=512)
    _looped(path)
    manifest = Manifest.open(path)
    opened.append(manifest)
    for ask in (
        manifest.count,
        lambda: list(manifest.entries()),
        lambda: list(manifest.entries(Selection(domain="HomeDomain"))),
    ):
        with pytest.raises(EvidenceError, match="damaged") as refused:
            ask()
        assert refused.value.hint


def test_an_inner_page_that_leads_to_itself_ends_the_reading(tmp_path: Path, opened: list[Manifest]) -> None:
    path = _made(tmp_path / "Manifest.db", SCHEMA, page_size=512)
    content = bytearray(path.read_bytes())
    for at in _pages(content, 512, 5):
        (cells,) = struct.unpack_from(">H", content, at + 3)
        for place in struct.unpack_from(f">{cells}H", content, at + 12):
            struct.pack_into(">I", content, at + place, at // 512 + 1)
    path.write_bytes(content)
    said: list[str] = []
    manifest = Manifest.open(path, damaged=said.append)
    opened.append(manifest)
    names = [entry.relative_path for entry in manifest.entries()]
    assert len(names) == len(set(names)) < len(ROWS)
    assert len(said) == 1


def test_a_secondary_index_that_repeats_rows_ends_the_reading(tmp_path: Path, opened: list[Manifest]) -> None:
    """A lookup by domain goes through the index FilesDomainIdx, which a hostile file can bend like any tree."""
    path = tmp_path / "Manifest.db"
    _made(path, SCHEMA, "CREATE INDEX FilesDomainIdx ON Files (domain)", page_size=512)
    content = bytearray(path.read_bytes())
    for at in _pages(content, 512, 2):
        (cells,) = struct.unpack_from(">H", content, at + 3)
        places = struct.unpack_from(f">{cells}H", content, at + 12)
        first = content[at + places[0] : at + places[0] + 4]
        for place in places:
            content[at + place : at + place + 4] = first
    path.write_bytes(content)
    manifest = Manifest.open(path)
    opened.append(manifest)
    assert len(list(manifest.entries())) == len(ROWS)  # the table itself is sound, and is what is listed
    with pytest.raises(EvidenceError, match="damaged"):
        list(manifest.entries(Selection(domain="HomeDomain")))


def test_damage_anywhere_is_an_error_with_a_hint_or_rows_never_a_fault(tmp_path: Path) -> None:
    path = _made(tmp_path / "Manifest.db", SCHEMA, page_size=512)
    sound = path.read_bytes()
    hints = []
    for step in range(120):
        content = bytearray(sound)
        at = (step * 7919 * 131) % len(content)
        content[at : at + 3] = bytes([255, step % 256, 0])
        path.write_bytes(content)
        try:
            manifest = Manifest.open(path)
            try:
                assert sum(1 for _ in manifest.entries()) <= len(ROWS) + 1
            finally:
                manifest.close()
        except BagtagError as trouble:
            hints.append(trouble.hint)
    assert hints
    assert all(hints)


@pytest.mark.slow
def test_200_000_rows_are_listed_fast_and_in_little_memory(tmp_path: Path, opened: list[Manifest]) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "Manifest.db"
    connection = sqlite3.connect(path)
    connection.execute(SCHEMA)
    _insert(
        connection,
        [(f"AppDomain-{number % 97}", f"Library/{number * 7919 % 200_000}/file") for number in range(200_000)],
    )
    connection.commit()
    connection.close()
    manifest = Manifest.open(path)
    opened.append(manifest)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    names = 0
    last = ("", "")
    for entry in manifest.entries(records=False):
        assert last <= (entry.domain or "", entry.relative_path or "")
        last, names = (entry.domain or "", entry.relative_path or ""), names + 1
    assert names == 200_000
    assert time.process_time() - begun < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024
