"""`bagtag crosscheck`: a second tool reads every encrypted file again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.crosscheck import Answer, SecondReader


def test_the_two_tools_agree_on_every_file(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("crosscheck", encrypted_backup.folder, "--json", passphrase=encrypted_backup.passphrase)
    plain = {row["file_id"]: row["plain"]["sha256"] for row in encrypted_backup.truth["manifest"] if row["plain"]}
    assert ran.code == 0
    assert {row["file_id"]: row["sha256_second"] for row in ran.rows} == plain
    assert {row["verdict"] for row in ran.rows} == {"agree"}
    assert {row["tool"] for row in ran.rows} == {"iphone-backup-decrypt"}


def test_a_summary_is_printed_for_people(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("crosscheck", encrypted_backup.folder, passphrase=encrypted_backup.passphrase)
    count = sum(1 for row in encrypted_backup.truth["manifest"] if row["plain"])
    assert f"agree     {count}\n" in ran.out
    assert "differ    0\n" in ran.out


def test_a_difference_is_listed_and_ends_with_1(
    bagtag: Any, encrypted_backup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SecondReader.read
    victim = next(row["file_id"] for row in encrypted_backup.truth["manifest"] if row["plain"])

    def lying(self: SecondReader, file_id: str, out: Path | None = None) -> Answer:
        return Answer(sha256="0" * 64, size=1) if file_id == victim else real(self, file_id, out)

    monkeypatch.setattr(SecondReader, "read", lying)
    ran = bagtag("crosscheck", encrypted_backup.folder, passphrase=encrypted_backup.passphrase)
    assert ran.code == 1
    assert f"differ    {victim}" in ran.out


def test_what_is_not_covered_is_said_with_its_reason(bagtag: Any, plain_backup: Any) -> None:
    ran = bagtag("crosscheck", plain_backup.folder)
    assert (ran.code, ran.out) == (0, "")
    assert "not covered: the backup is not encrypted" in ran.err
