"""The minted database of iOS 4 is read as its own truth says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Issue
from bagtag.extract.files import SMS_DB, BackupFiles
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import Account, run
from bagtag.parsers.messages.legacy.messages import TABLES, legacy_messages
from bagtag.parsers.names import Names
from bagtag.parsers.records import Chat, Message

_KEYS = ("rowid", "type", "direction", "service", "subject", "state", "sent_at", "delivered_at", "read_at", "read_by")


@pytest.fixture(scope="module")
def sample(mint: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(truth, records by the truth's key, issues, chats, account, rows by table)."""
    minted = mint(ios="4.3", encrypted=False)
    account = Account()
    with (
        Workspace.inside(tmp_path_factory.mktemp("work")) as workspace,
        Backup.open(minted.folder, workspace) as backup,
    ):
        files = BackupFiles(backup, workspace)
        names = Names.read(files)
        database = files.database(*SMS_DB)
        assert database is not None
        with database:
            told = list(legacy_messages(database, files, names, account))
            rows = {table: database.count(table) for table in ("message", *TABLES) if table in database.tables}
        chats = [each for each in run(files, ["legacy_chats"], names) if isinstance(each, Chat)]
    found = {
        each.guid or f"rowid-{each.rowid}": msgspec.to_builtins(each) for each in told if isinstance(each, Message)
    }
    return minted.truth, found, [each for each in told if isinstance(each, Issue)], chats, account, rows


def test_every_message_of_the_truth_is_a_record_and_says_the_same(sample: Any) -> None:
    truth, found, *_ = sample
    assert found.keys() == truth["messages"].keys()
    for key, fact in truth["messages"].items():
        record = found[key]
        assert {name: record[name] for name in _KEYS} == {name: fact[name] for name in _KEYS}, key
        assert record["raw"]["date"] == fact["raw_date"], key
        assert record["units"]["date"] == fact["unit"], key
        assert {name: record["sender"][name] for name in ("role", "handle", "names")} == {
            name: fact["sender"][name] for name in ("role", "handle", "names")
        }, key


def test_texts_and_parts_are_those_of_the_truth(sample: Any) -> None:
    truth, found, *_ = sample
    for key, fact in truth["messages"].items():
        names = ("index", "kind", "text", "start16", "attachment")
        assert [[part[name] for name in names] for part in found[key]["parts"]] == [
            [part[name] for name in names] for part in fact["parts"]
        ], key
        assert found[key]["text"] == fact["text"], key


def test_pictures_are_found_with_the_digest_of_the_truth(sample: Any) -> None:
    truth, found, *_ = sample
    seen = 0
    for key, fact in truth["messages"].items():
        assert len(found[key]["attachments"]) == len(fact["attachments"]), key
        for attached, told in zip(
            *(
                sorted(each, key=lambda file: file["rowid"])
                for each in (found[key]["attachments"], fact["attachments"])
            ),
            strict=True,
        ):
            assert (attached["name"], attached["part"], attached["status"]) == (
                told["name"], told["part"], told["status"],
            )  # fmt: skip
            if told["status"] == "present":
                assert attached["sha256"] == told["sha256"]
                seen += 1
    assert seen


def test_chats_and_rows_are_those_of_the_truth(sample: Any) -> None:
    truth, found, issues, chats, account, rows = sample
    told = {(each.provenance.table, each.provenance.rowid): each for each in chats}
    assert told.keys() == {(each["table"], each["rowid"]) for each in truth["chats"]}
    for each in truth["chats"]:
        chat = told[each["table"], each["rowid"]]
        assert [member.handle for member in chat.members] == each["members"]
        assert (chat.is_group, chat.service, chat.messages) == (
            each["is_group"],
            each["service"],
            len(each["messages"]),
        )
    assert rows["message"] == len(found)
    assert account.records["msg_pieces"] == rows["msg_pieces"]
    assert [each.effect for each in issues if each.effect == "lost"] == []
