"""`bagtag bundle`: options in, a sealed folder out, digests on stdout."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

LABEL = ("--case", "2024-0815", "--item", "7", "--examiner", "Ann Lee")
LOST_A_BLOB = 1
"""The samples tell a story in which the blob of one attachment is gone."""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_both_digests_are_printed(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    ran = bagtag("bundle", encrypted_backup.folder, dest, *LABEL, passphrase=encrypted_backup.passphrase)
    assert ran.code == LOST_A_BLOB, ran.err
    assert f"payload digest   {digest(dest / 'bag/manifest-sha256.txt')}\n" in ran.out
    assert f"bag digest       {digest(dest / 'bag/tagmanifest-sha256.txt')}\n" in ran.out
    assert f"source digest    {digest(dest / 'bag/data/inventory/source.sha256')}\n" in ran.out
    assert "unsigned" in ran.out
    assert not (tmp_path / "out.partial").exists()
    secrets = [encrypted_backup.passphrase.encode(), encrypted_backup.kek.encode()]
    for path in dest.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path
    assert encrypted_backup.passphrase not in ran.out + ran.err


def test_the_custody_log_holds_the_command_as_it_was_given(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    ran = bagtag("bundle", plain_backup.folder, tmp_path / "out", *LABEL, "--scope", "messages", "--json")
    (facts,) = ran.rows
    assert facts["dest"] == str(tmp_path / "out")
    assert facts["records"]["messages"] == len(plain_backup.truth["messages"])
    lines = [json.loads(line) for line in (tmp_path / "out/custody.jsonl").read_text("utf-8").splitlines()]
    commands = [line["command"] for line in lines if line["command"]]
    assert ["bagtag", "bundle", str(plain_backup.folder), str(tmp_path / "out"), *LABEL] == commands[0][:10]
    assert {line["actor"] for line in lines} == {"Ann Lee"}


def test_a_file_may_hold_the_label_and_options_win_over_it(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    file = tmp_path / "case.toml"
    file.write_text('case = "2024-0815"\nitem = "1"\nexaminer = "Ann Lee"\nagency = "Digital Lab"\n', "utf-8")
    ran = bagtag("bundle", plain_backup.folder, tmp_path / "out", "--examination", file, "--item", "7")
    assert ran.code == LOST_A_BLOB, ran.err
    label = (tmp_path / "out/bag/bag-info.txt").read_text("utf-8")
    assert "Digital Lab" in label
    assert "2024-0815" in label


@pytest.mark.parametrize(
    "options",
    [
        (),
        LABEL[:4],
        (*LABEL, "--examination", "/nowhere.toml"),
        (*LABEL, "--scope", "/nowhere.toml"),
        (*LABEL, "--from", "2024-03-01"),
        (*LABEL, "--exclude-handles", "/nowhere"),
        (*LABEL, "--also", "crc32"),
        (*LABEL, "--rehash", "some"),
        (*LABEL, "--tz", "Mars/Olympus"),
    ],
    ids=lambda options: " ".join(options[-2:]) or "nothing",
)
def test_a_call_that_makes_no_sense_ends_with_2_and_leaves_nothing(
    options: tuple[str, ...], bagtag: Any, plain_backup: Any, tmp_path: Path
) -> None:
    ran = bagtag("bundle", plain_backup.folder, tmp_path / "out", *options)
    assert (ran.code, ran.out) == (2, "")
    assert not list(tmp_path.glob("out*"))


def test_a_scope_file_and_single_limits_exclude_each_other(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    file = tmp_path / "warrant.toml"
    file.write_text('scope = "messages"\n', "utf-8")
    call = ("bundle", plain_backup.folder, tmp_path / "out", *LABEL, "--scope", file)
    assert bagtag(*call, "--chat", "x").code == 2
    assert bagtag(*call).code == LOST_A_BLOB
    assert json.loads((tmp_path / "out/bag/data/scope.json").read_text("utf-8"))["scope"] == "messages"


def test_a_finished_folder_is_never_written_over(bagtag: Any, plain_backup: Any, tmp_path: Path) -> None:
    dest = tmp_path / "out"
    dest.mkdir()
    assert bagtag("bundle", plain_backup.folder, dest, *LABEL).code == 2
    assert not list(dest.iterdir())


def test_the_backup_is_no_place_to_write_to(bagtag: Any, plain_backup: Any) -> None:
    assert bagtag("bundle", plain_backup.folder, plain_backup.folder / "out", *LABEL).code == 2


def test_a_wrong_passphrase_ends_with_6_and_leaves_no_folder(
    bagtag: Any, encrypted_backup: Any, tmp_path: Path
) -> None:
    ran = bagtag("bundle", encrypted_backup.folder, tmp_path / "out", *LABEL, passphrase="wrong")
    assert (ran.code, ran.out) == (6, "")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_backup_ends_with_3(bagtag: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert bagtag("bundle", tmp_path / "empty", tmp_path / "out", *LABEL).code == 3


def test_an_interrupt_says_where_the_state_is_kept(
    bagtag: Any, plain_backup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(job: Any, **_: object) -> None:
        (tmp_path / "out.partial").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr("bagtag.reports.bundle.make.make", interrupted)
    ran = bagtag("bundle", plain_backup.folder, tmp_path / "out", *LABEL)
    assert (ran.code, ran.out) == (5, "")
    assert str(tmp_path / "out.partial") in ran.err
    assert "same command" in ran.err
