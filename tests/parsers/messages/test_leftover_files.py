"""A file that no row names is evidence, unless it belongs to one that a row names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.evidence import Outcome, Provenance
from bagtag.extract.files import FileFacts
from bagtag.extract.sqlite import Database
from bagtag.parsers.messages.leftover_files import leftover_files

FOLDER = "Library/SMS/Attachments/ab/11/at_0_G-1/"


@dataclass
class Shelf:
    """File rows by domain."""

    rows: dict[str, list[str]]
    bare: bool = False
    backup_at: str | None = None

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        raise AssertionError("no file is read to find what is left over")

    def database(self, domain: str, relative_path: str) -> Database | None:
        raise AssertionError("no other database is needed")

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        for path in sorted(self.rows.get(domain, [])):
            if path.startswith(prefix):
                yield FileFacts("ab" * 20, domain, path, Outcome.OK, None, None, None)


@pytest.fixture
def left(new_database: Callable[..., Path]) -> Callable[..., list[tuple[str, list[str]]]]:
    """(path, explanations) of each leftover where rows name `filenames` and the backup has `paths`."""

    def looking(
        filenames: list[Any], *paths: str, bare: bool = False, **rows: list[str]
    ) -> list[tuple[str, list[str]]]:
        tables = {"attachment": [{"guid": str(n), "filename": name} for n, name in enumerate(filenames)]}
        where = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
        with Database.open(new_database("sms.db", tables), where) as database:
            shelf: Any = Shelf({"MediaDomain": list(paths), **rows}, bare=bare)
            return [(str(facts.relative_path), why) for facts, why in leftover_files(database, shelf)]

    return looking


def test_a_file_that_a_row_names_is_no_leftover(left: Any) -> None:
    named = [f"~/{FOLDER}a.jpeg", f"/var/mobile/{FOLDER}b.jpeg", f"~/{FOLDER}u\u0308.jpeg", None, 7]
    assert left(named, FOLDER + "a.jpeg", FOLDER + "b.jpeg", FOLDER + "\u00fc.jpeg") == []


def test_a_file_that_no_row_names_is_one_in_either_domain(left: Any) -> None:
    found = left([], FOLDER + "b", FOLDER + "a", "Library/SMS/x", HomeDomain=[FOLDER + "c", "Library/SMS/sms.db"])
    assert [path for path, _ in found] == [FOLDER + "a", FOLDER + "b", FOLDER + "c"]
    assert all("row was deleted" in why[0] for _, why in found)


@pytest.mark.parametrize("there", [[FOLDER + "IMG_1.HEIC"], []])
def test_the_movie_of_a_live_photo_whose_picture_has_a_row_is_none(left: Any, there: list[str]) -> None:
    assert left([f"~/{FOLDER}IMG_1.HEIC"], *there, FOLDER + "IMG_1.MOV") == []


@pytest.mark.parametrize("named", [None, f"~/{FOLDER}IMG_2.HEIC", f"~/{FOLDER}IMG_1.pdf"])
def test_a_movie_whose_picture_has_no_row_is_one(left: Any, named: str | None) -> None:
    ((_, why),) = left([named], FOLDER + "IMG_1.MOV")
    assert "row was deleted" in why[0]


def test_a_plugin_payload_with_a_row_is_none_and_without_one_is(left: Any) -> None:
    kept, lost = (f"{FOLDER}{name}.pluginPayloadAttachment" for name in "AB")
    ((path, why),) = left([f"~/{kept}"], kept, lost)
    assert path == lost
    assert why == ["a picture or part of a link preview or app balloon whose row was deleted"]


def test_a_file_that_a_row_names_at_another_place_says_so(left: Any) -> None:
    ((_, why),) = left(["~/Library/SMS/Attachments/cd/13/at_0_G-1/a.jpeg"], FOLDER + "a.jpeg")
    assert why[0] == "a row names a file of this folder and name at another place"


def test_beside_a_lone_database_nothing_is_looked_for(left: Any) -> None:
    assert left([], FOLDER + "a", bare=True) == []
