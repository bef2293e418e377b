"""The second reader, iphone-backup-decrypt itself, in its own process: agreement, refusals, and nothing left behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bagtag.custody.errors import StoppedError, UsageError
from bagtag.extract.backup import Backup
from bagtag.extract.crosscheck import Crosscheck, SecondReader, in_sample, is_database, not_covered
from bagtag.extract.decrypt import extract
from bagtag.extract.engine import extract_with_second_reader
from bagtag.extract.evidence import Outcome
from bagtag.extract.findings import issues_of
from bagtag.extract.inventory import InventoryRow, encode
from bagtag.extract.naming import Names
from bagtag.extract.workspace import Workspace
from bagtag.sample_backups.archives import packing
from bagtag.sample_backups.faults.registry import ENTRY_FAULTS
from bagtag.sample_backups.make import Minted

Mint = Callable[..., Minted]
SMS_DB = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
LARGE = ("AppDomain-com.example.large", "Documents/film.mov", 17 * 1024 * 1024 + 3)


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
        if backup.needs_passphrase_itself:
            backup.unlock(passphrase=minted.passphrase)
        elif backup.locked:
            backup.unlock(key=bytes.fromhex(minted.kek or ""))
        return backup

    yield open_
    for backup in backups:
        backup.close()


@pytest.fixture(scope="session")
def faulty(mint: Mint) -> Minted:
    """An encrypted backup with every fault a row can have, and a file that the tool must not hold in memory."""
    return mint(faults=sorted(ENTRY_FAULTS), extra_files=[LARGE])


def left_over(workspace: Workspace) -> list[Path]:
    return [path for path in workspace.path.iterdir() if "second-reader" in path.name]


def test_both_readers_agree_on_every_sound_file(
    faulty: Minted, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    backup = opened(faulty)
    rows = list(extract(backup, None, None, None))
    check = Crosscheck(backup, workspace)
    done: list[int] = []
    readings = {reading.file_id: reading for reading in check.compare(rows, done.append)}
    assert set(readings) == {row.file_id for row in rows if row.plain is not None}
    facts = {fact["file_id"]: fact for fact in faulty.truth["manifest"]}
    for row in rows:
        fact = facts.get(row.file_id)
        if fact is None or row.outcome not in {Outcome.OK, Outcome.OK_EMPTY} or fact["size"] is None:
            continue
        reading = readings[row.file_id]
        assert reading.verdict == "agree", (fact["relative_path"], check.refusals.get(row.file_id))
        assert reading.sha256_first == reading.sha256_second == fact["plain"]["sha256"]
        assert (reading.tool, reading.version) == ("iphone-backup-decrypt", check.version)
    assert check.totals["differ"] == 0
    assert check.totals.total() == len(readings) == done[-1]
    assert not left_over(workspace)


def test_damaged_files_are_refused_with_the_tools_own_reason(
    faulty: Minted, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    backup = opened(faulty)
    rows = [row for row in extract(backup, None, None, None) if row.outcome in {"truncated", "unterminated"}]
    check = Crosscheck(backup, workspace)
    readings = list(check.compare(rows))
    assert {reading.verdict for reading in readings} == {"refused"}
    assert all(reading.sha256_second is None for reading in readings)
    cut = next(row for row in rows if row.relative_path == "Documents/truncated.txt")
    assert "not a multiple of 16" in check.refusals[cut.file_id]
    issue = check.issue(cut, next(reading for reading in readings if reading.file_id == cut.file_id))
    assert issue is not None
    assert (issue.effect, "not a multiple of 16" in issue.what) == ("note", True)


def test_other_content_is_a_harmful_difference(
    encrypted_backup: Minted, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    backup = opened(encrypted_backup)
    (row,) = (row for row in extract(backup, None, None, None) if row.file_id == SMS_DB)
    assert row.plain is not None
    truth, row.plain.sha256 = row.plain.sha256, "0" * 64
    check = Crosscheck(backup, workspace)
    (reading,) = check.compare([row])
    assert (reading.verdict, reading.sha256_second) == ("differ", truth)
    issue = check.issue(row, reading)
    assert issue is not None
    assert issue.effect == "partial"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"encrypted": False}, "not encrypted"),
        ({"faults": ["decrypted-in-place"]}, "decrypted in place"),
        ({"ios": "9.3"}, "Manifest.mbdb, of iOS 4 to 9"),
        ({"ios": "9.3", "encrypted": False}, "Manifest.mbdb, of iOS 4 to 9"),
        ({"ios": "10.0"}, "the way iOS 10.0 did it"),
        ({"ios": "10.1"}, "the way iOS 10.1 did it"),
    ],
)
def test_what_is_not_covered_is_said_row_by_row_with_its_reason(
    arguments: dict[str, object], reason: str, mint: Mint, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    backup = opened(mint(**arguments))
    rows = list(extract(backup, None, None, None))
    check = Crosscheck(backup, workspace)
    readings = list(check.compare(rows))
    assert {reading.verdict for reading in readings} == {"not-covered"}
    assert check.reason is not None
    assert reason in check.reason
    assert check.totals["not-covered"] == sum(row.plain is not None for row in rows)


def test_a_backup_that_the_tool_does_not_open_is_refused_file_by_file(
    mint: Mint, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    minted = mint(faults=["damaged-keybag"])  # the tool wants every class key, we take those that are whole
    backup = opened(minted)
    rows = list(extract(backup, None, None, None))
    check = Crosscheck(backup, workspace)
    assert {reading.verdict for reading in check.compare(rows)} == {"refused"}
    assert "IncorrectPassphraseError" in check.refusals[SMS_DB]


def test_the_key_is_in_no_argument_and_no_environment_and_the_folder_is_private(
    encrypted_backup: Minted,
    workspace: Workspace,
    opened: Callable[[Minted], Backup],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup = opened(encrypted_backup)
    calls: list[str] = []
    folders: list[int] = []
    real = subprocess.Popen

    def watched(*arguments: object, **options: object) -> object:
        calls.append(repr((arguments, options, dict(os.environ))))
        folders.append(Path(str(options["cwd"])).stat().st_mode & 0o777)
        return real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", watched)
    with SecondReader(backup, workspace) as reader:
        assert reader.read(SMS_DB).error is None
        assert left_over(workspace)
        inside = [path for path in left_over(workspace)[0].rglob("*") if path.is_file()]
        assert any(path.name == "Manifest.db" for path in inside), "the tool's index lies in the private folder"
    assert encrypted_backup.kek is not None
    assert encrypted_backup.kek not in calls[0]
    assert folders == [0o700]
    assert not left_over(workspace)


def test_a_reader_that_dies_is_started_again_a_few_times(
    encrypted_backup: Minted, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    with SecondReader(opened(encrypted_backup), workspace) as reader:
        for _ in range(3):
            assert reader.read(SMS_DB).error is None
            assert reader._process is not None
            reader._process.kill()
            reader._process.wait()
            assert reader.read(SMS_DB).error == "the second reader ended without an answer"
        assert reader.read(SMS_DB).sha256 is None


def test_the_source_is_not_touched(
    encrypted_backup: Minted, workspace: Workspace, opened: Callable[[Minted], Backup]
) -> None:
    def state() -> list[tuple[str, int, int]]:
        return sorted(
            (str(path), path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in encrypted_backup.folder.rglob("*")
        )

    before = state()
    backup = opened(encrypted_backup)
    rows = list(extract(backup, None, None, None))
    assert list(Crosscheck(backup, workspace).compare(rows))
    assert state() == before


def test_the_sample_and_the_databases_are_told_as_the_contract_says() -> None:
    assert is_database(b"SQLite format 3\0")
    assert not is_database(b"SQLite format 3")
    for number in range(2000):
        name = hashlib.sha1(str(number).encode()).hexdigest()
        assert in_sample(name) == (hashlib.sha256(name.encode()).digest()[0] == 0)


Engine = tuple[list[InventoryRow], Path]


@pytest.fixture
def engine(tmp_path: Path, workspace: Workspace, opened: Callable[[Minted], Backup]) -> Callable[..., Engine]:
    def run(minted: Minted) -> Engine:
        backup = opened(minted)
        files = tmp_path / "files"
        files.mkdir()
        with Names(backup.manifest, workspace) as names:
            return list(extract_with_second_reader(backup, None, files, names, workspace, also=("md5",))), files

    return run


def test_the_engine_writes_the_same_files_with_the_same_lines(
    encrypted_backup: Minted, engine: Callable[..., Engine], opened: Callable[[Minted], Backup], workspace: Workspace
) -> None:
    rows, files = engine(encrypted_backup)
    backup = opened(encrypted_backup)
    with Names(backup.manifest, workspace) as names:
        own = list(extract(backup, None, None, names, also=("md5",)))
    assert list(map(encode, rows)) == list(map(encode, own))
    for row in rows:
        if row.plain is not None and row.bag_path is not None:
            path = files / row.bag_path.removeprefix("data/files/")
            assert hashlib.sha256(path.read_bytes()).hexdigest() == row.plain.sha256
            assert path.stat().st_mode & 0o777 == 0o600


def test_what_the_engine_refuses_is_a_loss(faulty: Minted, engine: Callable[..., Engine]) -> None:
    rows, files = engine(faulty)
    (row,) = (row for row in rows if row.relative_path == "Documents/truncated.txt")
    assert (row.outcome, row.plain, row.bag_path) == (Outcome.TRUNCATED, None, None)
    assert "second-reader-refused" in row.findings
    assert "lost" in {issue.effect for issue in issues_of(row)}
    assert row.stored is not None
    named = {row.bag_path for row in rows if row.bag_path}
    assert named == {f"data/files/{path.relative_to(files).as_posix()}" for path in files.rglob("*") if path.is_file()}


def test_the_engine_declines_what_it_does_not_cover(plain_backup: Minted, engine: Callable[..., Engine]) -> None:
    with pytest.raises(UsageError, match="not encrypted"):
        engine(plain_backup)


def test_a_sound_encrypted_backup_is_covered(encrypted_backup: Minted, opened: Callable[[Minted], Backup]) -> None:
    assert not_covered(opened(encrypted_backup)) is None


def inside(workspace: Workspace) -> list[str]:
    """What lies in the copy that the tool was given, without the folders."""
    (private,) = left_over(workspace)
    return sorted(path.name for path in (private / "backup").rglob("*") if path.is_file())


@pytest.mark.parametrize("form", packing.FORMS)
def test_a_backup_in_a_container_is_read_from_copies_one_at_a_time(
    form: packing.Form, encrypted_backup: Minted, workspace: Workspace, tmp_path: Path
) -> None:
    packed = packing.packed(encrypted_backup, tmp_path / "evidence", form, within="a/b")
    with Backup.open(packed, workspace) as backup:
        backup.unlock(key=bytes.fromhex(encrypted_backup.kek or ""))
        assert not_covered(backup) is None
        rows = list(extract(backup, None, None, None))
        check = Crosscheck(backup, workspace)
        for reading in check.compare(rows):
            assert reading.verdict == "agree", check.refusals
            assert inside(workspace) == ["Manifest.db", "Manifest.plist"]
            assert all(path.stat().st_mode & 0o077 == 0 for path in left_over(workspace)[0].rglob("*/backup/*"))
        assert check.totals["agree"] == sum(row.plain is not None for row in rows) > 10
        assert not left_over(workspace)
        backup.store.close()


def test_what_cannot_be_copied_out_of_a_container_is_refused_and_a_pulled_drive_stops(
    encrypted_backup: Minted, workspace: Workspace, tmp_path: Path
) -> None:
    packed = packing.packed(encrypted_backup, tmp_path / "evidence.zip", "zip-stored")
    with Backup.open(packed, workspace) as backup:
        backup.unlock(key=bytes.fromhex(encrypted_backup.kek or ""))
        blob = (encrypted_backup.folder / "3d" / SMS_DB).read_bytes()
        image = packed.read_bytes()
        with packed.open("r+b") as file:
            file.seek(image.rindex(b"PK\3\4", 0, image.index(blob)))
            file.write(b"none")  # in the place of the member's own header
        with SecondReader(backup, workspace) as reader:
            assert reader.read(SMS_DB).error == "its member cannot be copied out of the container"
            assert reader.read("0" * 40).error == "there is no such blob in the container"
            packed.unlink()
            with pytest.raises(StoppedError):
                reader.read(SMS_DB)
        assert not left_over(workspace)
        backup.store.close()


def test_the_engine_reads_a_container_too(
    encrypted_backup: Minted, engine: Callable[..., Engine], workspace: Workspace, tmp_path: Path
) -> None:
    packed = packing.packed(encrypted_backup, tmp_path / "evidence.tar", "tar")
    files = tmp_path / "from-container"
    files.mkdir()
    with Backup.open(packed, workspace) as backup:
        backup.unlock(key=bytes.fromhex(encrypted_backup.kek or ""))
        with Names(backup.manifest, workspace) as names:
            rows = list(extract_with_second_reader(backup, None, files, names, workspace, also=("md5",)))
        backup.store.close()
    own, _ = engine(encrypted_backup)
    assert list(map(encode, rows)) == list(map(encode, own))
