"""People read by time; records lie by rowid. The scratch index turns one into the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bagtag.parsers.records import ChatRef, Message, Party, TapbackOnTarget, Target, Thread
from bagtag.reports.html.reading_order import PER_PAGE, ReadingOrder

Make = Callable[..., Message]
OTHER = ChatRef(rowid=2, guid=None, identifier=None, service=None, name=None, is_group=True)


def _order(bag: Any) -> ReadingOrder:
    return ReadingOrder(bag.records / "messages.jsonl", bag.work)


def test_messages_are_read_by_time_then_rowid_and_those_without_a_time_last(bag: Any, message: Make) -> None:
    late, early = "2024-03-01T13:00:00.000000000Z", "2024-03-01T11:00:00.000000000Z"
    bag.put("messages", message(1, sent_at=late), message(2, sent_at=None), message(3, sent_at=early),
            message(4, sent_at=early))  # fmt: skip
    with _order(bag) as order:
        assert [record.rowid for _, record in order.page(1, 1)] == [3, 4, 1, 2]


def test_a_message_in_two_chats_is_in_both_and_one_in_none_has_its_own_place(bag: Any, message: Make) -> None:
    first = message(1)
    bag.put("messages", first, message(2, chats=[*first.chats, OTHER]), message(3, chats=[]))
    with _order(bag) as order:
        extents = order.chats()
        assert {chat: extent.messages for chat, extent in extents.items()} == {1: 2, 2: 1, None: 1}
        assert [record.rowid for _, record in order.page(None, 1)] == [3]
        assert order.count == 3


def test_a_place_names_the_page_on_which_the_record_is(bag: Any, message: Make) -> None:
    bag.put("messages", *(message(rowid, "x") for rowid in range(1, PER_PAGE + 2)))
    with _order(bag) as order:
        places = order.by_guid(["GUID-1", f"GUID-{PER_PAGE + 1}", "no such"], 1)
        assert (places["GUID-1"].page, places["GUID-1"].anchor) == (1, "m1")
        assert places[f"GUID-{PER_PAGE + 1}"].page == 2
        assert "no such" not in places
        assert len(order.page_starts(1)) == 2
        assert order.by_id(["message/3d0d7e5f/message/7"])["message/3d0d7e5f/message/7"].anchor == "m7"


def test_a_live_row_is_preferred_to_a_recovered_one_of_the_same_guid(bag: Any, message: Make) -> None:
    bag.put("messages", message(1, state="recovered"), message(1, "live", id="message/3d0d7e5f/message/1b"))
    with _order(bag) as order:
        place = order.by_guid(["GUID-1"], 1)["GUID-1"]
        assert order.read(place.line).text == "live"
        assert place.anchor == "m1"
        assert order.by_id(["message/3d0d7e5f/message/1"])["message/3d0d7e5f/message/1"].anchor == "line-1"


def test_a_page_knows_what_its_records_refer_to(bag: Any, message: Make) -> None:
    reaction = TapbackOnTarget(
        guid="T", rowid=9, sender=Party(role="owner", handle=None, handle_rowid=None), kind="liked"
    )
    bag.put("messages", message(1, thread=Thread(originator_guid="A")), message(2, target=Target(guid="B", found=True)),
            message(3, tapbacks=[reaction]))  # fmt: skip
    with _order(bag) as order:
        assert order.mentions(1, 1) == ({"A", "B"}, {"T"})


def test_the_scratch_index_is_gone_afterwards_and_an_old_one_does_no_harm(bag: Any, message: Make) -> None:
    bag.put("messages", message(1))
    (bag.work / "report-reading-order.sqlite").write_bytes(b"left by a killed run")
    with _order(bag) as order:
        assert order.count == 1
    assert list(bag.work.iterdir()) == []


def test_no_messages_file_is_an_empty_order(bag: Any) -> None:
    with _order(bag) as order:
        assert (order.count, order.chats()) == (0, {})
