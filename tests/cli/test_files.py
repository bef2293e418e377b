"""`bagtag files`: rows of the index, as they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.index.files_table import FilesTable

HOSTILE = ("HomeDomain", "Library/\x1b[2J\x1b]0;owned\x07 [bold]x\nforged  f  HomeDomain", b"x")


def test_every_row_is_listed_with_an_outcome_that_nobody_knows_yet(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("files", encrypted_backup.folder, "--json", passphrase=encrypted_backup.passphrase)
    keys = ("file_id", "domain", "relative_path", "flags")
    truth = {tuple(row[key] for key in keys) for row in encrypted_backup.truth["manifest"]}
    assert ran.code == 0
    assert {tuple(row[key] for key in keys) for row in ran.rows} == truth
    assert all(tuple(row) == (*keys, "outcome") and row["outcome"] is None for row in ran.rows)
    assert len(ran.rows) == len(truth)


def test_long_rows_add_what_the_device_recorded(bagtag: Any, plain_backup: Any) -> None:
    rows = {row["file_id"]: row for row in bagtag("files", plain_backup.folder, "--long", "--json").rows}
    for fact in plain_backup.truth["manifest"]:
        row = rows[fact["file_id"]]
        for key in ("size", "mode", "modified_at", "changed_at", "created_at", "protection_class"):
            assert row[key] == fact[key], (fact["relative_path"], key)
        assert row["manifest"]["inode"] == fact["inode"]
        assert row["outcome"] is None


def _paths(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["domain"], row["relative_path"]) for row in rows}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--domain", "HomeDomain"], lambda row: row["domain"] == "HomeDomain"),
        (["--domain", "homedomain"], lambda row: False),
        (["--glob", "*.sqlitedb"], lambda row: row["relative_path"].endswith(".sqlitedb")),
        (["--app", "com.example.notes"], lambda row: "com.example.notes" in row["domain"]),
        (["--domain", "HomeDomain", "--glob", "Library/SMS/*"],
         lambda row: row["domain"] == "HomeDomain" and row["relative_path"].startswith("Library/SMS/")),
    ],
)  # fmt: skip
def test_each_condition_selects_exactly(options: list[str], wanted: Any, bagtag: Any, plain_backup: Any) -> None:
    rows = bagtag("files", plain_backup.folder, "--json", *options).rows
    assert _paths(rows) == _paths([row for row in plain_backup.truth["manifest"] if wanted(row)])


def test_ids_come_from_a_file(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    chosen = [row["file_id"] for row in plain_backup.truth["manifest"][:3]]
    ids = tmp_path / "ids"
    ids.write_text("# the first three\n" + "\n".join(chosen) + "\n\n")
    rows = bagtag("files", plain_backup.folder, "--json", "--ids", ids).rows
    assert sorted(row["file_id"] for row in rows) == sorted(chosen)


def test_ids_that_no_row_has_are_said_and_are_no_damage(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    known = plain_backup.truth["manifest"][0]["file_id"]
    ids = tmp_path / "ids"
    ids.write_text("\n".join([known, known.upper(), *(f"{number:040x}" for number in range(30))]))
    ran = bagtag("files", plain_backup.folder, "--json", "--ids", ids)
    assert ran.code == 0
    assert [row["file_id"] for row in ran.rows] == [known]
    assert "31 fileIDs not in the index" in ran.err
    assert f"{0:040x}" in ran.err
    assert "and 11 more" in ran.err


def test_a_bracket_in_a_name_is_written_in_brackets(bagtag: Any, mint: Any) -> None:
    minted = mint(encrypted=False, extra_files=[("HomeDomain", "Documents/[1].txt", b"x")])
    assert bagtag("files", minted.folder, "--glob", "Documents/[1].txt", "--json").rows == []
    (row,) = bagtag("files", minted.folder, "--glob", "Documents/[[]1].txt", "--json").rows
    assert row["relative_path"] == "Documents/[1].txt"
    assert "[[]" in bagtag("files", "--help").out


def test_a_listing_reads_no_record_unless_it_has_to(
    bagtag: Any, plain_backup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    one, several = FilesTable.record, FilesTable.records

    def counted(table: FilesTable, rowid: int) -> bytes | None:
        asked.append(rowid)
        return one(table, rowid)

    def all_counted(table: FilesTable, rowids: Sequence[int]) -> dict[int, bytes | None]:
        asked.extend(rowids)
        return several(table, rowids)

    def cost(*options: str) -> int:
        asked.clear()
        assert bagtag("files", plain_backup.folder, *options).code == 0
        return len(asked)

    monkeypatch.setattr(FilesTable, "record", counted)
    monkeypatch.setattr(FilesTable, "records", all_counted)
    opening = cost("--domain", "nowhere")  # the set is judged by its first rows
    rows = len(plain_backup.truth["manifest"])
    assert cost() == cost("--json") == cost("--glob", "*.db") == opening
    assert cost("--long") == cost("--modified-from", "2001-01-01T00:00:00Z") == opening + rows


def test_modified_times_are_inclusive_and_exclusive(bagtag: Any, plain_backup: Any) -> None:
    times = sorted({row["modified_at"] for row in plain_backup.truth["manifest"]})
    low, high = times[0], times[-1]
    cases: list[tuple[list[str], Callable[[str], bool]]] = [
        (["--modified-from", low], lambda at: at >= low),
        (["--modified-to", high], lambda at: at < high),
        (["--modified-from", low, "--modified-to", high], lambda at: low <= at < high),
    ]
    for options, wanted in cases:
        rows = bagtag("files", plain_backup.folder, "--json", *options).rows
        truth = [row for row in plain_backup.truth["manifest"] if wanted(row["modified_at"])]
        assert _paths(rows) == _paths(truth)


@pytest.mark.parametrize(
    "options",
    [
        ["--modified-from", "2025-05-30"],
        ["--modified-from", "yesterday"],
        ["--modified-from", "2025-05-30", "--tz", "Nowhere/City"],
        ["--modified-from", "2025-05-31T00:00:00Z", "--modified-to", "2025-05-30T00:00:00Z"],
        ["--ids", "/nowhere/at/all"],
    ],
)
def test_a_condition_that_means_nothing_ends_with_2(options: list[str], bagtag: Any, plain_backup: Any) -> None:
    ran = bagtag("files", plain_backup.folder, *options)
    assert (ran.code, ran.out) == (2, "")


def test_a_bare_date_counts_in_the_zone_that_is_given(bagtag: Any, plain_backup: Any) -> None:
    assert bagtag("files", plain_backup.folder, "--modified-from", "2025-05-30", "--tz", "Europe/Berlin").code == 0


@pytest.mark.parametrize("extra", [[], ["--long"], ["--json"], ["--long", "--json"]])
def test_a_file_named_with_escapes_is_shown_as_code_points(extra: list[str], bagtag: Any, mint: Any) -> None:
    minted = mint(encrypted=False, extra_files=[HOSTILE])
    ran = bagtag("files", minted.folder, "--glob", "*owned*", *extra)
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    assert not set("\x1b\x07") & set(ran.out)
    if "--json" in extra:
        assert ran.rows[0]["relative_path"] == HOSTILE[1]
    else:
        assert r"\x1b[2J\x1b]0;owned\x07 [bold]x\nforged" in ran.out


def test_rows_that_lie_or_cannot_be_decoded_are_listed_and_said(bagtag: Any, mint: Any) -> None:
    minted = mint(encrypted=False, faults=["bad-record", "other-flags"])
    ran = bagtag("files", minted.folder, "--long", "--json")
    assert len(ran.rows) == len(minted.truth["manifest"])
    assert ran.code == 1
    assert "cannot be read" in ran.err
    assert bagtag("files", minted.folder).code == 0


def test_nothing_in_the_backup_is_touched(bagtag: Any, mint: Any) -> None:
    minted = mint()

    def state() -> list[tuple[str, int, int]]:
        found = sorted(minted.folder.rglob("*"))
        return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in [minted.folder, *found]]

    before = state()
    for command in ("info", "files", "messages", "unlock", "crosscheck"):
        assert bagtag(command, minted.folder, passphrase=minted.passphrase).code in (0, 1)
    assert state() == before


def test_only_the_names_of_an_ios_10_0_index_are_listed_without_the_passphrase(
    bagtag: Any, mint: Any, tmp_path: Path
) -> None:
    backup = mint(ios="10.0", encrypted=True)
    key = tmp_path / "key"
    key.write_text(f"{backup.kek}\n")
    assert len(bagtag("files", backup.folder, "--json").rows) == len(backup.truth["manifest"])
    assert bagtag("files", backup.folder, "--long").code == 6
    ran = bagtag("files", backup.folder, "--modified-from", "2020-01-01T00:00:00Z", "--key-file", key)
    assert ran.code == 6
    assert "passphrase itself" in ran.err
    rows = bagtag("files", backup.folder, "--long", "--json", passphrase=backup.passphrase).rows
    assert {row["file_id"]: row["size"] for row in rows} == {
        row["file_id"]: row["size"] for row in backup.truth["manifest"]
    }
