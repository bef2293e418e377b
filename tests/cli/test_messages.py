"""`bagtag messages`: what was written, to read on a terminal or as JSON Lines."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def sms_db(bagtag: Any, plain_backup: Any, tmp_path: Path) -> Path:
    """The message database of the sample, alone."""
    bagtag("extract", plain_backup.folder, tmp_path / "files", "--domain", "HomeDomain", "--glob", "Library/SMS/sms.db")
    return tmp_path / "files/HomeDomain/Library/SMS/sms.db"


def guids(ran: Any) -> list[str]:
    return [row["guid"] for row in ran.rows]


def test_json_has_every_message_once_in_the_order_of_its_rows(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("messages", encrypted_backup.folder, "--json", passphrase=encrypted_backup.passphrase)
    truth = encrypted_backup.truth["messages"]
    assert sorted(guids(ran)) == sorted(truth)
    assert [row["rowid"] for row in ran.rows] == sorted(fact["rowid"] for fact in truth.values())
    assert {row["kind"] for row in ran.rows} == {"message"}
    for row in ran.rows:
        assert (row["text"], row["sent_at"]) == (truth[row["guid"]]["text"], truth[row["guid"]]["sent_at"])


def test_what_was_lost_in_part_is_said_on_stderr_and_ends_with_1(bagtag: Any, plain_backup: Any) -> None:
    assert plain_backup.truth["counts"]["attachments_by_status"]["missing-blob"]
    ran = bagtag("messages", plain_backup.folder, "--json")
    assert ran.code == 1
    assert "partial: " in ran.err


def test_a_lone_database_gives_the_same_messages_without_their_files(
    bagtag: Any, plain_backup: Any, sms_db: Path
) -> None:
    ran = bagtag("messages", sms_db, "--json")
    assert sorted(guids(ran)) == sorted(plain_backup.truth["messages"])
    statuses = {item["status"] for row in ran.rows for item in row["attachments"]}
    assert "present" not in statuses
    assert "outside-backup" in statuses
    assert list(sms_db.parent.iterdir()) == [sms_db]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--chat", "iMessage;-;+12025550171"], lambda fact: "iMessage;-;+12025550171" in fact["chats"]),
        (["--contains", "Hello Robin"], lambda fact: "Hello Robin" in (fact["text"] or "")),
        (["--contains", "hello robin"], lambda fact: "hello robin" in (fact["text"] or "")),
        (["--from", "2025-05-03T00:00:00Z"], lambda fact: fact["sent_at"] >= "2025-05-03"),
        (["--to", "2025-05-01T09:02:00+00:00"], lambda fact: fact["sent_at"] < "2025-05-01T09:02:00"),
        (["--from", "2025-05-02", "--to", "2025-05-03", "--tz", "UTC"],
         lambda fact: "2025-05-02" <= fact["sent_at"] < "2025-05-03"),
    ],
)  # fmt: skip
def test_each_condition_lets_exactly_its_messages_through(
    options: list[str], wanted: Any, bagtag: Any, plain_backup: Any
) -> None:
    truth = plain_backup.truth["messages"]
    expected = sorted(guid for guid, fact in truth.items() if fact["sent_at"] and wanted(fact))
    assert sorted(guids(bagtag("messages", plain_backup.folder, "--json", *options))) == expected


def test_from_is_inclusive_and_to_is_exclusive_to_the_nanosecond(bagtag: Any, plain_backup: Any) -> None:
    times = sorted(fact["sent_at"] for fact in plain_backup.truth["messages"].values() if fact["sent_at"])
    low, high = times[len(times) // 3], times[2 * len(times) // 3]
    rows = bagtag("messages", plain_backup.folder, "--json", "--from", low, "--to", high).rows
    assert sorted(row["sent_at"] for row in rows) == [at for at in times if low <= at < high]


def test_a_handle_finds_what_it_sent_and_what_was_sent_to_it(bagtag: Any, plain_backup: Any) -> None:
    handle = "+12025550171"
    rows = bagtag("messages", plain_backup.folder, "--json", "--handle", handle).rows
    assert {row["direction"] for row in rows} == {"incoming", "outgoing"}
    sent = {guid for guid, fact in plain_backup.truth["messages"].items() if fact["sender"]["handle"] == handle}
    assert sent <= {row["guid"] for row in rows}


@pytest.mark.parametrize(
    "options",
    [
        ["--from", "2025-05-02"],
        ["--to", "2025-05-02T10:00:00"],
        ["--from", "2025-05-02", "--tz", "Mars/Olympus"],
        ["--from", "2025-05-03T00:00:00Z", "--to", "2025-05-02T00:00:00Z"],
    ],
)
def test_a_time_that_is_no_moment_ends_with_2(options: list[str], bagtag: Any, plain_backup: Any) -> None:
    ran = bagtag("messages", plain_backup.folder, *options)
    assert (ran.code, ran.out) == (2, "")


def test_messages_without_a_time_are_counted_when_times_are_asked_for(bagtag: Any, sms_db: Path) -> None:
    with sqlite3.connect(sms_db) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE message SET date = 0 WHERE ROWID IN (1, 2)")
    database.close()
    ran = bagtag("messages", sms_db, "--json", "--from", "2020-01-01T00:00:00Z")
    assert "2 messages without a time" in ran.err
    assert not {1, 2} & {row["rowid"] for row in ran.rows}
    assert "without a time" not in bagtag("messages", sms_db, "--json").err


def test_a_backup_without_a_message_database_is_one_sentence(bagtag: Any, mint: Any, plain_backup: Any) -> None:
    minted = mint(encrypted=False)
    index = sqlite3.connect(minted.folder / "Manifest.db")
    index.execute("DELETE FROM Files WHERE relativePath = 'Library/SMS/sms.db'")
    index.commit()
    index.close()
    for wal in minted.folder.glob("Manifest.db-*"):
        wal.unlink()
    ran = bagtag("messages", minted.folder)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.count("\n") == 1
    assert "no message database" in ran.err


def test_a_message_database_that_the_index_names_but_nobody_has_is_a_loss(bagtag: Any, mint: Any) -> None:
    minted = mint(encrypted=False)
    fact = next(row for row in minted.truth["manifest"] if row["relative_path"] == "Library/SMS/sms.db")
    (minted.folder / fact["stored"]["path"]).unlink()
    ran = bagtag("messages", minted.folder, "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "missing" in ran.err


def test_a_file_that_is_no_database_ends_with_3(bagtag: Any, tmp_path: Path) -> None:
    (tmp_path / "sms.db").write_bytes(b"no database at all" * 100)
    ran = bagtag("messages", tmp_path / "sms.db")
    assert (ran.code, ran.out) == (3, "")


def test_the_readable_form_tells_time_zone_service_direction_and_sender(bagtag: Any, plain_backup: Any) -> None:
    out = bagtag("messages", plain_backup.folder).out
    assert out.startswith(
        "2025-05-01 09:01:00 UTC  iMessage  incoming  Ann Lee <+12025550171>  in +12025550171\n"
        "    | Hello Robin, are you there?\n"
        "    tapback: laughed by owner, part 0, 2025-05-01 09:02:42 UTC\n"
    )
    berlin = bagtag("messages", plain_backup.folder, "--tz", "Europe/Berlin").out
    assert berlin.startswith("2025-05-01 11:01:00+02:00  iMessage  incoming")


def test_nothing_that_was_written_in_a_message_steers_the_terminal(bagtag: Any, plain_backup: Any) -> None:
    for extra in ((), ("--json",)):
        out = bagtag("messages", plain_backup.folder, *extra).out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)
    assert r"\x1b[2J\x1b[31mred\x1b[0m [bold]markup[/bold]" in bagtag("messages", plain_backup.folder).out


def test_every_line_that_is_not_indented_is_a_headline_of_ours(bagtag: Any, plain_backup: Any) -> None:
    out = bagtag("messages", plain_backup.folder).out
    headlines = [line for line in out.splitlines() if not line.startswith("    ")]
    assert len(headlines) == len(plain_backup.truth["messages"])
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  |no time  ", line) for line in headlines)


def test_rows_that_only_the_log_holds_are_read_and_the_log_stays(bagtag: Any, mint: Any, tmp_path: Path) -> None:
    minted = mint(encrypted=False, faults=["wal"])
    rows = bagtag("messages", minted.folder, "--json").rows
    assert "wal" in {row["provenance"]["source"] for row in rows}
    bagtag("extract", minted.folder, tmp_path / "out", "--glob", "Library/SMS/sms.db*")
    lone = tmp_path / "lone"
    shutil.copytree(tmp_path / "out/HomeDomain/Library/SMS", lone)
    before = {path.name: path.read_bytes() for path in lone.iterdir()}
    assert {row["guid"] for row in bagtag("messages", lone / "sms.db", "--json").rows} == {row["guid"] for row in rows}
    assert {path.name: path.read_bytes() for path in lone.iterdir()} == before


@pytest.fixture(scope="session")
def with_drafts(mint: Any) -> Any:
    """A backup in which three drafts lie beside the messages."""
    return mint(encrypted=False, ios="18.5", features=True)


def draft_words(ran: Any) -> list[str]:
    """The first lines of the drafts' words, in the order in which they stand."""
    _, *drafts = ran.out.split("DRAFT  not sent, as far as the backup tells  in ")
    return [draft.splitlines()[1].removeprefix("    | ") for draft in drafts]


