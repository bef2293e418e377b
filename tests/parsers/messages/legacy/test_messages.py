"""A message of iOS 3 to 5 is a record like any other, and claims nothing that its row does not say."""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Callable
from typing import Any

import pytest

from bagtag.parsers.names import Card
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., Any]
ANN = "+12025550171"
UNIX, APPLE = 1_320_000_000, 341_692_800
AT = "2011-10-30T18:40:00.000000000Z"  # 1,320,000,000 s after 1970 = 341,692,800 s after 2001
IN = {"address": ANN, "date": UNIX, "text": "Hi", "flags": 2, "group_id": 1, "read": 1}
OUT = {**IN, "flags": 3}
MADRID_IN = {"is_madrid": 1, "date": APPLE, "flags": 0, "madrid_flags": 12289, "madrid_handle": ANN, "text": "Hi",
             "madrid_guid": "G-1", "madrid_service": "Madrid"}  # fmt: skip
MADRID_OUT = {**MADRID_IN, "madrid_flags": 36869}


def only(found: Any) -> Any:
    (record,) = found.messages.values()
    return record


def test_an_incoming_sms_is_from_its_address_at_unix_seconds(read_legacy: Read) -> None:
    record = only(read_legacy(IN, madrid=False, cards=(Card("Ann Lee", ("+1 202 555 0171",), ()),)))
    assert (record.id, record.guid, record.type, record.state) == (
        "message/3d0d7e5f/message/1",
        None,
        "message",
        "live",
    )
    assert (record.direction, record.service, record.text) == ("incoming", "SMS", "Hi")
    assert (record.sender.role, record.sender.handle, record.sender.names) == ("other", ANN, ["Ann Lee"])
    assert (record.sender.handle_rowid, record.recipients.basis) == (None, "none")
    assert (record.sent_at, record.units, record.raw["date"]) == (AT, {"date": "unix-s"}, str(UNIX))
    assert (record.flags["read"], record.provenance.table, record.provenance.rowid) == (True, "message", 1)


def test_an_outgoing_sms_is_the_owners_and_went_to_its_address(read_legacy: Read) -> None:
    record = only(read_legacy(OUT, madrid=False))
    assert (record.direction, record.sender.role, record.sender.handle) == ("outgoing", "owner", None)
    assert [each.handle for each in record.recipients.handles] == [ANN]


@pytest.mark.parametrize("flags", [33, 35])
def test_an_outgoing_message_that_failed_says_so(read_legacy: Read, flags: int) -> None:
    record = only(read_legacy({**IN, "flags": flags}))
    assert record.direction == "outgoing"
    assert f"sending failed: flags is {flags}" in record.notes


@pytest.mark.parametrize("flags", [0, 1, 129, 16387, None, "x"])
def test_an_unknown_code_gives_no_direction_and_a_note(read_legacy: Read, flags: Any) -> None:
    record = only(read_legacy({**IN, "flags": flags}))
    assert (record.direction, record.sender.role, record.sender.handle) == (None, "unknown", None)
    assert record.recipients.basis == "none"
    assert any("flags is" in note and ANN in note for note in record.notes)
    assert record.raw["flags"] == (None if flags is None else str(flags))


@pytest.mark.parametrize("flags", [12289, 4097, 77825])
def test_an_imessage_is_incoming_by_its_own_code(read_legacy: Read, flags: int) -> None:
    record = only(read_legacy({**MADRID_IN, "madrid_flags": flags}))
    assert (record.direction, record.service, record.guid) == ("incoming", "iMessage", "G-1")
    assert (record.sender.handle, record.sent_at, record.units) == (ANN, AT, {"date": "s"})


@pytest.mark.parametrize("flags", [36869, 45061, 102405, 32773])
def test_an_imessage_is_outgoing_by_its_own_code(read_legacy: Read, flags: int) -> None:
    record = only(read_legacy({**MADRID_IN, "madrid_flags": flags}))
    assert (record.direction, record.sender.role) == ("outgoing", "owner")
    assert [each.handle for each in record.recipients.handles] == [ANN]


@pytest.mark.parametrize("flags", [5, 0x20001, 0x8001, -1])
def test_bits_that_do_not_fit_each_other_give_no_direction(read_legacy: Read, flags: int) -> None:
    record = only(read_legacy({**MADRID_IN, "madrid_flags": flags}))
    assert record.direction is None
    assert any(note.startswith(f"madrid_flags is {flags},") for note in record.notes)


def test_a_madrid_date_of_its_own_is_the_time_where_there_is_one(read_legacy: Read) -> None:
    record = only(read_legacy({**MADRID_IN, "date": UNIX + 60, "madrid_date": APPLE}))
    assert record.sent_at == AT
    assert record.units == {"date": "unix-s", "madrid_date": "s"}


