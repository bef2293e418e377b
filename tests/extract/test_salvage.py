"""An index with damaged pages: what the other pages hold is read, and what is lost is told by its rowids."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.custody.errors import EvidenceError
from bagtag.extract import salvage as salvage_module
from bagtag.extract.manifest import Manifest, file_id_of
from bagtag.extract.salvage import Salvage

PAGE = 4096
ROWS = 600


@given(st.sets(st.integers(1, 400), max_size=300), st.sets(st.integers(1, 400), max_size=120))
def test_every_row_beside_the_damage_is_found(there: set[int], damaged: set[int]) -> None:
    def asked(rowid: int, most: int | None) -> Iterator[tuple[Any, ...]]:
        for number in sorted(there | damaged):
            if number >= rowid and most != 0:
                if number in damaged:
                    raise sqlite3.DatabaseError("malformed")
                yield (number,)
                most = None if most is None else most - 1

    salvage = Salvage(asked)
    assert [row[0] for row in salvage.rows()] == sorted(there - damaged)
    assert all(any(first <= number <= last for first, last in salvage.lost) for number in damaged)
    assert not any(first <= number <= last for first, last in salvage.lost for number in there - damaged)


def test_rows_that_lead_back_end_the_reading() -> None:
    def asked(rowid: int, most: int | None) -> Iterator[tuple[Any, ...]]:
        yield from ((number,) for number in (rowid, rowid + 1, 1, 2, 3)[:most])

    salvage = Salvage(asked)
    assert [row[0] for row in salvage.rows(5)] == [5, 6]
    assert salvage.lost[0][0] == 7


class Table:
    """A table of which the rowids in `there` lie on sound pages, and all others on damaged ones, however far."""

    def __init__(self, *there: range) -> None:
        self.there = there
        self.questions = 0

    def asked(self, rowid: int, most: int | None) -> Iterator[tuple[Any, ...]]:
        self.questions += 1
        stretch = next((each for each in self.there if rowid in each), None)
        if stretch is None:
            raise sqlite3.DatabaseError("malformed")
        end = stretch.stop if most is None else min(stretch.stop, rowid + most)
        for number in range(rowid, end):
            yield (number,)
        if most is None or rowid + most > stretch.stop:
            raise sqlite3.DatabaseError("malformed")


@pytest.mark.parametrize(
    "islands",
    [
        [range(40_000, 60_000)],  # between 2 to the power of 15 and of 16 rows behind the damage
        [range(3_000, 3_100), range(5_000, 5_100), range(9_000, 9_200)],
        [range(10_000_000, 10_020_000), range(10_500_000, 10_501_000)],
    ],
)
def test_readable_rows_far_behind_the_damage_are_found_with_few_questions(islands: list[range]) -> None:
    table = Table(range(1, 11), *islands)
    salvage = Salvage(table.asked, most_single=2_000)
    found = [row[0] for row in salvage.rows()]
    assert found == [*range(1, 11), *(number for each in islands for number in each)]
    assert salvage.lost[0] == (0, 0)
    assert salvage.lost[1:] == [
        (first, last)
        for first, last in zip(
            [11, *(each.stop for each in islands)], [*(each.start - 1 for each in islands), 2**63 - 1], strict=True
        )
    ]
    assert table.questions < 60_000 * (len(islands) + 1)


def test_nothing_is_looked_for_behind_the_last_rowid_that_is_wanted() -> None:
    table = Table(range(1, 11), range(500, 600))
    salvage = Salvage(table.asked)
    assert [row[0] for row in salvage.rows(1, 200)] == list(range(1, 11))
    assert table.questions < 250


def test_a_table_with_ever_more_damage_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salvage_module, "_MOST_QUESTIONS", 5_000)
    table = Table(*(range(number, number + 1) for number in range(0, 100_000, 50)))
    salvage = Salvage(table.asked)
    found = [row[0] for row in salvage.rows()]
    assert found == list(range(0, found[-1] + 1, 50))
    assert 50 < len(found) < 200
    assert salvage.lost[-1] == (found[-1] + 1, 2**63 - 1)
    assert table.questions < 5_200


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "Manifest.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
    )
    rows = [(file_id_of("HomeDomain", f"{n:04}"), "HomeDomain", f"{n:04}", bytes(400)) for n in range(ROWS)]
    connection.executemany("INSERT INTO Files VALUES (?, ?, ?, 1, ?)", rows)
    connection.commit()
    connection.close()
    return path


def leaves(path: Path) -> list[int]:
    """The pages that hold rows: leaves of a table (type 13), as SQLite's file format has them, but for the schema's."""
    image = path.read_bytes()
    return [number for number in range(1, len(image) // PAGE) if image[number * PAGE] == 13]


def read(path: Path) -> tuple[list[str], list[str]]:
    said: list[str] = []
    manifest = Manifest.open(path, damaged=said.append)
    names = [entry.relative_path or "" for entry in manifest.entries()]
    assert manifest.count() == len(names)
    assert all(manifest.get(entry.file_id) == entry for entry in manifest.entries())
    manifest.close()
    return names, said


@pytest.mark.parametrize("which", [0, 3, -1])
def test_a_damaged_page_takes_only_its_own_rows(index: Path, which: int) -> None:
    page = leaves(index)[which]
    image = bytearray(index.read_bytes())
    lost = {f"{n:04}" for n in range(ROWS) if f"HomeDomain{n:04}".encode() in image[page * PAGE : (page + 1) * PAGE]}
    assert lost
    image[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    index.write_bytes(image)
    before = sorted(index.parent.iterdir())
    names, said = read(index)
    assert set(names) == {f"{n:04}" for n in range(ROWS)} - lost
    assert names == sorted(names)
    assert len(said) == 1
    assert "is damaged" in said[0]
    assert f"{len(names):,} rows were read" in said[0]
    assert sorted(index.parent.iterdir()) == before
    assert index.read_bytes() == image


def test_an_index_that_was_cut_gives_what_stands_before(index: Path) -> None:
    image = index.read_bytes()
    index.write_bytes(image[: len(image) // PAGE * 2 // 3 * PAGE])
    names, said = read(index)
    assert 100 < len(names) < ROWS
    assert any("it was cut" in what for what in said)


def test_a_sound_index_is_not_said_to_be_damaged(index: Path) -> None:
    assert read(index) == ([f"{n:04}" for n in range(ROWS)], [])


def test_an_index_of_which_nothing_can_be_read_is_no_evidence(index: Path) -> None:
    image = bytearray(index.read_bytes())
    for page in leaves(index):
        image[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    index.write_bytes(image)
    with pytest.raises(EvidenceError, match="no row of it can be read"):
        read(index)
