"""A poll: its creation, votes, a vote withdrawn, and options added later.

Known from Polls balloons since iOS 26: the app's URL is `data:,` and URL-safe base64 JSON without padding; a vote is a
row of associated_message_type 4000 that carries the voter's whole present choice, an edit a Polls row about the first.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from bagtag.sample_backups.balloons import BALLOON, extension
from bagtag.sample_backups.moments import SECOND
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, OWNER_NUMBER, Handle
from bagtag.sample_backups.story import Said, Story

POLLS = "com.apple.messages.Polls"
VOTE = 4000
OPTIONS = ("Saturday", "Sunday", "Not at all 🙃")


def tell(story: Story) -> None:
    """One poll in the group: it is created, voted on, voted on again, and gets one more option."""
    identifiers = [story.guid() for _ in range(len(OPTIONS) + 1)]
    listed = [_option(each, words, ANN) for each, words in zip(identifiers, OPTIONS, strict=False)]
    poll = _created(story, listed)
    votes: list[tuple[Handle | None, list[str]]] = [
        (BJORN, identifiers[:1]),
        (None, identifiers[:2]),
        (ANN, identifiers[1:2]),
        (BJORN, identifiers[2:3]),
        (ANN, []),
    ]
    for number, (voter, choice) in enumerate(votes):
        _voted(story, poll, voter, choice, f"poll vote {number}")
    added = [*listed, _option(identifiers[-1], "Monday", BJORN)]
    said = _balloon(
        story,
        BJORN,
        {"version": 1, "item": {"title": "Which day?", "creatorHandle": ANN.address, "orderedPollOptions": added}},
        columns={"associated_message_type": BALLOON, "associated_message_guid": poll.guid},
        truth={"type": "app-update", "target": {"guid": poll.guid, "part": None, "found": True}},
        details={"poll": _found("Which day?", added)},
    )
    story.feature(said, "poll edited")
    _voted(story, poll, None, [identifiers[1], identifiers[-1]], "poll vote on the added option")
    latest = {OWNER_NUMBER: [identifiers[1], identifiers[-1]], BJORN.address: identifiers[2:3], ANN.address: []}
    counts = {each: sum(each in choice for choice in latest.values()) for each in identifiers}
    story.messages[poll.guid]["poll"] = {"latest": latest, "votes": counts}


def _option(identifier: str, words: str, creator: Handle) -> dict[str, Any]:
    return {
        "optionIdentifier": identifier,
        "text": words,
        "attributedText": "",
        "creatorHandle": creator.address,
        "canBeEdited": False,
    }


def _found(title: str, options: Sequence[dict[str, Any]]) -> dict[str, Any]:
    told = [{"id": each["optionIdentifier"], "text": each["text"], "by": each["creatorHandle"]} for each in options]
    return {"title": title, "creator": ANN.address, "options": told}


def _created(story: Story, options: Sequence[dict[str, Any]]) -> Said:
    guid = story.guid()
    item = {"title": "Which day?", "creatorHandle": ANN.address, "orderedPollOptions": list(options)}
    said = _balloon(
        story,
        ANN,
        {"version": 1, "item": item},
        columns={"associated_message_type": BALLOON, "associated_message_guid": guid},
        details={"poll": _found("Which day?", options)},
        guid=guid,
    )
    return story.feature(said, "poll created")


def _voted(story: Story, poll: Said, voter: Handle | None, choice: Sequence[str], feature: str) -> None:
    address = voter.address if voter else OWNER_NUMBER
    moment = story.clock / SECOND
    votes = [{"voteOptionIdentifier": each, "participantHandle": address, "serverVoteTime": moment} for each in choice]
    said = _balloon(
        story,
        voter,
        {"version": 1, "item": {"votes": votes}},
        columns={"associated_message_type": VOTE, "associated_message_guid": poll.guid},
        truth={"type": "poll-vote", "target": {"guid": poll.guid, "part": None, "found": True}},
        details={"vote": {"options": list(choice)}},
    )
    story.feature(said, feature)


def _balloon(
    story: Story, sender: Handle | None, content: dict[str, Any], *, details: dict[str, Any], **options: Any
) -> Said:
    spelled = base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False).encode()).rstrip(b"=").decode()
    address = f"data:,{spelled}?src=p&c={len(content['item'])}"
    title = content["item"].get("title")
    return extension(
        story,
        GARDEN,
        sender,
        POLLS,
        "poll",
        name="Polls",
        address=address,
        label="Sent a poll",
        details=details,
        title=title,
        **options,
    )
