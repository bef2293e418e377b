"""Every chat row has its pages, in reading order, cut so that a browser can open them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bagtag.parsers.records import ChatRef, Member, Message, SameConversation, Thread
from bagtag.reports.html import report
from bagtag.reports.html.reading_order import PER_PAGE

Make = Callable[..., Message]


def _page(bag: Any, name: str) -> str:
    text: str = (bag.report / name).read_text(encoding="utf-8")
    return text


def test_a_chat_without_messages_has_a_page_that_says_so(bag: Any, chat: Callable[..., Any]) -> None:
    bag.put("chats", chat(7))
    report.write(bag.report, bag.view)
    assert "No message of this conversation is in the report." in _page(bag, "chat-7.html")
    assert 'href="chat-7.html"' in _page(bag, "index.html")


@pytest.fixture
def long_bag(bag: Any, chat: Callable[..., Any], message: Make) -> Any:
    first = [message(rowid, f"text {rowid}") for rowid in range(1, PER_PAGE + 1)]
    reply = message(
        PER_PAGE + 1, "late", sent_at="2024-03-02T00:00:00.000000000Z", thread=Thread(originator_guid="GUID-1")
    )
    bag.put("messages", *first, reply)
    bag.put("chats", chat(1, messages=PER_PAGE + 1))
    report.write(bag.report, bag.view)
    return bag


def test_the_page_is_cut_after_two_thousand_messages_and_none_is_lost(long_bag: Any) -> None:
    first, second = _page(long_bag, "chat-1.html"), _page(long_bag, "chat-1-2.html")
    assert first.count("<article ") == 2000
    assert second.count("<article ") == 1
    assert not (long_bag.report / "chat-1-3.html").exists()


def test_pages_lead_to_the_next_and_the_previous_one(long_bag: Any) -> None:
    first, second = _page(long_bag, "chat-1.html"), _page(long_bag, "chat-1-2.html")
    assert '<link rel="next" href="chat-1-2.html">' in first
    assert 'rel="next" accesskey="n" href="chat-1-2.html"' in first
    assert '<link rel="prev" href="chat-1.html">' in second
    assert "Page 2 of 2" in second


def test_a_reply_links_to_the_page_on_which_its_originator_is(long_bag: Any) -> None:
    assert '<a href="chat-1.html#m1" dir="auto">text 1</a>' in _page(long_bag, "chat-1-2.html")


def test_each_day_begins_with_its_date_in_the_zone_of_the_report(bag: Any, message: Make) -> None:
    bag.put("messages", message(1, sent_at="2024-03-01T22:30:00.000000000Z"),
            message(2, sent_at="2024-03-01T23:30:00.000000000Z"), message(3, sent_at=None))  # fmt: skip
    report.write(bag.report, bag.view, tz="Europe/Berlin")
    page = _page(bag, "chat-1.html")
    days = [page.index(day) for day in ("Friday, 1 March 2024", "Saturday, 2 March 2024", ">No time recorded<")]
    messages = [page.index(f'id="m{rowid}"') for rowid in (1, 2, 3)]
    assert days[0] < messages[0] < days[1] < messages[1] < days[2] < messages[2]
    assert "2024-03-02 00:30:00 +01:00" in page


def test_messages_in_no_chat_and_in_a_chat_without_record_have_pages(bag: Any, message: Make) -> None:
    ghost = ChatRef(rowid=9, guid="g9", identifier="chat9", service="SMS", name="Ghost", is_group=True)
    bag.put("messages", message(1, "lonely", chats=[]), message(2, "haunted", chats=[ghost]))
    report.write(bag.report, bag.view)
    assert "lonely" in _page(bag, "chat-none.html")
    assert "haunted" in _page(bag, "chat-9.html")
    assert ">Ghost</a>" in _page(bag, "index.html")


def test_members_say_how_they_are_known_and_related_chats_why(bag: Any, chat: Callable[..., Any]) -> None:
    members = [
        Member(handle="+1", names=["Ann"], basis="now"),
        Member(handle="+2", basis="left", at="2024-03-01T12:00:00.000000000Z"),
    ]
    same = [SameConversation(rowid=2, guid="SMS;-;+1", reason="equal chat_identifier")]
    bag.put("chats", chat(1, members=members, same_conversation_as=same), chat(2))
    report.write(bag.report, bag.view)
    page = _page(bag, "chat-1.html")
    assert "member at the time of the backup" in page
    assert "left <time" in page
    assert '<a href="chat-2.html">chat row 2</a>' in page
    assert "equal chat_identifier" in page


def test_a_recovered_row_with_the_number_of_a_live_one_has_an_id_of_its_own(bag: Any, message: Make) -> None:
    bag.put("messages", message(5, "live"), message(5, "from a free page", state="recovered", confidence="certain"))
    report.write(bag.report, bag.view)
    page = _page(bag, "chat-1.html")
    assert page.count('id="m5"') == 1
    assert 'id="line-2"' in page


def test_the_conversation_with_the_latest_message_comes_first(bag: Any, message: Make) -> None:
    other = ChatRef(rowid=2, guid=None, identifier="second", service=None, name=None, is_group=False)
    bag.put("messages", message(1, sent_at="2024-03-01T12:00:00.000000000Z"),
            message(2, chats=[other], sent_at="2024-04-01T12:00:00.000000000Z"))  # fmt: skip
    report.write(bag.report, bag.view)
    index = _page(bag, "index.html")
    assert index.index("chat-2.html") < index.index("chat-1.html")
