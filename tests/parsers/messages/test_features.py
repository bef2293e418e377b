"""Everything iMessage can do is minted once, and each fact of it is in the record that the reader gives.

The truth comes from the mint, which shares nothing with the reader: a dictionary of it must be contained in the
record's, a list must have as many members, each of which is contained.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import typedstream

from bagtag.extract.backup import Backup
from bagtag.extract.files import BackupFiles, BareFiles
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import Reconciled, run
from bagtag.parsers.file_artifact import run_files
from bagtag.parsers.names import Names
from bagtag.parsers.records import Chat, DeletionTrace, Message
from bagtag.sample_backups import enclosures, features, messages
from bagtag.sample_backups.make import mint

FIELDS = (
    "type", "state", "direction", "service", "sender", "owner_identity", "sent_at", "delivered_at", "read_at",
    "read_by", "played_at", "edited_at", "unsent_at", "scheduled_for", "deleted_at", "recovered_at", "text", "subject",
    "body", "parts", "edits", "unsent_parts", "thread", "previous_guid", "target", "tapback", "tapbacks", "effect",
    "app", "announcement", "attachments", "flags", "raw", "details",
)  # fmt: skip
RELEASES = ("10.2", "12.4", "14.8", "16.5", "18.5", "26.0")
LISTED_ANYHOW = ("attachments", "tapbacks")
"""Lists whose order the contract leaves open: compared by rowid."""


@pytest.fixture(scope="module", params=RELEASES)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    minted = mint(tmp_path_factory.mktemp("features"), encrypted=False, ios=request.param, features=True)
    row = next(each for each in minted.truth["manifest"] if each["relative_path"] == "Library/SMS/sms.db")
    result = SimpleNamespace(
        database=minted.folder / row["stored"]["path"],
        truth=minted.truth,
        records={},
        chats={},
        traces=[],
        reconciled=[],
        lines=[],
    )
    with (
        Workspace.inside(tmp_path_factory.mktemp("work")) as workspace,
        Backup.open(minted.folder, workspace) as backup,
    ):
        files = BackupFiles(backup, workspace)
        result.beside = [msgspec.to_builtins(each) for each in run_files(files, Names(()), {})]
        for item in run(files):
            result.lines.append(msgspec.json.encode(item).decode())
            match item:
                case Message():
                    result.records[item.guid] = msgspec.to_builtins(item)
                case Chat():
                    result.chats[item.rowid] = item
                case DeletionTrace():
                    result.traces.append(item)
                case Reconciled():
                    result.reconciled.append(item)
    return result


def differences(told: Any, read: Any, place: str) -> Iterator[str]:
    """Where what was told is not in what was read."""
    if isinstance(told, dict) and isinstance(read, dict):
        for key, value in told.items():
            if key not in read:
                yield f"{place}.{key} is absent, not {value!r}"
            else:
                yield from differences(value, read[key], f"{place}.{key}")
    elif isinstance(told, list) and isinstance(read, list) and len(told) == len(read):
        for number, (one, other) in enumerate(zip(told, read, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif told != read:
        yield f"{place} is {read!r}, not {told!r}"


def comparable(field: str, value: Any) -> Any:
    if field in LISTED_ANYHOW:
        return sorted(value, key=lambda each: int(each["rowid"]))
    if field == "parts":
        return [_part(part) for part in value if part["kind"] not in ("unsent", "deleted")]
    if field == "announcement" and value is not None:
        return {key: each for key, each in value.items() if key != "title"}
    return value


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """A part; the ranges of one that is nothing but a file say no more than its attachment does."""
    return {key: each for key, each in part.items() if key != "ranges" or not part["attachment"]}


def featured(found: SimpleNamespace) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for guid, told in found.truth["messages"].items():
        if "feature" in told:
            yield told["feature"], told, found.records[guid]


def test_every_row_is_one_record(found: SimpleNamespace) -> None:
    assert found.records.keys() == found.truth["messages"].keys()
    assert [each for each in found.reconciled if each.rows != each.records + each.issues] == []


def test_more_than_a_hundred_features_are_told(found: SimpleNamespace) -> None:
    assert len({name for name, _, _ in featured(found)}) > 100


@pytest.mark.parametrize("field", FIELDS)
def test_what_was_told_is_in_the_record(found: SimpleNamespace, field: str) -> None:
    wrong = "\n".join(
        f"{name} (row {record['rowid']}): {each}"
        for name, told, record in featured(found)
        if field in told
        for each in differences(comparable(field, told[field]), comparable(field, record[field]), field)
    )
    assert not wrong, wrong


def test_an_unsent_part_stands_as_a_marker_among_the_parts(found: SimpleNamespace) -> None:
    for name, told, record in featured(found):
        marked = [part["index"] for part in record["parts"] if part["kind"] == "unsent"]
        assert marked == [each["index"] for each in told["unsent_parts"]], name


def test_the_text_of_an_unsent_message_is_nowhere_but_in_its_edits(found: SimpleNamespace) -> None:
    everything = "\n".join(found.lines)
    assert "Gone at once" not in everything
    assert ("The first wording" in everything) == any(told["edits"] for _, told, _ in featured(found))


def test_the_key_of_an_attachment_is_nowhere(found: SimpleNamespace) -> None:
    assert enclosures.SECRET not in "\n".join(found.lines)


def test_a_note_names_each_kind_that_nobody_knows(found: SimpleNamespace) -> None:
    notes = {name: " ".join(record["notes"]) for name, _, record in featured(found)}
    assert "com.example.unheard.of.Provider" in notes["unknown app"]
    assert "item_type 9" in notes["announcement an unknown item_type"]


def test_a_drawing_is_kept_as_a_picture_without_programs_or_references(found: SimpleNamespace) -> None:
    drawings = 0
    for name, told, record in featured(found):
        if told["app"] and told["app"]["kind"] in ("handwriting", "digital-touch"):
            drawn = record["app"]["details"]["svg"]
            assert drawn.startswith("<svg"), name
            assert not any(word in drawn.lower() for word in ("<script", "href", "url(", "onload", "<image")), name
            drawings += 1
    assert drawings == 9


def test_votes_of_a_poll_count_once_a_person(found: SimpleNamespace) -> None:
    polls = [(told["poll"], record) for _, told, record in featured(found) if "poll" in told]
    assert len(polls) == (1 if found.truth["ios"].startswith("26") else 0)
    for told, record in polls:
        result = record["app"]["details"]["poll"]["result"]
        assert result["basis"] == "latest row of each participant (inferred)"
        counted = {each["id"]: each["votes"] for each in result["options"]}
        assert counted == told["votes"]


def test_chats_show_what_their_properties_say(found: SimpleNamespace) -> None:
    for rowid, told in found.truth["settings"]["properties"].items():
        assert list(differences(told, found.chats[int(rowid)].properties, rowid)) == []


def test_drafts_are_read_with_their_chat_and_their_files(found: SimpleNamespace) -> None:
    read = {each["chat_identifier"]: each for each in found.beside if each.get("kind") == "draft"}
    told = found.truth["settings"]["drafts"]
    assert {each["chat_identifier"]: each["text"] for each in told} == {key: each["text"] for key, each in read.items()}
    for each in told:
        files = [file["relative_path"] for file in read[each["chat_identifier"]]["attachments"]]
        assert files == each["attachments"]


def test_settings_tell_who_is_pinned_muted_and_blocked(found: SimpleNamespace) -> None:
    told = found.truth["settings"]
    read = [each for each in found.beside if each.get("kind") == "message-setting"]
    assert [each["chats"] for each in read if each["setting"] == "pD"] == [told["pinned"]]
    assert [each["chats"] for each in read if each["setting"] == "ignoreAlertsFlag"] == [told["muted"]]
    blocked = [handle["handle"] for each in read for handle in each["handles"]]
    assert blocked == told["blocked"]
    assert [each["value"] for each in read if each["setting"] == "KeepMessageForDays"] == [told["kept_for_days"]]


def test_the_film_of_a_live_photo_is_no_leftover(found: SimpleNamespace) -> None:
    left = sorted(each.path for each in found.traces if each.kind == "unreferenced-file")
    assert left == sorted(found.truth["deleted"]["unreferenced_files"])


def test_what_was_cancelled_or_purged_and_not_told_to_icloud_leaves_its_guid(found: SimpleNamespace) -> None:
    for table, key in (
        ("scheduled_messages_pending_cloudkit_delete", "cancelled"),
        ("sync_deleted_attachments", "sync_deleted_attachments"),
        ("sync_deleted_chats", "sync_deleted_chats"),
    ):
        has_table = any(each.table == table for each in found.reconciled)
        traces = [trace.guid for trace in found.traces if trace.table == table]
        assert traces == (found.truth["deleted"].get(key, []) if has_table else []), table


def test_another_reader_decodes_every_body_to_the_same_text(found: SimpleNamespace) -> None:
    bodies = 0
    with closing(sqlite3.connect(f"file:{found.database}?immutable=1", uri=True)) as sms:
        for guid, stream in sms.execute("SELECT guid, attributedBody FROM message WHERE attributedBody IS NOT NULL"):
            told = found.truth["messages"][guid]
            if told.get("feature") == "lone surrogate":  # that reader knows strict UTF-8 alone
                continue
            decoded = typedstream.unarchive_from_data(stream).contents[0].value.value
            assert decoded == "".join(part["text"] for part in told["parts"]), told
            bodies += 1
    assert bodies > 100


def test_every_message_is_in_its_chats(found: SimpleNamespace) -> None:
    for name, told, record in featured(found):
        assert [each["guid"] for each in record["chats"]] == told["chats"], name


def test_chats_keep_the_sim_they_use(found: SimpleNamespace) -> None:
    for rowid, sim in found.truth["settings"]["sims"].items():
        assert found.chats[int(rowid)].raw["last_addressed_sim_id"] == sim


def test_what_a_filter_of_ios_27_decided_is_kept_as_it_stands(tmp_path: Path) -> None:
    (minted := tmp_path / "minted").mkdir()
    said = messages.write(minted, (27, 0), random.Random("27"), retouch=features.tell)
    with Workspace.inside(tmp_path / "work") as workspace:
        read = {each.guid: each for each in run(BareFiles(said.database, workspace)) if isinstance(each, Message)}
    told = {guid: fact for guid, fact in said.story.messages.items() if "filtered" in str(fact.get("feature"))}
    assert len(told) == 5
    for guid, fact in told.items():
        assert read[guid].raw["filter_action"] == fact["raw"]["filter_action"]


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = (mint(tmp_path / each, encrypted=False, ios="26.0", features=True) for each in ("one", "other"))
    assert one.truth == other.truth
    for path in sorted(one.folder.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (other.folder / path.relative_to(one.folder)).read_bytes()
