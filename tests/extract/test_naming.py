"""Where files are kept: ordinary names stay, what some file system could not hold or would mix up is renamed."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bagtag.extract import naming
from bagtag.extract.manifest import Manifest, file_id_of
from bagtag.extract.naming import Names, Place
from bagtag.extract.workspace import Workspace

FILE, DIRECTORY, SYMLINK = 1, 2, 4
Row = tuple[str, str | None, str | None, int]
Placed = Callable[[Sequence[Row]], dict[str, Place]]


def row(path: str, flags: int = FILE, domain: str = "HomeDomain") -> Row:
    return file_id_of(domain, path), domain, path, flags


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.inside(tmp_path / "work") as space:
        yield space


@pytest.fixture
def placed(workspace: Workspace) -> Placed:
    """The place of each row of an index, by its fileID."""

    def place(rows: Sequence[Row]) -> dict[str, Place]:
        path = workspace.new("index.db")
        connection = sqlite3.connect(path)
        connection.execute(
            "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
        )
        connection.executemany("INSERT INTO Files VALUES (?, ?, ?, ?, NULL)", rows)
        connection.commit()
        connection.close()
        manifest = Manifest.open(path)
        with Names(manifest, workspace) as names:
            found = {entry.file_id: names.place(entry) for entry in manifest.entries()}
        manifest.close()
        return found

    return place


@pytest.mark.parametrize(
    "path",
    [
        "Library/SMS/sms.db", "a b/c", "Документы/файл.txt", "it's", "[y]", "x" * 139, ".hidden", "CONSOLE",
        "COM", "COM10.txt",
        "a/nul-island", "e\u0301", "a..b", "…", "x" * 100 + "/" + "y" * 38,
    ],
)  # fmt: skip
def test_an_ordinary_name_is_kept_as_it_is(placed: Placed, path: str) -> None:
    only = row(path)
    assert placed([only])[only[0]] == Place(f"HomeDomain/{path}", renamed=False, unsafe=False)


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("100%.txt", ".txt"), ("a\tb.txt", ".txt"), ("line\nbreak.jpeg", ".jpeg"), ("del\x7f", ""), ("c1\x85.x", ".x"),
        ("a<b", ""),
        ("a>b.HEIC", ".HEIC"), ("a:b", ""), ('a"b', ""), ("a|b", ""), ("a?b", ""), ("a*b", ""), ("a\\b.db", ".db"),
        ("CON", ""), ("con.txt", ".txt"), ("aux.tar.gz", ".gz"), ("x/NUL/y.txt", ".txt"), ("lpt1", ""),
        ("COM9.log", ".log"),
        ("prn .txt", ".txt"), ("trailing ", ""), ("trailing.", ""), ("folder /x.m4a", ".m4a"), ("folder./x", ""),
        ("a/./b", ""),
        ("a//b", ""), ("é" * 128, ""), ("x" * 140, ""), ("bad.ending-with-hyphen?", ""), (".only?", ""),
        ("long?.abcdefghijklmnopq", ""),
    ],
)  # fmt: skip
def test_a_name_that_some_system_cannot_hold_is_renamed_and_stays_safe(placed: Placed, path: str, suffix: str) -> None:
    only = row(path)
    assert placed([only])[only[0]] == Place(f"_renamed/{only[0]}{suffix}", renamed=True, unsafe=False)


def test_the_longest_path_is_150_code_points_with_its_domain(placed: Placed) -> None:
    longest, longer = row("ü" * 39 + "/" + "n" * 99), row("ü" * 39 + "/" + "n" * 100)
    found = placed([longest, longer])
    assert (found[longest[0]].renamed, found[longer[0]].renamed) == (False, True)


@pytest.mark.parametrize("domain", ["_renamed", "_RENAMED", "inventory.jsonl"])
def test_the_root_of_such_a_domain_is_renamed_behind_that_of_another(placed: Placed, domain: str) -> None:
    roots = [row("", DIRECTORY, name) for name in ("AppDomain-a", "AppDomain-b", domain)]
    found = placed(roots)
    assert [found[root[0]].renamed for root in roots] == [False, False, True]


@pytest.mark.parametrize("domain", ["_renamed", "_RENAMED", "inventory.jsonl"])
def test_a_domain_with_a_name_that_the_output_itself_uses_is_renamed(placed: Placed, domain: str) -> None:
    only = row("x.txt", domain=domain)
    assert placed([only])[only[0]] == Place(f"_renamed/{only[0]}.txt", renamed=True, unsafe=False)


@pytest.mark.parametrize(
    ("domain", "path"),
    [
        ("HomeDomain", "../x"), ("HomeDomain", "a/../../x"), ("HomeDomain", "/etc/passwd"), ("HomeDomain", "a\0b"),
        ("..", "x"), ("AppDomain-../../../x", "y"), ("/", "x"), ("", "x"),
    ],
)  # fmt: skip
def test_a_path_that_leads_out_is_unsafe(placed: Placed, domain: str, path: str) -> None:
    only = row(path, domain=domain)
    found = placed([only])[only[0]]
    assert (found.path, found.unsafe, found.renamed) == (f"_renamed/{only[0]}", True, True)


def test_a_path_that_is_no_unicode_is_unsafe(workspace: Workspace, placed: Placed) -> None:
    path = workspace.new("index.db")
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
    )
    connection.execute("INSERT INTO Files VALUES (?, 'HomeDomain', CAST(x'61ff62' AS TEXT), 1, NULL)", ("0" * 40,))
    connection.commit()
    connection.close()
    manifest = Manifest.open(path)
    with Names(manifest, workspace) as names:
        (found,) = map(names.place, manifest.entries())
    manifest.close()
    assert found == Place("_renamed/" + "0" * 40, renamed=True, unsafe=True)


def test_an_unsafe_file_id_is_replaced_by_the_hash_of_domain_and_path(placed: Placed) -> None:
    found = placed([("../../x", "HomeDomain", "Library/SMS/sms.db", FILE), ("A" * 40, None, None, FILE)])
    assert found["../../x"] == Place("_renamed/3d0d7e5fb2ce288813306e4d4636395e047a3d28.db", renamed=True, unsafe=True)
    assert found["A" * 40].unsafe


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row("File.txt"), row("file.txt")),
        (row("caf\u00e9"), row("cafe\u0301")),
        (row("Straße/a"), row("STRASSE/b")),
        (row("Folder", DIRECTORY), row("folder/x")),
        (row("Folder/x"), row("folder/y")),
        (row("x", domain="AppDomain-a"), row("y", domain="appdomain-A")),
        (row("a"), row("a/b")),
        (row("link", SYMLINK), row("link/b")),
        (row("a", SYMLINK), row("A")),
        (("0" * 40, "HomeDomain", "same", FILE), ("1" * 40, "HomeDomain", "same", FILE)),
        (("0" * 40, "HomeDomain", "same", FILE), ("1" * 40, "HomeDomain", "same", DIRECTORY)),
    ],
)
def test_rows_that_would_meet_on_a_folding_file_system_are_both_renamed(placed: Placed, one: Row, other: Row) -> None:
    bystander = row("Elsewhere/z.txt", domain="MediaDomain")
    found = placed([one, other, bystander])
    assert found[one[0]].renamed
    assert found[other[0]].renamed
    assert not found[bystander[0]].renamed


def test_a_shared_folder_spelled_alike_is_no_collision(placed: Placed) -> None:
    rows = [row("F", DIRECTORY), row("F/a"), row("F/b"), row("F/G", DIRECTORY), row("F-1"), row("F/G/c")]
    assert not any(place.renamed for place in placed(rows).values())


def test_everything_below_a_colliding_folder_is_renamed(placed: Placed) -> None:
    rows = [row("F/deep/er/a"), row("F/b"), row("f/c"), row("G/d")]
    found = placed(rows)
    assert [found[each[0]].renamed for each in rows] == [True, True, True, False]


COMPONENT = st.text(st.sampled_from("aAbéE\u0301ßSs.%/ "), min_size=1, max_size=3)
PATHS = st.lists(st.lists(COMPONENT, min_size=1, max_size=3).map("/".join), min_size=1, max_size=8, unique=True)


def fold(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, st.data())
def test_kept_places_never_meet_and_do_not_depend_on_flags_order(
    placed: Placed, paths: list[str], data: st.DataObject
) -> None:
    rows = [row(path) for path in paths]
    found = placed(rows)
    assert placed(data.draw(st.permutations(rows))) == found
    assert len({fold(place.path) for place in found.values()}) == len(rows)
    for one, other in combinations(sorted(fold(place.path) for place in found.values()), 2):
        assert not other.startswith(one + "/"), "a file is the parent of another"
    for file_id, place in found.items():
        assert ".." not in place.path.split("/")
        assert place.renamed == place.path.startswith(f"_renamed/{file_id}")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, st.lists(st.sampled_from([FILE, DIRECTORY]), min_size=8, max_size=8))
def test_many_names_are_compared_on_the_disk_with_the_same_result(
    placed: Placed, paths: list[str], flags: list[int]
) -> None:
    rows = [row(path, flag) for path, flag in zip(paths, flags, strict=False)]
    found = placed(rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(naming, "_FEW_LETTERS", -1)
        assert placed(rows) == found


def test_what_is_unsafe_in_a_folder_that_is_fit_is_unsafe(placed: Placed) -> None:
    rows = [row("F/a"), row("F/b\0"), ("0" * 39, "HomeDomain", "F/c", FILE), row("F/.."), row("F/d")]
    found = placed(rows)
    assert [found[each[0]].unsafe for each in rows] == [False, True, True, True, False]
