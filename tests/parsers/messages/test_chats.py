"""A chat record is a row of `chat` with its names and members over time; rows are never merged."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from typing import Any

from bagtag.parsers.names import Card

Read = Callable[..., Any]
Tables = Callable[..., dict[str, list[dict[str, Any]]]]
DAY = 86_400 * 10**9
START = 700_000_000 * 10**9


def chat(guid: str, style: int = 45, **cells: Any) -> dict[str, Any]:
    return {
        "guid": guid,
        "style": style,
        "chat_identifier": guid,
        "service_name": "iMessage",
        "display_name": None,
        **cells,
    }


def test_times_and_counts_are_those_of_its_messages_in_whatever_unit(read: Read, message_tables: Tables) -> None:
    found = read(message_tables({"date": START + DAY}, {"date": 700_000_000}, {"date": 0}))
    record = found.chats[1]
    assert (record.messages, record.first_at, record.last_at) == (
        3, "2023-03-08T20:26:40.000000000Z", "2023-03-09T20:26:40.000000000Z",
    )  # fmt: skip


def test_a_recently_deleted_message_still_counts(read: Read, message_tables: Tables) -> None:
    tables = message_tables({}, {})
    del tables["chat_message_join"][0]
    tables["chat_recoverable_message_join"] = [{"chat_id": 1, "message_id": 1, "delete_date": START}]
    assert read(tables).chats[1].messages == 2


def test_names_over_time_come_from_announcements_the_present_one_from_the_row(
    read: Read, message_tables: Tables
) -> None:
    tables = message_tables(
        {"item_type": 2, "group_title": "Second", "date": START + DAY},
        {"item_type": 2, "group_title": "First", "date": START},
        chat=[chat("iMessage;+;chat1", 43, display_name="Second")],
    )
    names = read(tables).chats[1].names
    assert [(each.name, each.basis, each.message_guid) for each in names] == [
        ("First", "announcement", "G-2"), ("Second", "announcement", "G-1"), ("Second", "chat-row", None),
    ]  # fmt: skip


def test_members_are_who_is_there_now_and_who_came_and_went(read: Read, message_tables: Tables) -> None:
    usual = {"item_type": 1, "group_action_type": 0, "other_handle": 0}
    tables = message_tables(
        {**usual, "other_handle": 2},
        {**usual, "group_action_type": 1, "other_handle": 3},
        {**usual, "item_type": 3, "handle_id": 2},
        {**usual, "item_type": 3, "handle_id": 0, "is_from_me": 1},
        handle=[{"id": f"m{n}@example.com", "service": "iMessage"} for n in (1, 2, 3)],
        chat=[chat("iMessage;+;chat1", 43)],
    )
    members = read(tables).chats[1].members
    assert [(each.handle, each.basis, each.message_guid) for each in members] == [
        ("m1@example.com", "now", None), ("m2@example.com", "joined", "G-1"), ("m3@example.com", "left", "G-2"),
        ("m2@example.com", "left", "G-3"),
    ]  # fmt: skip


def test_properties_are_read_and_a_damaged_list_is_a_partial_issue(read: Read, message_tables: Tables) -> None:
    good = plistlib.dumps({"EnableReadReceiptForChat": True}, fmt=plistlib.FMT_BINARY)
    tables = message_tables({}, chat=[chat("a", properties=good), chat("b", properties=b"bplist00 cut"), chat("c")])
    found = read(tables, only=["chats"])
    assert [each.properties for each in found.chats.values()] == [{"EnableReadReceiptForChat": True}, None, None]
    assert [(each.effect, each.where.table, each.where.rowid) for each in found.issues] == [("partial", "chat", 2)]


def same(read: Read, tables: dict[str, Any]) -> dict[int, list[tuple[int, str]]]:
    found = read(tables, only=["chats"])
    return {rowid: [(each.rowid, each.reason) for each in record.same_conversation_as]
            for rowid, record in found.chats.items()}  # fmt: skip


def test_rows_with_one_identifier_name_each_other_and_stay_apart(read: Read, message_tables: Tables) -> None:
    pair = [chat("iMessage;-;+1", chat_identifier="+1"), chat("SMS;-;+1", chat_identifier="+1"), chat("other")]
    reason = "equal chat_identifier"
    assert same(read, message_tables({}, chat=pair)) == {1: [(2, reason)], 2: [(1, reason)], 3: []}


def test_a_group_id_and_an_original_group_id_that_agree_are_a_reason(read: Read, message_tables: Tables) -> None:
    pair = [chat("a", 43, group_id="X", original_group_id="Y"), chat("b", 43, group_id="Z", original_group_id="X")]
    assert same(read, message_tables({}, chat=pair))[1] == [(2, "equal group_id or original_group_id")]


def test_groups_with_the_same_members_may_be_one_direct_chats_are_not_compared_so(
    read: Read, message_tables: Tables
) -> None:
    tables = message_tables(
        {}, handle=[{"id": "a@x", "service": "iMessage"}, {"id": "b@x", "service": "iMessage"}],
        chat=[chat("a", 43), chat("b", 43), chat("c"), chat("d")],
        chat_handle_join=[{"chat_id": c, "handle_id": h} for c, h in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1))],
    )  # fmt: skip
    assert same(read, tables) == {1: [(2, "equal members at the backup")], 2: [(1, "equal members at the backup")],
                                  3: [], 4: []}  # fmt: skip


def test_direct_chats_whose_handles_are_one_person_on_the_device_say_so(read: Read, message_tables: Tables) -> None:
    tables = message_tables(
        {},
        handle=[
            {"id": "+1", "service": "SMS", "person_centric_id": "P"},
            {"id": "a@x", "service": "iMessage", "person_centric_id": "P"},
        ],
        chat=[chat("a"), chat("b")],
        chat_handle_join=[{"chat_id": 1, "handle_id": 1}, {"chat_id": 2, "handle_id": 2}],
    )
    assert same(read, tables)[1] == [(2, "equal person_centric_id of the handle")]


def test_chat_lookup_of_ios_26_is_a_reason(read: Read, message_tables: Tables) -> None:
    lookup = [{"identifier": "+1", "domain": d, "chat": c} for d, c in (("SMS", 1), ("iMessage", 2))]
    tables = message_tables({}, chat=[chat("a"), chat("b")], chat_lookup=lookup)
    assert same(read, tables)[2] == [(1, "equal identifier in chat_lookup")]


def test_chat_lookup_ties_rows_together_over_other_rows(read: Read, message_tables: Tables) -> None:
    pairs = (("+1", 1), ("+1", 2), ("a@x", 2), ("a@x", 3), ("b@x", 4))
    lookup = [{"identifier": identifier, "domain": "x", "chat": rowid} for identifier, rowid in pairs]
    tables = message_tables({}, chat=[chat(each) for each in "abcd"], chat_lookup=lookup)
    chained = "joined by identifiers of chat_lookup over other chats"
    direct = "equal identifier in chat_lookup"
    assert same(read, tables) == {
        1: [(2, direct), (3, chained)], 2: [(1, direct), (3, direct)], 3: [(1, chained), (2, direct)], 4: [],
    }  # fmt: skip


def test_groups_of_the_same_persons_under_other_handles_may_be_one(read: Read, message_tables: Tables) -> None:
    handles = [("+1", "P"), ("b@x", "Q"), ("a@x", "P")]
    tables = message_tables(
        {}, handle=[{"id": each, "service": "iMessage", "person_centric_id": person} for each, person in handles],
        chat=[chat("a", 43), chat("b", 43)],
        chat_handle_join=[{"chat_id": c, "handle_id": h} for c, h in ((1, 1), (1, 2), (2, 3), (2, 2))],
    )  # fmt: skip
    assert same(read, tables)[1] == [(2, "equal person_centric_id of the members")]


def test_direct_chats_with_a_number_and_an_address_of_one_card_say_so(read: Read, message_tables: Tables) -> None:
    tables = message_tables(
        {}, handle=[{"id": each, "service": "iMessage"} for each in ("+12025550171", "ann@example.com")],
        chat=[chat("a"), chat("b")], chat_handle_join=[{"chat_id": n, "handle_id": n} for n in (1, 2)],
    )  # fmt: skip
    card = Card("Ann Lee", ("+1 202 555 0171",), ("ann@example.com",))
    (found,) = read(tables, only=["chats"], cards=[card]).chats[1].same_conversation_as
    assert (found.rowid, found.reason) == (2, "one name in the contacts for both handles")


def test_thousands_of_rows_of_one_identifier_name_a_hundred_each(read: Read, message_tables: Tables) -> None:
    rows = [chat(f"g{n}", chat_identifier="same") for n in range(3000)]
    found = read(message_tables({}, chat=rows), only=["chats"])
    assert {len(record.same_conversation_as) for record in found.chats.values()} == {100}


def test_names_by_the_last_digits_alone_are_told_of_their_handle(read: Read, message_tables: Tables) -> None:
    found = read(message_tables({}), only=["chats"], cards=[Card("Ann", ("555-0171",), ())])
    assert found.chats[1].members[0].names == ["Ann"]
    (issue,) = found.issues
    assert (issue.effect, issue.where.table, issue.where.rowid, issue.what) == (
        "note", "handle", 1, "the contacts name +12025550171: Ann by the last 7 digits alone",
    )  # fmt: skip


def test_every_chat_row_is_a_record(read: Read, message_tables: Tables) -> None:
    found = read(message_tables({}, chat=[chat("a"), chat("b")]))
    assert found.tables["chat"] == (2, 2, 0)
    assert [each.id for each in found.chats.values()] == ["chat/3d0d7e5f/chat/1", "chat/3d0d7e5f/chat/2"]
