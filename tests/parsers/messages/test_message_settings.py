"""The settings of Messages are told under Apple's keys, and explained only where it is known what they stand for."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from datetime import datetime
from plistlib import FMT_BINARY
from typing import Any

import pytest

from bagtag.parsers.names import Card

Read = Callable[..., list[Any]]
PREFERENCES = "Library/Preferences/"
MOBILE_SMS = f"{PREFERENCES}com.apple.MobileSMS.plist"
PINNING = f"{PREFERENCES}com.apple.messages.pinning.plist"
BLOCKED = f"{PREFERENCES}com.apple.cmfsyncagent.plist"
MADRID = f"{PREFERENCES}com.apple.madrid.plist"


def plist(values: Any) -> bytes:
    return plistlib.dumps(values, fmt=FMT_BINARY)


@pytest.mark.parametrize("key", ["KeepMessageForDays", "SSKeepMessages"])
@pytest.mark.parametrize(
    ("value", "meaning"),
    [(0, "messages are kept for ever"), (30, "messages are kept for 30 days"), (365, "messages are kept for one year")],
)
def test_how_long_messages_were_kept_is_told(read_files: Read, key: str, value: int, meaning: str) -> None:
    (setting,) = read_files({MOBILE_SMS: plist({key: value})})
    assert (setting.kind, setting.setting, setting.value, setting.meaning) == ("message-setting", key, value, meaning)
    assert setting.provenance.relative_path == MOBILE_SMS
    assert setting.id == f"message-setting/{setting.provenance.file_id[:8]}/com.apple.MobileSMS.plist/0"


@pytest.mark.parametrize("value", [7, "30", True, 30.0, [30]])
def test_another_value_has_no_meaning(read_files: Read, value: Any) -> None:
    (setting,) = read_files({MOBILE_SMS: plist({"SSKeepMessages": value})})
    assert (setting.value, setting.meaning) == (value, None)


def test_two_keys_that_speak_of_the_same_are_both_told_and_neither_preferred(read_files: Read) -> None:
    found = read_files({MOBILE_SMS: plist({"SSKeepMessages": 0, "KeepMessageForDays": 30})})
    assert [each.setting for each in found] == ["KeepMessageForDays", "SSKeepMessages"]
    assert all("is there too" in each.notes[0] for each in found)


def test_unknown_keys_are_raw_alone(read_files: Read) -> None:
    when = datetime(2024, 3, 1, 12, 0, 0)  # noqa: DTZ001 - property lists hold UTC without a zone
    found = read_files({MADRID: plist({"b": when, "a": b"abc"})})
    assert [(each.setting, each.value, each.meaning) for each in found] == [
        ("a", {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "size": 3}, None),
        ("b", "2024-03-01T12:00:00.000000000Z", None),
    ]


def test_pinned_conversations_are_named_in_their_order(read_files: Read) -> None:
    pins = ["+12025550171", "609A00B1-6599-4247-805F-BC491960CE50"]
    found = read_files({PINNING: plist({"pD": {"pP": pins, "pR": 2}, "IMPinningShouldTryFetchAgainIfNullKey": True})})
    assert [(each.setting, each.chats) for each in found] == [
        ("IMPinningShouldTryFetchAgainIfNullKey", []), ("pD", pins),
    ]  # fmt: skip
    assert found[1].meaning == "conversations that are pinned, in their order"
    assert found[1].value == {"pP": pins, "pR": 2}


@pytest.mark.parametrize("value", [{"pP": [1]}, {"pP": "x"}, ["x"], {}])
def test_pins_of_another_form_are_raw_alone(read_files: Read, value: Any) -> None:
    (setting,) = read_files({PINNING: plist({"pD": value})})
    assert (setting.value, setting.meaning, setting.chats) == (value, None, [])


def test_each_blocked_address_is_a_record_with_its_names(read_files: Read) -> None:
    store = {"__kCMFBlockListStoreArrayKey": [
        {"__kCMFItemTypeKey": 0, "__kCMFItemPhoneNumberUnformattedKey": "2025550171",
         "__kCMFItemPhoneNumberCountryCodeKey": "us"},
        {"__kCMFItemTypeKey": 1, "__kCMFItemEmailUnformattedKey": "sam@example.com"},
        {"__kCMFItemTypeKey": 9},
    ], "__kCMFBlockListStoreRevisionKey": 4}  # fmt: skip
    found = read_files(
        {BLOCKED: plist({"__kCMFBlockListStoreTopLevelKey": store})}, Card("Ann Lee", ("+1 202 555 0171",), ())
    )
    assert found[0].value == {"__kCMFBlockListStoreRevisionKey": 4}
    told = [([(handle.handle, handle.names) for handle in each.handles], each.meaning) for each in found[1:]]
    assert told == [
        ([("2025550171", ["Ann Lee"])], "on the list of blocked addresses"),
        ([("sam@example.com", [])], "on the list of blocked addresses"),
        ([], None),
    ]
    assert len({each.id for each in found}) == 4


def test_a_muted_chat_is_told_with_its_row(read_files: Read) -> None:
    chats = [
        ("+12025550171", plist({"ignoreAlertsFlag": True})), ("b", plist({"ignoreAlertsFlag": False})),
        ("c", plist({"other": 1})), ("d", b"no list"), ("e", None), ("f", plist({"ignoreAlertsFlag": 3})),
    ]  # fmt: skip
    found = read_files({}, chats=chats)
    assert [(each.chats, each.value, each.meaning) for each in found] == [
        (["+12025550171"], True, "the chat is muted"), (["b"], False, "the chat is not muted"), (["f"], 3, None),
    ]  # fmt: skip
    assert found[0].id == "message-setting/3d3d3d3d/chat/1"
    assert (found[0].provenance.table, found[0].provenance.rowid) == ("chat", 1)


@pytest.mark.parametrize("content", [None, b"", b"bplist00", b"<plist", plist([1])])
def test_a_list_that_cannot_be_read_is_an_issue_and_costs_no_other(read_files: Read, content: Any) -> None:
    issue, setting = read_files({MADRID: content, MOBILE_SMS: plist({"SSKeepMessages": 0})})[::-1]
    assert (issue.effect, issue.where.relative_path) == ("partial", MADRID)
    assert setting.value == 0


def test_a_list_without_end_is_cut_with_an_issue(read_files: Read) -> None:
    found = read_files({MADRID: plist({f"key{number:05}": number for number in range(10_001)})})
    assert len(found) == 10_001
    assert (found[-1].effect, found[-2].setting) == ("partial", "key09999")
