"""Chats of iOS 3 to 5 are the rows of two tables, which never share a number."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from typing import Any

import pytest

Read = Callable[..., Any]
ANN, BEN = "+12025550171", "+12025550199"
SMS = {"address": ANN, "date": 1_320_000_000, "flags": 2, "group_id": 1}
MADRID = {"is_madrid": 1, "date": 341_692_860, "madrid_flags": 12289, "madrid_handle": ANN, "madrid_service": "Madrid"}


def test_a_group_of_addresses_is_a_chat_with_its_members_and_extent(read_legacy: Read) -> None:
    found = read_legacy(
        SMS, {**SMS, "date": 1_320_000_060}, {**SMS, "date": 0}, madrid=False, msg_group=[{"type": 0}, {"type": 1}],
        group_member=[{"group_id": 1, "address": ANN}, {"group_id": 2, "address": ANN},
                      {"group_id": 2, "address": BEN}],
    )  # fmt: skip
    direct, group = found.chats
    assert (direct.id, direct.rowid, direct.guid) == ("chat/3d0d7e5f/msg_group/1", 1, None)
    assert (direct.identifier, direct.service, direct.is_group) == (ANN, "SMS", False)
    assert (direct.messages, direct.first_at) == (3, "2011-10-30T18:40:00.000000000Z")
    assert direct.last_at == "2011-10-30T18:41:00.000000000Z"
    assert (group.identifier, group.is_group, group.messages, group.first_at) == (None, True, 0, None)
    assert [(member.handle, member.basis) for member in group.members] == [(ANN, "now"), (BEN, "now")]


def test_a_chat_of_imessage_has_its_guid_members_and_properties(read_legacy: Read) -> None:
    row = {"style": 43, "chat_identifier": "chat1", "room_name": "chat1", "service_name": "Madrid",
           "guid": "Madrid;+;chat1", "participants": plistlib.dumps([ANN, BEN], fmt=plistlib.FMT_BINARY),
           "properties": plistlib.dumps({"a": 1}, fmt=plistlib.FMT_BINARY)}  # fmt: skip
    (chat,) = read_legacy({**MADRID, "madrid_roomname": "chat1"}, madrid_chat=[row]).chats
    assert (chat.id, chat.rowid, chat.provenance.rowid) == ("chat/3d0d7e5f/madrid_chat/1", -1, 1)
    assert (chat.guid, chat.service, chat.is_group) == ("Madrid;+;chat1", "iMessage", True)
    assert [member.handle for member in chat.members] == [ANN, BEN]
    assert (chat.properties, chat.messages, chat.first_at) == ({"a": 1}, 1, "2011-10-30T18:41:00.000000000Z")


def test_the_same_address_in_both_tables_is_one_conversation_to_a_reader(read_legacy: Read) -> None:
    direct = {"style": 45, "chat_identifier": ANN, "service_name": "Madrid", "guid": "G"}
    sms, imessage = read_legacy(
        SMS, MADRID, msg_group=[{"type": 0}], group_member=[{"group_id": 1, "address": ANN}], madrid_chat=[direct]
    ).chats
    assert [(each.rowid, each.reason) for each in sms.same_conversation_as] == [(-1, "same address")]
    assert [(each.rowid, each.reason) for each in imessage.same_conversation_as] == [(1, "same address")]
    assert (sms.messages, imessage.messages) == (1, 1)


def test_a_member_of_a_group_that_does_not_exist_is_noted(read_legacy: Read) -> None:
    found = read_legacy(SMS, group_member=[{"group_id": 7, "address": ANN}])
    assert [(each.effect, each.where.table, each.where.rowid) for each in found.issues] == [("note", "group_member", 1)]


@pytest.mark.parametrize("damaged", [b"bplist00", b"no list"])
def test_properties_that_cannot_be_read_are_an_issue_and_the_chat_stays(read_legacy: Read, damaged: bytes) -> None:
    row = {"style": 45, "chat_identifier": ANN, "properties": damaged, "participants": damaged}
    found = read_legacy(MADRID, madrid_chat=[row])
    assert [member.handle for member in found.chats[0].members] == [ANN]
    assert [(each.effect, each.where.table) for each in found.issues] == [("partial", "madrid_chat")]
