"""sms.db of each generation as minted, judged by SQLite and python-typedstream alone."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typedstream

from bagtag.sample_backups import chat_db, messages
from bagtag.sample_backups.dice import dice

OLD = [(3, 1), (4, 3), (5, 1)]
RELEASES = [(6, 1), (8, 4), (9, 3), (10, 2), (11, 4), (12, 4), (14, 8), (15, 8), (16, 5), (17, 5), (18, 1), (26, 0),
            (27, 0)]  # fmt: skip
UNIX_2001 = 978307200
LEGACY_TABLES = {"_SqliteDatabaseProperties", "message", "msg_group", "group_member", "msg_pieces"}
MADRID_TABLES = {"madrid_attachment", "madrid_chat"}

Release = tuple[int, int]


@pytest.fixture
def minted(tmp_path: Path) -> Callable[..., messages.Messages]:
    def write(release: Release, **options: Any) -> messages.Messages:
        folder = tmp_path / f"{release}{options}"
        folder.mkdir()
        return messages.write(folder, release, dice("generation"), **options)

    return write


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as sms:
        return sms.execute(query).fetchall()


@pytest.mark.parametrize("release", [*OLD, *RELEASES])
def test_every_generation_is_whole_and_the_same_twice(
    minted: Callable[..., messages.Messages], release: Release
) -> None:
    one, two = minted(release), minted(release, extra=0)
    assert one.database.read_bytes() == two.database.read_bytes()
    assert rows(one.database, "PRAGMA integrity_check") == [("ok",)]
    assert messages.truth(one) == messages.truth(two)


@pytest.mark.parametrize("release", [*OLD, *RELEASES])
def test_purged_words_stay_in_the_free_space(minted: Callable[..., messages.Messages], release: Release) -> None:
    said = minted(release)
    words = [fact["text"] for fact in messages.truth(said)["deleted"]["purged"] if "PURGED" in (fact["text"] or "")]
    assert len(words) == 2
    image = said.database.read_bytes()
    assert any(each.encode() in image for each in words)
    assert not {row[0] for row in rows(said.database, "SELECT text FROM message")} & set(words)


@pytest.mark.parametrize("release", RELEASES)
def test_bodies_of_every_generation_are_decoded_by_another_reader(
    minted: Callable[..., messages.Messages], release: Release
) -> None:
    said = minted(release)
    facts = {fact["guid"]: fact for fact in messages.truth(said)["messages"].values()}
    query = "SELECT guid, text, attributedBody FROM message WHERE attributedBody IS NOT NULL AND {}"
    for guid, words, body in rows(said.database, query.format("text IS NOT NULL")):
        decoded = typedstream.unarchive_from_data(body).contents[0].value.value
        assert decoded == words or facts[guid]["text_column"] == words
    alone = rows(said.database, query.format("text IS NULL"))
    assert bool(alone) == (release >= (16, 0))


@pytest.mark.parametrize("release", RELEASES)
def test_every_join_names_the_date_of_its_message_since_ios_11(
    minted: Callable[..., messages.Messages], release: Release
) -> None:
    path = minted(release).database
    names = [row[1] for row in rows(path, "PRAGMA table_info(chat_message_join)")]
    assert ("message_date" in names) == (release >= (11, 0))
    if "message_date" in names:
        query = """SELECT count(*), sum(j.message_date = m.date) FROM chat_message_join j
            JOIN message m ON m.ROWID = j.message_id"""
        joined, agreeing = rows(path, query)[0]
        assert joined == agreeing > 50


@pytest.mark.parametrize("release", RELEASES)
def test_columns_of_ios_12_to_14_are_gone_in_15(minted: Callable[..., messages.Messages], release: Release) -> None:
    names = {row[1] for row in rows(minted(release).database, "PRAGMA table_info(message)")}
    sync = {"sr_ck_sync_state", "sr_ck_record_id", "sr_ck_record_change_tag"}
    assert names & sync == (sync if (12, 0) <= release < (15, 0) else set())


@pytest.mark.parametrize("release", RELEASES)
def test_triggers_name_only_tables_and_columns_that_are_there(
    minted: Callable[..., messages.Messages], tmp_path: Path, release: Release
) -> None:
    path = tmp_path / "copy.db"
    shutil.copyfile(minted(release).database, path)
    with sqlite3.connect(path) as sms:
        for name in ("before_delete_message_with_guid", "after_delete_message_plugin", "before_delete_attachment_path"):
            sms.create_function(name, 2, lambda *_: None)
        sms.create_function("delete_attachment_path", 1, lambda _: None)
        sms.execute("DELETE FROM chat_message_join WHERE message_id = 1")
        assert sms.execute("SELECT count(*) FROM message WHERE ROWID = 1").fetchone() == (0,)
        if release >= (8, 0):
            assert sms.execute("SELECT count(*) FROM deleted_messages").fetchone() == (3,)


@pytest.mark.parametrize("release", [*OLD, (9, 3), (14, 8)])
def test_a_log_holds_one_message_more_and_extra_messages_are_there(
    minted: Callable[..., messages.Messages], release: Release
) -> None:
    said = minted(release, damage=("wal",), extra=7)
    truth = messages.truth(said)
    assert said.wal is not None
    assert rows(said.database, "SELECT count(*) FROM message") == [(truth["counts"]["messages"] - 1,)]
    said.database.with_name("sms.db-wal").write_bytes(said.wal)
    with sqlite3.connect(said.database) as sms:
        assert sms.execute("SELECT count(*) FROM message").fetchone() == (truth["counts"]["messages"],)
        assert sms.execute("SELECT text FROM message ORDER BY ROWID DESC").fetchone() == (
            "Only in the write-ahead log",
        )
        assert sms.execute("SELECT count(*) FROM message WHERE text LIKE 'Message _: %'").fetchone() == (7,)


@pytest.mark.parametrize("release", RELEASES)
def test_a_message_names_the_one_before_it_that_its_generation_could_tell(
    minted: Callable[..., messages.Messages], release: Release
) -> None:
    said = minted(release)
    truth = messages.truth(said)
    purged = {fact["guid"] for fact in truth["deleted"]["purged"]}
    named = {fact["previous_guid"] for fact in truth["messages"].values()} - {None}
    assert named <= truth["messages"].keys() | purged
    assert bool(named) == (release >= (12, 0))


def test_rows_of_before_an_upgrade_are_stored_without_the_later_columns(
    minted: Callable[..., messages.Messages],
) -> None:
    said = minted((18, 5), migrated=True)
    query = "SELECT ROWID, date, thread_originator_guid, ck_sync_state FROM message ORDER BY ROWID"
    old = [row for row in rows(said.database, query) if row[1] < 10**12]
    new = [row for row in rows(said.database, query) if row[1] > 10**12]
    assert old
    assert new
    assert max(row[0] for row in old) < min(row[0] for row in new)
    assert {row[2:] for row in old} == {(None, 0)}
    sql = rows(said.database, "SELECT sql FROM sqlite_master WHERE name = 'message'")[0][0]
    assert sql.index("is_time_sensitive") > sql.index("schedule_type") > sql.index("thread_originator_guid")


def test_only_a_release_after_ios_10_can_be_an_upgrade(minted: Callable[..., messages.Messages]) -> None:
    with pytest.raises(ValueError, match="only a database of iOS 11 or later"):
        minted((10, 2), migrated=True)


@pytest.mark.parametrize("release", OLD)
def test_before_ios_6_there_are_groups_and_pieces_and_no_handles(
    minted: Callable[..., messages.Messages], release: Release
) -> None:
    path = minted(release).database
    tables = {row[0] for row in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")} - {"sqlite_sequence"}
    assert tables == LEGACY_TABLES | (MADRID_TABLES if release >= (5, 0) else set())
    flags = "is_madrid = 0" if release >= (5, 0) else "1"
    assert {row[0] for row in rows(path, f"SELECT flags FROM message WHERE {flags}")} == {2, 3, 33}
    stray = "SELECT count(*) FROM {} WHERE {} NOT IN (SELECT ROWID FROM {})"
    assert rows(path, stray.format("group_member", "group_id", "msg_group")) == [(0,)]
    assert rows(path, stray.format("msg_pieces", "message_id", "message")) == [(0,)]
    newest = "SELECT count(*) FROM msg_group g WHERE newest_message != (SELECT ifnull(max(ROWID), 0) FROM message "
    assert rows(path, newest + "WHERE group_id = g.ROWID)") == [(0,)]


def test_ios_5_counts_unix_seconds_for_sms_and_seconds_of_2001_for_imessage(
    minted: Callable[..., messages.Messages],
) -> None:
    said = minted((5, 1))
    sms = rows(said.database, "SELECT date, madrid_guid FROM message WHERE is_madrid = 0")
    imessage = rows(said.database, "SELECT date, madrid_guid, madrid_flags & 4, flags FROM message WHERE is_madrid = 1")
    assert sms
    assert imessage
    assert all(date > UNIX_2001 + 7 * 10**8 and guid is None for date, guid in sms)
    assert all(date < UNIX_2001 and flags == 0 for date, _, _, flags in imessage)
    facts = messages.truth(said)["messages"]
    assert {(guid, bool(own)) for _, guid, own, _ in imessage} == {
        (guid, fact["direction"] == "outgoing") for guid, fact in facts.items() if fact["guid"]
    }


@pytest.mark.parametrize("release", [(3, 1), (4, 3)])
def test_an_mms_has_its_words_and_its_files_in_pieces(
    minted: Callable[..., messages.Messages], release: Release
) -> None:
    said = minted(release)
    kept = {entry.relative_path for entry in said.story.files}
    facts = {fact["rowid"]: fact for fact in messages.truth(said)["messages"].values()}
    for rowid, text in rows(
        said.database, "SELECT ROWID, text FROM message WHERE ROWID IN (SELECT message_id FROM msg_pieces)"
    ):
        query = f"SELECT content_type, data, content_loc FROM msg_pieces WHERE message_id = {rowid} ORDER BY part_id"
        pieces = rows(said.database, query)
        assert text is None
        assert [data.decode() for kind, data, _ in pieces if kind == "text/plain"] == [
            part["text"] for part in facts[rowid]["parts"] if part["kind"] == "text"
        ]
        assert [name for kind, _, name in pieces if kind != "text/plain"] == sorted(
            (each["name"] for each in facts[rowid]["attachments"]), key=[name for _, _, name in pieces].index
        )
        paths = {each["relative_path"] for each in facts[rowid]["attachments"]} - {None}
        assert paths <= kept
        assert all(path.startswith("Library/SMS/Parts/") for path in paths)


def test_a_mac_keeps_attachments_elsewhere_and_counts_records_under_its_own_name(tmp_path: Path) -> None:
    old, new = chat_db.mint(tmp_path / "old", macos="10.10"), chat_db.mint(tmp_path / "new", macos="15.5")
    for made, key in ((old, "__CSDBRecordSequenceNumber"), (new, "__CPRecordSequenceNumber")):
        assert key in {row[0] for row in rows(made.path, "SELECT key FROM _SqliteDatabaseProperties")}
        names = {row[0] for row in rows(made.path, "SELECT filename FROM attachment WHERE filename LIKE '%Library%'")}
        assert names
        assert all(name.startswith("~/Library/Messages/Attachments/") for name in names)
        assert made.path.name == "chat.db"
    assert (tmp_path / "old" / "truth.json").is_file()


def test_a_macos_before_10_10_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no sample imitates macOS 10\.9"):
        chat_db.mint(tmp_path, macos="10.9")
