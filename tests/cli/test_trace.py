"""`bagtag trace`: what is printed of a record's way back, and how it ends."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

SMS_ID = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
RECORD = "message/3d0d7e5f/message/1"
SMS_DB = "bag/data/files/HomeDomain/Library/SMS/sms.db"
PASSPHRASE = "sample passphrase"


def inventory_line(folder: Path) -> dict[str, Any]:
    lines = map(json.loads, (folder / "bag/data/inventory/files.jsonl").read_bytes().splitlines())
    return next(row for row in lines if row["file_id"] == SMS_ID)


def test_the_page_names_the_file_and_both_digests(bagtag: Any, demo: Path) -> None:
    ran = bagtag("trace", demo / "evidence", RECORD)
    assert ran.code == 0, ran.err
    row = inventory_line(demo / "evidence")
    for fact in (SMS_ID, row["stored"]["sha256"], row["plain"]["sha256"], row["stored"]["path"], row["bag_path"]):
        assert fact in ran.out
    assert "1. The record" in ran.out
    assert "not at hand" in ran.out
    assert "bagtag verify" in ran.out
    assert "verified" not in ran.out.lower()
    assert "comparisons agree" in ran.out
    assert "DIFFERS" not in ran.out


def test_with_the_backup_it_is_decrypted_again(bagtag: Any, demo: Path) -> None:
    ran = bagtag("trace", demo / "evidence", RECORD, "--backup", demo / "backup", passphrase=PASSPHRASE)
    assert ran.code == 0, ran.err
    assert "decrypted again" in ran.out
    assert "not at hand" not in ran.out
    assert PASSPHRASE not in ran.out + ran.err


def test_json_is_one_object_with_every_station(bagtag: Any, demo: Path) -> None:
    (told,) = bagtag("trace", demo / "evidence", RECORD, "--json").rows
    assert (told["record_id"], told["agrees"], told["backup"]) == (RECORD, True, None)
    assert [each["kind"] for each in told["stations"]] == ["record", "row", "bytes", "file", "stored", "seal"]
    assert told["compared"] == sum(len(each["comparisons"]) for each in told["stations"])
    assert told["stations"][3]["facts"]["file_id"] == SMS_ID


def test_a_wrong_or_missing_passphrase_ends_with_6(bagtag: Any, demo: Path) -> None:
    asked = "trace", demo / "evidence", RECORD, "--backup", demo / "backup"
    ran = bagtag(*asked, passphrase="a guess")
    assert (ran.code, ran.out) == (6, "")
    assert bagtag(*asked).code == 6


def test_an_unknown_id_ends_with_2_and_names_what_is_near(bagtag: Any, demo: Path) -> None:
    ran = bagtag("trace", demo / "evidence", "message/3d0d7e5f/message/99999")
    assert (ran.code, ran.out) == (2, "")
    assert "nearest in bag/data/records/messages.jsonl: message/3d0d7e5f/message/" in ran.err
    assert bagtag("trace", demo / "evidence", "\x1b[31mred").code == 2
    assert bagtag("trace", demo / "evidence", "call/3d0d7e5f/call/1").code == 2


@pytest.mark.parametrize("place", ["nothing", "backup", "evidence/bag"])
def test_what_is_no_evidence_folder_ends_with_3(bagtag: Any, demo: Path, place: str) -> None:
    assert bagtag("trace", demo / place, RECORD).code == 3


def test_a_backup_that_is_none_ends_with_3(bagtag: Any, demo: Path) -> None:
    assert bagtag("trace", demo / "evidence", RECORD, "--backup", demo / "evidence").code == 3


def test_a_difference_ends_with_4_and_evidence_cannot_steer_the_terminal(bagtag: Any, evidence: Path) -> None:
    with closing(sqlite3.connect(evidence / SMS_DB, isolation_level=None)) as connection:
        connection.execute("UPDATE message SET subject = ? WHERE ROWID = 1", ("\x1b[2J\u202egnorw\n1. The record",))
        connection.execute("PRAGMA journal_mode = DELETE")
    ran = bagtag("trace", evidence, RECORD)
    assert ran.code == 4
    assert "DIFFERS: column subject" in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert [line for line in ran.out.splitlines() if line.startswith("1. The record")] == ["1. The record"]
    differing = ran.out[ran.out.rindex("DIFFER:") :]
    assert "expected  NULL" in differing
    again = bagtag("trace", evidence, RECORD, "--json")
    assert again.code == 4
    assert again.rows[0]["agrees"] is False
    assert "\u202e" not in again.out


def test_nothing_is_left_behind(bagtag: Any, demo: Path, cache: Path) -> None:
    assert bagtag("trace", demo / "evidence", RECORD).code == 0
    left = [path for path in cache.rglob("*") if path.is_file() and path.name != "lock"]
    assert left == []
