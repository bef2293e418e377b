"""`bagtag extract`: decrypted files on disk with their inventory; interrupted, it goes on where it stopped."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bagtag.extract.decrypt

FAULTS = ["bad-record", "case-twins", "missing-blob", "orphan-blob", "reserved-name", "truncated", "unsafe-path"]
LOST_A_BLOB = 1
"""The samples tell a story in which the blob of one attachment is gone: every whole extraction ends with 1."""
ROWS_BEFORE_THE_STOP = 30


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make the next extraction raise after some rows; the one after that runs as it should."""
    real = bagtag.extract.decrypt.readings

    def arm(trouble: BaseException) -> None:
        def some(*arguments: Any, **options: Any) -> Iterator[Any]:
            monkeypatch.setattr(bagtag.extract.decrypt, "readings", real)
            rows = real(*arguments, **options)
            for _ in range(ROWS_BEFORE_THE_STOP):
                yield next(rows)
            rows.close()
            raise trouble

        monkeypatch.setattr(bagtag.extract.decrypt, "readings", some)

    return arm


def inventory(dest: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (dest / "inventory.jsonl").read_text("utf-8").splitlines()]


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_every_file_is_written_as_the_phone_had_it(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    ran = bagtag("extract", encrypted_backup.folder, dest, "--json", passphrase=encrypted_backup.passphrase)
    rows = {row["file_id"]: row for row in inventory(dest)}
    for fact in encrypted_backup.truth["manifest"]:
        row = rows.pop(fact["file_id"])
        assert row["outcome"] == fact["outcome"], fact["relative_path"]
        if fact["plain"] is not None:
            place = dest / row["bag_path"]
            assert hashlib.sha256(place.read_bytes()).hexdigest() == fact["plain"]["sha256"]
            assert fact["renamed"] or place == dest / fact["domain"] / fact["relative_path"]
    assert not rows
    (told,) = ran.rows
    assert told["dest"] == str(dest)
    assert sum(told["outcomes"].values()) == len(encrypted_backup.truth["manifest"])
    assert not (tmp_path / "out.partial").exists()


def test_what_is_written_is_for_its_owner_alone(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    bagtag("extract", plain_backup.folder, tmp_path / "out")
    for path in [tmp_path / "out", *(tmp_path / "out").rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_faults_have_their_outcomes_and_nothing_leaves_the_folder(bagtag: Any, mint: Any, tmp_path: Path) -> None:
    minted = mint(faults=FAULTS)
    nest = tmp_path / "nest" / "deeper"
    nest.mkdir(parents=True)
    ran = bagtag("extract", minted.folder, nest / "out", passphrase=minted.passphrase)
    assert ran.code == 1
    outcomes = {row["file_id"]: row["outcome"] for row in inventory(nest / "out")}
    for fact in minted.truth["manifest"]:
        assert outcomes[fact["file_id"]] == fact["outcome"], fact["relative_path"]
    assert "orphan" in outcomes.values()
    assert list((tmp_path / "nest").iterdir()) == [nest]
    assert list(nest.iterdir()) == [nest / "out"]
    assert "missing" in ran.out
    assert "lost: missing: " in ran.err


def test_a_selection_lists_the_rest_as_out_of_scope(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    assert bagtag("extract", plain_backup.folder, dest, "--glob", "*.sqlitedb").code == 0
    rows = inventory(dest)
    assert len([row for row in rows if row["outcome"] != "orphan"]) == len(plain_backup.truth["manifest"])
    assert [row["relative_path"] for row in rows if row["outcome"] == "ok"] == [
        "Library/AddressBook/AddressBook.sqlitedb"
    ]
    assert {name for name in digests(dest) if name != "inventory.jsonl"} == {
        "HomeDomain/Library/AddressBook/AddressBook.sqlitedb"
    }


def test_further_digests_come_into_the_inventory(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    assert bagtag("extract", plain_backup.folder, dest, "--also", "md5,sha512").code == LOST_A_BLOB
    for row in inventory(dest):
        if row["plain"]:
            content = (dest / row["bag_path"]).read_bytes()
            assert row["plain"]["md5"] == hashlib.md5(content).hexdigest()
            assert row["plain"]["sha512"] == hashlib.sha512(content).hexdigest()
    assert bagtag("extract", plain_backup.folder, tmp_path / "two", "--also", "crc32").code == 2


def test_the_second_tool_writes_the_same_files(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    for name, engine in (("one", "bagtag"), ("two", "iphone-backup-decrypt")):
        ran = bagtag(
            "extract", encrypted_backup.folder, tmp_path / name, "--engine", engine,
            passphrase=encrypted_backup.passphrase,
        )  # fmt: skip
        assert ran.code == LOST_A_BLOB, ran.err
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert one.pop("inventory.jsonl")
    assert two.pop("inventory.jsonl")
    assert one == two


@pytest.mark.parametrize("place", ["taken", "nowhere/out", "link"])
def test_a_destination_that_cannot_be_ends_with_2(place: str, bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "dangling")
    assert bagtag("extract", plain_backup.folder, tmp_path / place).code == 2
    assert not list((tmp_path / "taken").iterdir())


def test_the_backup_is_no_place_to_write_to(bagtag: Any, mint: Any) -> None:
    minted = mint(encrypted=False)
    before = sorted(minted.folder.rglob("*"))
    assert bagtag("extract", minted.folder, minted.folder / "out").code == 2
    assert sorted(minted.folder.rglob("*")) == before


def test_a_wrong_passphrase_leaves_nothing_behind(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    ran = bagtag("extract", encrypted_backup.folder, tmp_path / "out", passphrase="wrong")
    assert ran.code == 6
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))])
def test_an_interrupted_run_is_continued_by_the_same_command(
    trouble: BaseException, bagtag: Any, plain_backup: Any, tmp_path: Path, stopping: Any
) -> None:
    dest, partial = tmp_path / "out", tmp_path / "out.partial"
    stopping(trouble)
    ran = bagtag("extract", plain_backup.folder, dest)
    assert (ran.code, ran.out) == (5, "")
    assert "same command" in ran.err
    assert partial.is_dir()
    assert not dest.exists()
    written = partial / "files/AppDomain-com.example.notes/Documents/open.txt"  # one of the first in the order
    unchanged = written.stat().st_ino
    ran = bagtag("extract", plain_backup.folder, dest)
    assert ran.code == LOST_A_BLOB
    assert "continuing" in ran.err
    assert not partial.exists()
    assert (dest / written.relative_to(partial / "files")).stat().st_ino == unchanged
    bagtag("extract", plain_backup.folder, tmp_path / "whole")
    assert digests(dest) == digests(tmp_path / "whole")


def test_a_file_that_changed_meanwhile_is_extracted_again(
    bagtag: Any, plain_backup: Any, tmp_path: Path, stopping: Any
) -> None:
    stopping(KeyboardInterrupt())
    bagtag("extract", plain_backup.folder, tmp_path / "out")
    for path in (tmp_path / "out.partial" / "files").rglob("*"):
        if path.is_file():
            path.write_bytes(b"not what was written")
    assert bagtag("extract", plain_backup.folder, tmp_path / "out").code == LOST_A_BLOB
    bagtag("extract", plain_backup.folder, tmp_path / "whole")
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_other_options_do_not_continue_a_run(bagtag: Any, plain_backup: Any, tmp_path: Path, stopping: Any) -> None:
    stopping(KeyboardInterrupt())
    bagtag("extract", plain_backup.folder, tmp_path / "out")
    ran = bagtag("extract", plain_backup.folder, tmp_path / "out", "--domain", "HomeDomain")
    assert ran.code == 2
    assert "domain" in ran.err


def test_a_new_folder_beside_the_backup_is_fine_when_the_folder_above_it_is_named(
    bagtag: Any, plain_backup: Any, tmp_path: Path
) -> None:
    shutil.copytree(plain_backup.folder, tmp_path / "here" / "backup")
    assert bagtag("extract", tmp_path / "here", tmp_path / "here" / "out").code == LOST_A_BLOB


def test_a_blob_that_changed_meanwhile_is_read_again(bagtag: Any, mint: Any, tmp_path: Path, stopping: Any) -> None:
    minted = mint(encrypted=False)
    stopping(KeyboardInterrupt())
    assert bagtag("extract", minted.folder, tmp_path / "out").code == 5
    rows = [json.loads(line.split(" ", 1)[1]) for line in (tmp_path / "out.partial/journal.jsonl").open()]
    blob = minted.folder / rows[0]["stored"]["path"]
    blob.write_bytes(bytes(reversed(blob.read_bytes())))
    assert bagtag("extract", minted.folder, tmp_path / "out").code == LOST_A_BLOB
    bagtag("extract", minted.folder, tmp_path / "whole")
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
    assert (tmp_path / "out" / rows[0]["bag_path"]).read_bytes() == blob.read_bytes()


def test_another_index_does_not_continue_a_run(bagtag: Any, mint: Any, tmp_path: Path, stopping: Any) -> None:
    minted = mint(encrypted=False)
    stopping(KeyboardInterrupt())
    bagtag("extract", minted.folder, tmp_path / "out")
    with sqlite3.connect(minted.folder / "Manifest.db") as index:
        index.execute("DELETE FROM Files WHERE flags = 2")
    ran = bagtag("extract", minted.folder, tmp_path / "out")
    assert ran.code == 2
    assert "its index" in ran.err
