"""A poll tells question and options, a vote what it chooses; the latest row of each participant makes the result."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from bagtag.parsers.messages.apps.poll import MAX_ROWS, tally

POLLS = "com.apple.messages.Polls"
Vote = Callable[..., bytes]


def encoded(item: Any, tail: str = "") -> str:
    """The URL of a poll, without padding."""
    raw = json.dumps({"version": 1, "item": item}).encode()
    return "data:," + base64.urlsafe_b64encode(raw).decode().rstrip("=") + tail


def options(**texts: str) -> list[dict[str, Any]]:
    return [
        {"optionIdentifier": key, "text": text, "creatorHandle": "+1", "canBeEdited": False}
        for key, text in texts.items()
    ]


@pytest.fixture
def vote(archive: Callable[..., bytes], url: Callable[[str], str]) -> Vote:
    """The payload of a row in which `by` chooses these options."""

    def writing(*chosen: str, by: str | None = None) -> bytes:
        votes = [{"voteOptionIdentifier": each, "serverVoteTime": 5.5} for each in chosen]
        named = [{**each, "participantHandle": by} if by else each for each in votes]
        return archive({"URL": url(encoded({"votes": named}))})

    return writing


def test_a_poll_tells_title_creator_and_options_though_its_base64_is_unpadded(
    extension: Callable[..., Any], url: Callable[[str], str]
) -> None:
    item = {"title": "Lunch? 🍜", "creatorHandle": "+1", "orderedPollOptions": options(A="Soup", B="Salad?>")}
    found = extension(POLLS, {"URL": url(encoded(item, "?src=p&c=2")), "ldtext": "Poll", "an": "Polls"})
    assert (found.app.kind, found.app.title, found.fallback, found.reports) == ("poll", "Lunch? 🍜", "Poll", [])
    assert found.details["poll"] == {
        "title": "Lunch? 🍜",
        "creator": "+1",
        "options": [
            {"id": "A", "text": "Soup", "by": "+1", "can_be_edited": False},
            {"id": "B", "text": "Salad?>", "by": "+1", "can_be_edited": False},
        ],
        "query": {"src": "p", "c": "2"},
    }


@pytest.mark.parametrize("length", range(12))
def test_every_length_of_base64_is_read_with_and_without_padding(
    extension: Callable[..., Any], url: Callable[[str], str], length: int
) -> None:
    bare = encoded({"title": "x" * length + "?", "orderedPollOptions": []})
    padded = bare + "=" * (-len(bare.partition(",")[2]) % 4)
    for address in (bare, padded, padded.replace("=", "%3D")):
        assert extension(POLLS, {"URL": url(address)}).app.title == "x" * length + "?"


def test_a_vote_tells_what_it_chooses(extension: Callable[..., Any], url: Callable[[str], str]) -> None:
    votes = [{"voteOptionIdentifier": "A", "participantHandle": "+2", "serverVoteTime": 780000000.25}]
    found = extension(POLLS, {"URL": url(encoded({"votes": votes})), "ldtext": "Ann voted"})
    assert found.details["vote"] == {
        "options": ["A"], "votes": [{"option": "A", "by": "+2", "server_vote_time": 780000000.25}],
    }  # fmt: skip
    assert found.app.title == "Ann voted"


def test_an_unvote_chooses_nothing(extension: Callable[..., Any], url: Callable[[str], str]) -> None:
    assert extension(POLLS, {"URL": url(encoded({"votes": []}))}).details["vote"] == {"options": [], "votes": []}


@pytest.mark.parametrize("address", ["data:,%%%", "data:,AAAA", "x", "data:,W10", "data:,A", "data:,eyJpdGVtIjoxfQ"])
def test_a_poll_that_cannot_be_read_is_reported_and_keeps_the_balloon(
    extension: Callable[..., Any], url: Callable[[str], str], address: str
) -> None:
    found = extension(POLLS, {"URL": url(address)})
    assert (found.app.kind, found.app.url) == ("poll", address)
    assert len(found.reports) == 1
    assert found.reports[0].startswith("the poll in payload_data cannot be read: ")


def test_the_latest_row_of_each_participant_counts(vote: Vote) -> None:
    rows = [
        (11, 1, 0, 3, vote("A", "B", by="+3")),
        (12, 2, 1, 3, vote("A", by="+1")),
        (13, 3, 0, 4, vote("A", by="+4")),
        (14, 4, 0, 3, vote("B", by="+3")),
        (15, 5, 0, 4, vote()),
    ]
    result = tally(rows, [{"id": "A", "text": "Soup"}, {"id": "B", "text": "Salad"}, {"id": "C", "text": "Pie"}])
    assert result["basis"] == "latest row of each participant (inferred)"
    assert result["options"] == [
        {"id": "A", "text": "Soup", "votes": 1, "by": ["+1"]},
        {"id": "B", "text": "Salad", "votes": 1, "by": ["+3"]},
        {"id": "C", "text": "Pie", "votes": 0, "by": []},
    ]
    assert [(each["participant"], each["role"], each["options"], each["rowid"]) for each in result["participants"]] == [
        ("+3", "other", ["B"], 14), ("+1", "owner", ["A"], 12), ("+4", "other", [], 15),
    ]  # fmt: skip
    assert [(each["rowid"], each["kind"], each["options"]) for each in result["rows"]] == [
        (11, "vote", ["A", "B"]), (12, "vote", ["A"]), (13, "vote", ["A"]), (14, "vote", ["B"]), (15, "vote", []),
    ]  # fmt: skip


def test_one_person_under_two_handle_rows_votes_once(vote: Vote) -> None:
    result = tally([(1, 1, 0, 3, vote("A", by="+3")), (2, 2, 0, 7, vote()), (3, 3, 0, 7, vote("B", by="+3"))])
    assert [(each["id"], each["votes"]) for each in result["options"]] == [("B", 1)]
    assert [each["options"] for each in result["participants"]] == [["B"]]


def test_a_row_that_names_several_people_counts_for_each(
    archive: Callable[..., bytes], url: Callable[[str], str]
) -> None:
    cast = (("A", "+3"), ("B", "+4"), ("A", "+4"))
    votes = [{"voteOptionIdentifier": option, "participantHandle": by} for option, by in cast]
    result = tally([(1, 1, 0, 3, archive({"URL": url(encoded({"votes": votes}))}))])
    assert [(each["id"], each["by"]) for each in result["options"]] == [("A", ["+3", "+4"]), ("B", ["+4"])]


def test_the_owners_handle_id_is_not_who_voted(vote: Vote) -> None:
    result = tally([(1, 1, 1, 3, vote("A")), (2, 2, 0, 3, vote("B"))])
    assert [(each["participant"], each["handle_rowid"], each["options"]) for each in result["participants"]] == [
        ("owner", None, ["A"]), ("handle_id 3", 3, ["B"]),
    ]  # fmt: skip


def test_a_row_that_adds_options_names_them(
    vote: Vote, archive: Callable[..., bytes], url: Callable[[str], str]
) -> None:
    added = archive({"URL": url(encoded({"title": "Q", "orderedPollOptions": options(A="Soup!", C="Pie")}))})
    result = tally([(5, 1, 0, 3, vote("C", "X", by="+3")), (6, 2, 0, 3, added)], [{"id": "A", "text": "Soup"}])
    assert [(each["id"], each["text"], each["votes"]) for each in result["options"]] == [
        ("A", "Soup!", 0), ("C", "Pie", 1), ("X", None, 1),
    ]  # fmt: skip
    assert result["rows"][1]["kind"] == "options"


def test_a_row_that_cannot_be_read_is_listed_and_changes_nothing(vote: Vote) -> None:
    rows = [(1, 1, 0, 3, vote("A", by="+3")), (2, 2, 0, 3, b"bplist00cut"), (3, None, 0, "x", None)]
    result = tally(rows)
    assert [each["kind"] for each in result["rows"]] == ["vote", "unreadable", "unreadable"]
    assert all(each["reason"] for each in result["rows"][1:])
    assert result["options"] == [{"id": "A", "text": None, "votes": 1, "by": ["+3"]}]


def test_times_are_those_of_the_rows(vote: Vote) -> None:
    rows = [(1, 700_000_000_000_000_000, 0, 3, vote("A")), (2, 700_000_000, 0, 3, vote()), (3, None, 0, 3, vote())]
    assert [each["at"] for each in tally(rows)["rows"]] == ["2023-03-08T20:26:40.000000000Z"] * 2 + [None]


def test_a_poll_without_votes_has_a_result_all_the_same() -> None:
    assert tally([], [{"id": "A", "text": "Soup"}]) == {
        "basis": "latest row of each participant (inferred)",
        "options": [{"id": "A", "text": "Soup", "votes": 0, "by": []}],
        "participants": [],
        "rows": [],
    }


def test_a_flood_of_rows_is_counted_beyond_the_bound(vote: Vote) -> None:
    payload = vote("A")
    result = tally((number, number, 0, number, payload) for number in range(MAX_ROWS + 5))
    assert (len(result["rows"]), result["rows_left_out"]) == (MAX_ROWS, 5)
