"""A whole backup read row by row: each outcome by a sample made for it, files on disk, and nothing outside them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import PassphraseError, StoppedError
from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import extract, hash_entry, readings
from bagtag.extract.evidence import Outcome
from bagtag.extract.findings import issues_of
from bagtag.extract.inventory import InventoryRow, encode
from bagtag.extract.manifest import FileEntry
from bagtag.extract.naming import Names
from bagtag.extract.reading.aside import CHUNK
from bagtag.extract.selection import Selection
from bagtag.extract.stores import folder
from bagtag.extract.stores.folder import FolderFile
from bagtag.extract.workspace import Workspace
from bagtag.sample_backups.faults.registry import ENCRYPTED_ONLY, ENTRY_FAULTS
from bagtag.sample_backups.make import Minted

Mint = Callable[..., Minted]
FAULTS = sorted(ENTRY_FAULTS)
EXTRA = [("AppDomain-com.example.large", "Documents/film.mov", 3 * 1024 * 1024 + 7)]


@pytest.fixture(scope="session")
def faulty(mint: Mint) -> Minted:
    """An encrypted backup with every fault a row can have."""
    return mint(faults=FAULTS, extra_files=EXTRA)


@pytest.fixture(scope="session")
def faulty_plain(mint: Mint) -> Minted:
    """The same without encryption."""
    return mint(encrypted=False, faults=sorted(set(FAULTS) - ENCRYPTED_ONLY), extra_files=EXTRA)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.inside(tmp_path / "work") as space:
        yield space


@pytest.fixture
def opened(workspace: Workspace) -> Iterator[Callable[[Minted], Backup]]:
    backups: list[Backup] = []

    def open_(minted: Minted) -> Backup:
        backup = Backup.open(minted.folder, workspace)
        backups.append(backup)
        if backup.locked:
            backup.unlock(key=bytes.fromhex(minted.kek or ""))
        return backup

    yield open_
    for backup in backups:
        backup.close()


Extracted = tuple[list[InventoryRow], Path]


@pytest.fixture
def extracted(tmp_path: Path, workspace: Workspace, opened: Callable[[Minted], Backup]) -> Callable[..., Extracted]:
    def extracted_(minted: Minted, scope: Any = None, **options: Any) -> Extracted:
        backup = opened(minted)
        files = tmp_path / workspace.new("bag").name / "data/files"
        files.mkdir(parents=True)
        with Names(backup.manifest, workspace) as names:
            return list(extract(backup, scope, files, names, **options)), files

    return extracted_


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("sample", ["faulty", "faulty_plain"])
def test_every_row_of_a_faulty_backup_is_what_the_truth_says(
    sample: str, request: pytest.FixtureRequest, extracted: Callable[..., Extracted]
) -> None:
    minted: Minted = request.getfixturevalue(sample)
    rows, files = extracted(minted)
    facts = {fact["file_id"]: fact for fact in minted.truth["manifest"]}
    kept: set[Path] = set()
    for row in rows:
        if row.outcome is Outcome.ORPHAN:
            continue
        fact = facts.pop(row.file_id)
        where = fact["relative_path"]
        # Without encryption a blob emptied by somebody cannot tell itself from an empty file; its Size can.
        emptied = fact["stored"] and not fact["stored"]["size"] and fact["size"]
        assert row.outcome == ("truncated" if emptied else fact["outcome"]), where
        assert set(fact["findings"]) <= set(row.findings), where
        assert (row.domain, row.relative_path, row.flags) == (fact["domain"], fact["relative_path"], fact["flags"])
        if fact["stored"]:
            assert row.stored is not None, where
            told = {"path": row.stored.path, "size": row.stored.size, "sha256": row.stored.sha256}
            assert told == fact["stored"], where
        if fact["plain"]:
            assert row.plain is not None, where
            assert row.bag_path is not None
            assert {"size": row.plain.size, "sha256": row.plain.sha256} == fact["plain"], where
            path = files / row.bag_path.removeprefix("data/files/")
            assert sha256(path) == row.plain.sha256, where
            assert row.name_changed == fact["renamed"], where
        if row.bag_path:
            kept.add(files / row.bag_path.removeprefix("data/files/"))
        if row.outcome in {Outcome.OK, Outcome.OK_EMPTY} and not fact["findings"]:
            assert not row.findings, where
            assert not list(issues_of(row)), where
    assert not facts, "a row without an outcome"
    assert kept == {path for path in files.rglob("*") if not path.is_dir()}, "a file that no row names"
    assert all(any(folder.iterdir()) for folder in files.rglob("*") if folder.is_dir()), "an empty folder"


def test_orphans_come_last_with_their_digest(faulty: Minted, extracted: Callable[..., Extracted]) -> None:
    rows, _ = extracted(faulty)
    orphans = [row for row in rows if row.outcome is Outcome.ORPHAN]
    assert rows[-len(orphans) :] == orphans
    assert [(row.stored.path, row.stored.size, row.stored.sha256) for row in orphans if row.stored] == [
        (fact["path"], fact["size"], fact["sha256"]) for fact in faulty.truth["orphans"]
    ]


@pytest.mark.parametrize("sample", ["faulty", "faulty_plain"])
def test_the_lines_do_not_depend_on_workers(
    sample: str, request: pytest.FixtureRequest, extracted: Callable[..., Extracted]
) -> None:
    minted: Minted = request.getfixturevalue(sample)
    crews = ({"workers": 1}, {"workers": 4}, {"processes": 2})
    one, *others = (b"".join(map(encode, extracted(minted, **crew)[0])) for crew in crews)
    assert others == [one, one]


def test_losses_are_harmful_issues_and_oddities_are_notes(faulty: Minted, extracted: Callable[..., Extracted]) -> None:
    rows, _ = extracted(faulty)
    effects = {
        (row.relative_path or "").removeprefix("Documents/").removeprefix("Library/Faults/"): {
            issue.effect for issue in issues_of(row)
        }
        for row in rows
    }
    assert effects["missing-blob.txt"] == effects["symlinked-blob.txt"] == {"lost"}
    assert effects["bad-record.txt"] == effects["key-unavailable.txt"] == {"lost"}
    assert effects["truncated.txt"] == {"partial", "note"}
    assert "partial" in effects["unterminated.txt"]
    assert effects["size-mismatch.txt"] == effects["fileid-mismatch.txt"] == effects["path-mismatch.txt"] == {"note"}
    assert (
        effects["digest-mismatch.txt"]
        == effects["size-absent.txt"]
        == effects["../../outside-relative.txt"]
        == {"note"}
    )


def test_nothing_is_written_outside_and_all_is_private(
    faulty: Minted, tmp_path: Path, extracted: Callable[..., Extracted]
) -> None:
    _, files = extracted(faulty)
    outside = [path for path in tmp_path.rglob("outside-*") if path.is_file()]
    assert not outside
    for path in files.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_file_gets_the_modification_time_of_its_row(
    encrypted_backup: Minted, extracted: Callable[..., Extracted]
) -> None:
    _, files = extracted(encrypted_backup)
    path = files / "HomeDomain/Library/SMS/sms.db"
    (fact,) = (fact for fact in encrypted_backup.truth["manifest"] if fact["relative_path"] == "Library/SMS/sms.db")
    assert fact["modified_at"].startswith(str(_utc(path.stat().st_mtime)))


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def test_a_set_decrypted_in_place_is_taken_as_it_is(mint: Mint, extracted: Callable[..., Extracted]) -> None:
    minted = mint(faults=["decrypted-in-place"])
    rows, _ = extracted(minted)
    facts = {fact["file_id"]: fact for fact in minted.truth["manifest"]}
    for row in rows:
        fact = facts[row.file_id]
        assert row.outcome == fact["outcome"], fact["relative_path"]
        assert "digest-mismatch" not in row.findings
        if fact["plain"]:
            assert row.plain is not None
            assert row.plain.sha256 == fact["plain"]["sha256"]


def test_a_damaged_class_key_closes_its_files_alone(mint: Mint, extracted: Callable[..., Extracted]) -> None:
    minted = mint(faults=["damaged-keybag"])
    rows, _ = extracted(minted)
    outcomes = {row.file_id: row.outcome for row in rows}
    assert outcomes == {fact["file_id"]: fact["outcome"] for fact in minted.truth["manifest"]}
    assert Outcome.OK in outcomes.values()


def test_rows_out_of_scope_carry_their_file_id_alone(
    encrypted_backup: Minted, extracted: Callable[..., Extracted]
) -> None:
    rows, files = extracted(encrypted_backup, Selection(domain="HomeDomain"))
    for row in rows:
        fact = next(fact for fact in encrypted_backup.truth["manifest"] if fact["file_id"] == row.file_id)
        if fact["domain"] != "HomeDomain":
            assert row == InventoryRow(file_id=row.file_id, outcome=Outcome.OUT_OF_SCOPE)
        else:
            assert row.outcome == fact["outcome"]
    assert [path.name for path in files.iterdir()] == ["HomeDomain"]
    some = {row.file_id for row in rows if row.outcome is not Outcome.OUT_OF_SCOPE}
    again, _ = extracted(encrypted_backup, lambda entry: entry.file_id in some)
    assert again == rows


def test_rows_of_an_earlier_run_are_not_read_again(
    encrypted_backup: Minted, extracted: Callable[..., Extracted]
) -> None:
    first, _ = extracted(encrypted_backup)
    known = {row.file_id: row for row in first if row.flags == 1}
    again, files = extracted(encrypted_backup, done=lambda entry: known.get(entry.file_id))
    assert again == first
    assert not any(files.iterdir())


def test_further_digests_are_of_the_content(encrypted_backup: Minted, extracted: Callable[..., Extracted]) -> None:
    rows, files = extracted(encrypted_backup, also=("sha512", "sha1", "md5"))
    for row in rows:
        if row.plain is not None and row.bag_path is not None:
            content = (files / row.bag_path.removeprefix("data/files/")).read_bytes()
            assert row.plain.sha512 == hashlib.sha512(content).hexdigest()
            assert row.plain.sha1 == hashlib.sha1(content).hexdigest()
            assert row.plain.md5 == hashlib.md5(content).hexdigest()


def test_first_bytes_and_the_age_of_the_blob_are_told(
    encrypted_backup: Minted, opened: Callable[[Minted], Backup]
) -> None:
    backup = opened(encrypted_backup)
    reads = {read.row.file_id: read for read in readings(backup, None, None, None)}
    name = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
    assert reads[name].head == b"SQLite format 3\0"
    assert reads[name].modified == (encrypted_backup.folder / name[:2] / name).stat().st_mtime_ns
    assert all(read.line == encode(read.row) for read in reads.values())


def test_progress_is_told(encrypted_backup: Minted, extracted: Callable[..., Extracted]) -> None:
    fractions: list[float] = []
    extracted(encrypted_backup, progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_folders_of_the_backup_are_made_on_request(
    encrypted_backup: Minted, tmp_path: Path, extracted: Callable[..., Extracted]
) -> None:
    made = tmp_path / "folders"
    rows, _ = extracted(encrypted_backup, folders=made)
    wanted = {f"{row.domain}/{row.relative_path}".rstrip("/") for row in rows if row.outcome is Outcome.DIRECTORY}
    assert wanted <= {path.relative_to(made).as_posix() for path in made.rglob("*")}


def test_one_row_on_demand_is_the_row_of_the_extraction(
    faulty: Minted, workspace: Workspace, opened: Callable[[Minted], Backup], extracted: Callable[..., Extracted]
) -> None:
    rows = {row.file_id: row for row in extracted(faulty)[0]}
    backup = opened(faulty)
    with Names(backup.manifest, workspace) as names:
        for entry in backup.manifest.entries():
            assert hash_entry(backup, entry, names) == rows[entry.file_id]


def test_a_locked_backup_is_not_read(encrypted_backup: Minted, workspace: Workspace) -> None:
    with Backup.open(encrypted_backup.folder, workspace) as backup, pytest.raises(PassphraseError):
        next(extract(backup, None, None, None))


def test_a_full_disk_stops_the_run_and_leaves_no_half_file(
    encrypted_backup: Minted, tmp_path: Path, extracted: Callable[..., Extracted], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoppedError, match="No space left on device"):
        extracted(encrypted_backup)
    assert not [path for path in tmp_path.rglob("data/files/**/*") if path.is_file() and path.stat().st_size]


def test_a_backup_that_vanishes_midway_stops_the_run(mint: Mint, extracted: Callable[..., Extracted]) -> None:
    minted = mint()

    def pull_the_plug(entry: FileEntry) -> None:
        if minted.folder.exists():
            minted.folder.rename(minted.folder.with_name("unplugged"))

    with pytest.raises(StoppedError, match="can no longer be read"):
        extracted(minted, done=pull_the_plug)


def test_a_reading_that_is_given_up_leaves_no_half_file(
    faulty: Minted, tmp_path: Path, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    backup = opened(faulty)
    files = tmp_path / "files"
    files.mkdir()
    with Names(backup.manifest, workspace) as names:
        rows = extract(backup, None, files, names)
        next(rows)
        rows.close()  # type: ignore[attr-defined]
    sizes = {fact["plain"]["size"] for fact in faulty.truth["manifest"] if fact["plain"]}
    assert {path.stat().st_size for path in files.rglob("*") if path.is_file()} <= sizes


def test_a_blob_under_a_row_that_is_no_file_is_told(mint: Mint, extracted: Callable[..., Extracted]) -> None:
    minted = mint()
    name = next(fact for fact in minted.truth["manifest"] if fact["outcome"] == "directory")["file_id"]
    path = minted.folder / name[:2] / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"hidden")
    (row,) = (row for row in extracted(minted)[0] if row.file_id == name)
    assert (row.outcome, row.findings) == (Outcome.DIRECTORY, ["unexpected-blob"])
    assert row.stored is not None
    assert row.stored.sha256 == hashlib.sha256(b"hidden").hexdigest()
    assert [issue.effect for issue in issues_of(row)] == ["partial"]


def test_a_second_copy_of_a_blob_where_nobody_looks_is_an_orphan(
    mint: Mint, extracted: Callable[..., Extracted]
) -> None:
    minted = mint()
    name = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
    (minted.folder / name).write_bytes(b"another version")
    (row,) = (row for row in extracted(minted)[0] if row.outcome is Outcome.ORPHAN)
    assert (row.file_id, row.findings, row.stored and row.stored.path) == (name, ["misplaced"], name)


def test_a_blob_that_cannot_be_read_is_a_loss_and_the_rest_goes_on(
    mint: Mint, extracted: Callable[..., Extracted], monkeypatch: pytest.MonkeyPatch
) -> None:
    minted = mint()
    name = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
    real = os.open

    def refusing(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).endswith(name):
            raise OSError(5, "Input/output error")
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)
    rows = {row.file_id: row for row in extracted(minted)[0]}
    assert (rows[name].outcome, rows[name].findings) == (Outcome.MISSING, ["read-error"])
    assert {issue.effect for issue in issues_of(rows[name])} == {"lost"}
    assert sum(row.outcome is Outcome.OK for row in rows.values()) > 3


def test_a_blob_that_breaks_off_while_it_is_read_leaves_no_file(
    mint: Mint, extracted: Callable[..., Extracted], monkeypatch: pytest.MonkeyPatch
) -> None:
    minted = mint(extra_files=EXTRA)
    (fact,) = (fact for fact in minted.truth["manifest"] if fact["relative_path"] == EXTRA[0][1])

    class Failing(FolderFile):
        def readinto(self, buffer: Any, /) -> int:
            if self.tell() >= 2 * CHUNK:
                raise OSError(5, "Input/output error")
            return super().readinto(buffer)

    monkeypatch.setattr(folder, "FolderFile", Failing)
    rows, files = extracted(minted)
    (row,) = (row for row in rows if row.file_id == fact["file_id"])
    assert (row.outcome, row.findings, row.plain, row.bag_path) == (Outcome.MISSING, ["read-error"], None, None)
    assert row.stored is not None
    assert (row.stored.path, row.stored.sha256) == (fact["stored"]["path"], None)
    assert not (files / "AppDomain-com.example.large").exists()
