"""Check In, Find My, Apple Cash and Business tell what their balloons stand for, and keep what only Apple reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

CHECK_IN = "com.apple.SafetyMonitorApp.SafetyMonitorMessages"
CASH = "com.apple.PassbookUIService.PeerPaymentMessagesExtension"
BUSINESS = "com.apple.icloud.apps.messages.business.extension"


def test_a_check_in_tells_its_times_to_the_last_decimal(
    extension: Callable[..., Any], url: Callable[[str], str]
) -> None:
    query = "messageType=1&interfaceVersion=1&sendDate=1697316869.688709&estimatedEndTime=1697320469"
    found = extension(CHECK_IN, {"URL": url(f"?{query}"), "userInfo": {"caption": "Check In: Timer"}})
    assert found.details["check-in"] == {
        "kind": "Timer",
        "message_type": "1",
        "interface_version": "1",
        "estimated_end": "2023-10-14T21:54:29.000000000Z",
        "sent": "2023-10-14T20:54:29.688709000Z",
        "query": {
            "messageType": "1", "interfaceVersion": "1", "sendDate": "1697316869.688709",
            "estimatedEndTime": "1697320469",
        },
    }  # fmt: skip
    assert found.app.title == "Check In: Timer"


@pytest.mark.parametrize("seconds", ["0", "", "soon", "-5", "1e9", "99999999999999999999", "1697316869,5"])
def test_a_time_that_is_none_stays_in_the_query(
    extension: Callable[..., Any], url: Callable[[str], str], seconds: str
) -> None:
    told = extension(CHECK_IN, {"URL": url(f"?triggerTime={seconds}")}).details["check-in"]
    assert told == {"query": {"triggerTime": seconds}}


def test_a_url_that_is_none_costs_nothing_else(extension: Callable[..., Any], url: Callable[[str], str]) -> None:
    found = extension(CHECK_IN, {"URL": url("https://[broken"), "ldtext": "Check In"})
    assert (found.app.url, found.app.title, found.details["check-in"]) == ("https://[broken", "Check In", {})
    assert found.reports == []


def test_find_my_tells_its_sentence_and_keeps_its_query(
    extension: Callable[..., Any], url: Callable[[str], str]
) -> None:
    root = {"URL": url("?FindMyMessagePayloadVersionKey=v0"), "ldtext": "Started Sharing Location"}
    assert extension("com.apple.findmy.FindMyMessagesApp", root).details["find-my"] == {
        "text": "Started Sharing Location",
        "query": {"FindMyMessagePayloadVersionKey": "v0"},
    }


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Sent $26.50 with Apple Pay.", "$26.50"),
        ("US$5 requested", "US$5"),
        ("1.234,50 € gesendet", "1.234,50 €"),
        ("¥3000", "¥3000"),
        ("Sent $5 of $10", None),
        ("Payment", None),
    ],
)
def test_apple_cash_tells_the_one_amount_of_its_sentence(
    extension: Callable[..., Any], url: Callable[[str], str], text: str, amount: str | None
) -> None:
    found = extension(CASH, {"URL": url("data:application/vnd.apple.pkppm;base64,T1JBQ0xF"), "ldtext": text})
    told = found.details["apple-cash"]
    assert (told["text"], told.get("amount_text"), found.fallback) == (text, amount, text)
    sha256 = hashlib.sha256(b"ORACLE").hexdigest()
    assert told["payload"] == {"media_type": "application/vnd.apple.pkppm", "sha256": sha256, "size": 6}


def business(extension: Callable[..., Any], data: Any) -> Any:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return extension(BUSINESS, {"data": raw, "ldtext": "Message"})


def test_a_quick_reply_tells_what_was_picked(extension: Callable[..., Any]) -> None:
    items = [{"title": "Yes", "identifier": "1"}, {"title": "No", "identifier": "2"}]
    data = {"quick-reply": {"items": items, "summaryText": "Order?", "selectedIndex": 1}}
    told = business(extension, data).details["business"]
    assert told == {
        "kind": "quick-reply", "title": "Order?", "items": [{"title": "Yes", "id": "1"}, {"title": "No", "id": "2"}],
        "selected": [{"title": "No", "id": "2"}], "selected_index": 1, "data": data,
    }  # fmt: skip


@pytest.mark.parametrize("index", [2, -1, True, "0", None])
def test_an_index_that_fits_no_item_picks_nothing(extension: Callable[..., Any], index: Any) -> None:
    told = business(extension, {"items": [{"title": "Yes"}, {"title": "No"}], "selectedIndex": index})
    assert told.details["business"]["items"] == [{"title": "Yes"}, {"title": "No"}]
    assert "selected" not in told.details["business"]


def test_a_list_picker_tells_items_and_reply(extension: Callable[..., Any]) -> None:
    data = {
        "listPicker": {"sections": [{"items": [{"title": "Red", "subtitle": "XL"}]}, {"items": [{"title": "Blue"}]}]},
        "receivedMessage": {"title": "Which colour?"},
        "replyMessage": {"title": "Blue", "subtitle": "1 item"},
    }
    told = business(extension, data).details["business"]
    assert (told["kind"], told["title"], told["selected"]) == (
        "list-picker", "Which colour?", {"title": "Blue", "subtitle": "1 item"},
    )  # fmt: skip
    assert told["items"] == [{"title": "Red", "subtitle": "XL"}, {"title": "Blue"}]


def test_a_form_tells_each_question_with_what_was_picked(extension: Callable[..., Any]) -> None:
    data = {"dynamic": {"data": {"selections": [{"subtitle": "Size", "items": [{"title": "M"}, {"title": "L"}]}]}}}
    told = business(extension, data).details["business"]
    assert told["selected"] == [{"question": "Size", "items": [{"title": "M"}, {"title": "L"}]}]
    assert told["kind"] == "form"


def test_business_data_of_another_form_is_kept(extension: Callable[..., Any]) -> None:
    told = business(extension, {"version": "1.0", "deep": [{"x": None}]}).details["business"]
    assert told == {"kind": "unknown", "data": {"version": "1.0", "deep": [{"x": None}]}}


@pytest.mark.parametrize("data", [b"\xff{}", b"{", b"[" * 200_000, b"1" * 5000, b" " * (1024 * 1024 + 1)])
def test_business_data_that_is_no_json_is_reported(extension: Callable[..., Any], data: bytes) -> None:
    found = business(extension, data)
    assert found.details["business"] == {}
    assert len(found.reports) == 1