def test_drafts_stand_behind_the_messages_and_are_marked(bagtag: Any, with_drafts: Any) -> None:
    ran = bagtag("messages", with_drafts.folder)
    truth = with_drafts.truth["settings"]["drafts"]
    assert sorted(draft_words(ran)) == sorted(fact["text"] for fact in truth)
    headlines = [line for line in ran.out.splitlines() if not line.startswith("    ")]
    assert [line.startswith("DRAFT  ") for line in headlines].index(True) == len(headlines) - len(truth)
    for fact in truth:
        assert any(fact["chat_identifier"] in line for line in headlines[-len(truth) :])


def test_drafts_are_no_messages_in_the_json(bagtag: Any, with_drafts: Any) -> None:
    assert {row["kind"] for row in bagtag("messages", with_drafts.folder, "--json").rows} == {"message"}


def test_conditions_hold_for_drafts_too(bagtag: Any, with_drafts: Any) -> None:
    ann, *_, garden = with_drafts.truth["settings"]["drafts"]
    assert draft_words(bagtag("messages", with_drafts.folder, "--handle", ann["chat_identifier"])) == [ann["text"]]
    assert draft_words(bagtag("messages", with_drafts.folder, "--contains", "plain text")) == [garden["text"]]
    for name in (garden["chat_identifier"], "Garden party 🌿"):
        assert draft_words(bagtag("messages", with_drafts.folder, "--chat", name)) == [garden["text"]]
    timed = bagtag("messages", with_drafts.folder, "--from", "2020-01-01T00:00:00Z")
    assert draft_words(timed) == []
    assert "left out: 3 drafts, which have no time of sending" in timed.err
