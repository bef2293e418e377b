"""A message says who, when, what became of it and where it was read, and nothing that the record does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bagtag.parsers.records import (
    Announcement,
    Effect,
    Message,
    OwnerIdentity,
    Party,
    Tapback,
    TapbackOnTarget,
    Target,
    Thread,
)
from bagtag.reports.html.bubble import Bubble, Name, Quote, bubble, name
from bagtag.reports.html.clock import Clock

Make = Callable[..., Message]
AT = "2024-03-01T13:00:00.000000000Z"
BOB = Party(role="other", handle="bob@example.com", handle_rowid=4, names=["Bob", "Robert"])


def _shown(message: Message, quotes: dict[str, Quote] | None = None, hrefs: dict[str, str] | None = None) -> Bubble:
    return bubble(message, "m1", Clock("UTC"), quotes or {}, hrefs or {})


def test_two_cards_with_one_address_give_both_names_and_the_address() -> None:
    assert name(BOB) == Name("Bob / Robert", "bob@example.com")


def test_an_account_without_a_card_is_its_address_and_one_without_address_says_so() -> None:
    assert name(Party(role="other", handle="+1555", handle_rowid=1)) == Name("+1555")
    assert name(Party(role="unknown", handle=None, handle_rowid=None)) == Name("account not stated")
    assert name(None) == Name("account not stated")


def test_the_owner_is_named_as_account_with_the_identity_that_the_row_gives() -> None:
    owner = Party(role="owner", handle=None, handle_rowid=None)
    assert name(owner, OwnerIdentity(destination_caller_id="+1415")) == Name("Owner’s account", "+1415")
    assert name(owner) == Name("Owner’s account")


@pytest.mark.parametrize(("direction", "side"), [("incoming", "other"), ("outgoing", "own")])
def test_the_direction_is_a_side_and_a_word(direction: str, side: str, message: Make) -> None:
    shown = _shown(message(1, direction=direction))
    assert (shown.side, shown.direction) == (side, direction)


def test_who_read_a_message_is_said_for_each_direction(message: Make) -> None:
    incoming = _shown(message(1, read_at=AT, read_by="owner"))
    outgoing = _shown(message(1, direction="outgoing", delivered_at=AT, read_at=AT, read_by="recipient"))
    assert [event.label for event in incoming.events] == ["Read by the owner’s account"]
    assert [event.label for event in outgoing.events] == ["Delivered", "Read by the recipient"]
    assert all(event.at and event.at.text == "2024-03-01 13:00:00 UTC" for event in outgoing.events)


def test_a_recently_deleted_message_bears_a_banner_with_the_time(message: Make) -> None:
    (banner,) = _shown(message(1, state="recently-deleted", deleted_at=AT)).banners
    assert "Recently deleted" in banner.label
    assert banner.at is not None


def test_a_recovered_message_says_where_it_was_found_and_how_certain_that_is(message: Make) -> None:
    (banner,) = _shown(message(1, state="recovered", confidence="probable")).banners
    assert "Confidence: probable" in banner.label


def test_a_reply_quotes_its_originator_and_one_whose_originator_is_absent_names_its_guid(message: Make) -> None:
    quote = Quote("", "G", "#m9", Name("Ann"), None, None)
    reply = message(1, thread=Thread(originator_guid="G"))
    found, absent = _shown(reply, {"G": quote}).quote, _shown(reply).quote
    assert found is not None
    assert (found.lead, found.href) == ("Reply in the thread of", "#m9")
    assert absent is not None
    assert (absent.guid, absent.href) == ("G", None)


def test_previous_guid_is_no_reply(message: Make) -> None:
    assert _shown(message(1, previous_guid="G")).quote is None


def test_a_removed_tapback_stands_under_its_target_and_says_removed(message: Make) -> None:
    tapbacks = [
        TapbackOnTarget(guid="T1", rowid=7, sender=BOB, kind="loved", at=AT),
        TapbackOnTarget(guid="T2", rowid=8, sender=BOB, kind="emoji", emoji="🦊", part=1, at=AT, removed=True),
    ]
    loved, fox = _shown(message(1, tapbacks=tapbacks), hrefs={"T1": "#m7"}).reactions
    assert (loved.words, loved.removed, loved.href) == ("loved this", False, "#m7")
    assert (fox.glyph, fox.removed, fox.part, fox.href) == ("🦊", True, 1, None)


def test_a_tapback_row_is_a_line_that_says_what_was_done(message: Make) -> None:
    made = message(
        1, type="tapback", target=Target(guid="G", found=True), tapback=Tapback(kind="disliked", removed=True)
    )
    shown = _shown(made)
    assert shown.layout == "line"
    assert shown.title == "Ann Lee (+15551234567) disliked a message 👎 – removed"


def test_an_announcement_without_a_sentence_names_actor_kind_and_subject(message: Make) -> None:
    told = Announcement(kind="participant-added", actor=BOB, subject=Party(role="other", handle="+1", handle_rowid=2))
    shown = _shown(message(1, None, type="announcement", announcement=told))
    assert shown.title == "Bob / Robert (bob@example.com) added a participant – +1"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"raw": {"error": "22"}}, "failed: the device recorded error 22"),
        ({"flags": {"is_finished": True, "is_sent": False}}, "failed: marked as finished but not as sent"),
        ({"flags": {"was_downgraded": True}}, "downgraded: sent as SMS after iMessage did not get through"),
        ({"effect": Effect(kind="slam", raw="com.apple.x")}, "sent with the effect “slam”"),
        ({"effect": Effect(kind="unknown", raw="com.apple.x")}, "sent with the effect “com.apple.x”"),
    ],
)
def test_what_changes_how_a_message_is_read_is_said_in_words(fields: Any, words: str, message: Make) -> None:
    assert words in _shown(message(1, direction="outgoing", **fields)).remarks


def test_nothing_is_said_to_have_failed_that_did_not(message: Make) -> None:
    sent = {"is_finished": True, "is_sent": True}
    scheduled = {"is_finished": True, "is_sent": False}
    for made in (
        message(1, direction="outgoing", raw={"error": "0"}, flags=sent),
        message(1, direction="outgoing", flags=scheduled, scheduled_for=AT),
        message(1, raw={"error": "22"}),
    ):
        assert not [remark for remark in _shown(made).remarks if remark.startswith("failed")]


def test_the_provenance_leads_back_to_row_database_and_raw_value(message: Make) -> None:
    shown = _shown(message(3, chats=[]))
    for fact in (
        "message/3d0d7e5f/message/3",
        "HomeDomain-Library/SMS/sms.db",
        "table message, row 3, read in the db",
        "ab" * 32,
        "GUID-3",
        "730990803000000000 (ns)",
        "2024-03-01T12:00:03.000000000Z",
    ):
        assert f"<dd>{fact}</dd>" in shown.provenance


def test_a_message_of_which_only_its_row_is_known_is_still_shown(message: Make) -> None:
    shown = _shown(
        message(
            1, None, direction=None, sent_at=None, service=None, guid=None, type="unknown", raw={},
            sender=Party(role="unknown", handle=None, handle_rowid=None),
        )
    )  # fmt: skip
    assert (shown.at, shown.direction, shown.title) == (None, "direction not stated", "Row of an unknown type")


def test_facts_without_a_field_of_their_own_are_shown_with_their_path(message: Make) -> None:
    made = message(1, "hola", details={"translations": [{"part": 0, "text": "hello", "language": "en"}]})
    shown = bubble(made, "m1", Clock("UTC"), {}, {})
    assert ("translations 1 › text", "hello") in shown.details