def test_who_read_it_depends_on_who_sent_it(read_legacy: Read) -> None:
    times = {"madrid_date_read": APPLE, "madrid_date_delivered": APPLE}
    found = read_legacy({**MADRID_IN, **times}, {**MADRID_OUT, **times}, {**MADRID_IN, **times, "madrid_flags": 5})
    told = [(each.read_at, each.read_by, each.delivered_at) for each in found.messages.values()]
    assert told == [(AT, "owner", AT), (AT, "recipient", AT), (AT, None, AT)]


@pytest.mark.parametrize("date", [0, None])
def test_zero_is_no_time(read_legacy: Read, date: Any) -> None:
    record = only(read_legacy({**IN, "date": date}))
    assert (record.sent_at, record.units) == (None, {})


@pytest.mark.parametrize("date", [-5_000_000_000, 2**62, "soon"])
def test_an_impossible_time_is_noted_and_kept_raw(read_legacy: Read, date: Any) -> None:
    record = only(read_legacy({**IN, "date": date}))
    assert any(note.startswith("date is") for note in record.notes)
    assert record.raw["date"] == str(date)


def test_a_failed_imessage_names_its_error(read_legacy: Read) -> None:
    record = only(read_legacy({**MADRID_OUT, "madrid_error": 22}))
    assert "sending failed: madrid_error is 22" in record.notes


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_a_message_to_several_names_those_in_its_list(read_legacy: Read, form: Any) -> None:
    addresses = [ANN, "+12025550199"]
    record = only(read_legacy({**OUT, "address": None, "recipients": plistlib.dumps(addresses, fmt=form)}))
    assert [each.handle for each in record.recipients.handles] == addresses


def test_a_message_to_a_group_without_a_list_went_to_its_members(read_legacy: Read) -> None:
    members = [{"group_id": 1, "address": ANN}, {"group_id": 1, "address": "+12025550199"}]
    found = read_legacy({**OUT, "address": None}, IN, msg_group=[{"type": 1}], group_member=members)
    told = [(m.recipients.basis, [h.handle for h in m.recipients.handles]) for m in found.messages.values()]
    assert told == [("chat-members-at-backup", [ANN, "+12025550199"]), ("chat-members-at-backup", ["+12025550199"])]


def test_a_list_of_recipients_that_cannot_be_read_is_reported(read_legacy: Read) -> None:
    found = read_legacy({**OUT, "recipients": b"bplist00garbage"})
    assert [each.effect for each in found.issues] == ["partial"]
    assert [each.handle for each in only(found).recipients.handles] == [ANN]


def test_the_body_of_an_imessage_is_its_attributed_string(read_legacy: Read) -> None:
    body = attributed_string([Run("Hello \U0001f600")])
    record = only(read_legacy({**MADRID_IN, "text": "Hello", "madrid_attributedBody": body}))
    assert (record.text, record.body.source, record.body.text_column) == ("Hello \U0001f600", "attributedBody", "Hello")


def test_the_chat_of_an_sms_is_its_group_and_of_an_imessage_its_room_or_address(read_legacy: Read) -> None:
    chats = [
        {"chat_identifier": ANN, "style": 45, "service_name": "Madrid", "guid": f"iMessage;-;{ANN}"},
        {"chat_identifier": "chat1", "room_name": "chat1", "style": 43, "service_name": "Madrid"},
    ]
    found = read_legacy(
        IN, MADRID_IN, {**MADRID_IN, "madrid_roomname": "chat1"}, {**MADRID_IN, "madrid_handle": "x@example.com"},
        {**IN, "group_id": 9}, {**IN, "group_id": 0},
        madrid_chat=chats, msg_group=[{"type": 0}], group_member=[{"group_id": 1, "address": ANN}],
    )  # fmt: skip
    told = [[(chat.rowid, chat.service, chat.identifier, chat.is_group) for chat in m.chats]
            for m in found.messages.values()]  # fmt: skip
    assert told == [
        [(1, "SMS", ANN, False)], [(-1, "iMessage", ANN, False)], [(-2, "iMessage", "chat1", True)], [], [], [],
    ]  # fmt: skip
    assert found.messages[4].notes == ["no madrid_chat row has x@example.com"]
    assert found.messages[5].notes == ["group_id 9 has no msg_group row"]
    assert found.messages[6].notes == []


def test_every_column_is_in_raw_whatever_its_name(read_legacy: Read) -> None:
    record = only(read_legacy({**IN, "zz_new": b"abc"}))
    assert record.raw["zz_new"]["size"] == 3
    assert record.raw["svc_center"] is None


def test_a_text_column_of_bytes_that_are_no_text_is_kept_by_its_digest(read_legacy: Read) -> None:
    record = only(read_legacy({**IN, "text": b"\xff\xfe"}))
    assert (record.text, record.body.source) == (None, "none")
    assert record.raw["text"] == {"sha256": hashlib.sha256(b"\xff\xfe").hexdigest(), "size": 2}
