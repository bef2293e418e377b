"""Polls (iOS 26): a question, its options, and the rows in which people vote.

The extension's URL is `data:,` and JSON in URL-safe Base64, often without padding, with `?src=p&c=N` behind it. A poll
is {item: {title, creatorHandle, orderedPollOptions}}, a vote {item: {votes}}: each vote row carries the voter's whole
choice, so that taking a vote back is a row without it. That the latest row counts is inferred from this. Options added
later come in a further row of the poll's own form. What unit `serverVoteTime` has is not known.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import integer, whole
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.messages.apps.extension import link
from bagtag.parsers.messages.apps.kept import MAX_JSON, Allowance, mapping, of_json, present, sequence
from bagtag.parsers.messages.apps.query import query
from bagtag.parsers.messages.moments import moment

BASIS = "latest row of each participant (inferred)"
MAX_ENTRIES = 10_000
"""Options or votes of one row."""
MAX_ROWS = 2_000
"""Of one poll; further rows are counted, and remain records of their own."""

_OPTION = {
    "optionIdentifier": "id", "text": "text", "creatorHandle": "by", "canBeEdited": "can_be_edited",
    "attributedText": "attributed_text",
}  # fmt: skip
_VOTE = {"voteOptionIdentifier": "option", "participantHandle": "by", "serverVoteTime": "server_vote_time"}
_ITEM = frozenset({"title", "creatorHandle", "orderedPollOptions", "votes"})


def item(url: str) -> Mapping[Any, Any]:
    """The `item` of a poll's or a vote's URL. Raises `MalformedError`."""
    encoded = unquote_to_bytes(url.partition(",")[2].partition("?")[0][: 2 * MAX_JSON])
    encoded = encoded.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        decoded = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except ValueError as trouble:
        raise MalformedError("no Base64") from trouble
    found = mapping(of_json(decoded)).get("item")
    if not isinstance(found, Mapping):
        raise MalformedError("JSON without an item")
    return found


def poll(content: Mapping[Any, Any], url: str, allowance: Allowance) -> dict[str, Any]:
    """`title`, `creator` and `options` [{id, text, by}] of a poll's item. Raises `MalformedError`."""
    listed = [allowance.renamed(mapping(each), _OPTION) for each in _entries(content, "orderedPollOptions")]
    return {
        "title": allowance.text(content.get("title")),
        "creator": allowance.text(content.get("creatorHandle")),
        "options": listed,
        **present(query=allowance.kept(query(url)), more=_more(content, allowance)),
    }


def vote(content: Mapping[Any, Any], allowance: Allowance) -> dict[str, Any]:
    """`options`, the identifiers this row chooses, and the row's `votes` as they are. Raises `MalformedError`."""
    votes = [allowance.renamed(mapping(each), _VOTE) for each in _entries(content, "votes")]
    return {
        "options": list(dict.fromkeys(each["option"] for each in votes if isinstance(each.get("option"), str))),
        "votes": votes,
        **present(more=_more(content, allowance)),
    }


def _entries(content: Mapping[Any, Any], name: str) -> list[Any]:
    entries = sequence(content.get(name))
    if len(entries) > MAX_ENTRIES:
        raise MalformedError(f"{len(entries)} {name}")
    return entries


def _more(content: Mapping[Any, Any], allowance: Allowance) -> Any:
    return allowance.kept({key: value for key, value in content.items() if key not in _ITEM and value is not None})


@dataclass(slots=True, eq=False)
class _Participant:
    """Someone who voted, under all the names that rows show to be the same: `into` once merged with another."""

    role: str
    handle_rowid: int | None
    handles: dict[str, None] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    rowid: int = 0
    into: _Participant | None = None

    def choose(self, options: list[str], rowid: int) -> None:
        """A row with the whole choice takes the place of the one before."""
        self.options, self.rowid = options, rowid

    def label(self) -> str:
        """The handle the votes name, else who the row is from."""
        return next(iter(self.handles), self.role if self.role == "owner" else f"handle_id {self.handle_rowid}")

    def described(self) -> dict[str, Any]:
        """The participant with the choice of the latest row."""
        return {
            "participant": self.label(), "role": self.role, "handle_rowid": self.handle_rowid,
            "handles": list(self.handles), "options": self.options, "rowid": self.rowid,
        }  # fmt: skip


def tally(rows: Iterable[Sequence[Any]], options: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What a poll came to: `details.poll.result`.

    `rows` are (rowid, date, is_from_me, handle_id, payload_data) of the poll's votes and of the rows that add options,
    in the order of their time; `options` are those in `details.poll` of the poll itself. The result lists each option
    with its votes, each participant with the choice that counts, and every row. A row that cannot be read is listed
    with the reason and changes nothing. Never raises for what a payload holds.
    """
    return _Tally(options).of(rows)


class _Tally:
    def __init__(self, options: Sequence[Mapping[str, Any]]) -> None:
        self.texts: dict[str, str | None] = {}
        self.by: dict[tuple[str, Any], _Participant] = {}
        self.everyone: list[_Participant] = []
        self.allowance = Allowance()
        self.add_options(options)

    def add_options(self, options: Sequence[Mapping[str, Any]]) -> None:
        for each in options:
            identifier, text = each.get("id"), each.get("text")
            if isinstance(identifier, str):
                self.texts[identifier] = text if isinstance(text, str) else self.texts.get(identifier)

    def of(self, rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
        listed: list[dict[str, Any]] = []
        left_out = 0
        for row in rows:
            if len(listed) == MAX_ROWS:
                left_out += 1
            else:
                listed.append(self.row(*row[:5]))
        present_ones = [each for each in self.everyone if each.into is None]
        chosen = list(dict.fromkeys([*self.texts, *(option for each in present_ones for option in each.options)]))
        return {
            "basis": BASIS,
            "options": [
                {"id": option, "text": self.texts.get(option), "votes": len(voters), "by": voters}
                for option in chosen
                for voters in [[each.label() for each in present_ones if option in each.options]]
            ],
            "participants": [each.described() for each in present_ones],
            "rows": listed,
            **({"rows_left_out": left_out} if left_out else {}),
            **({"incomplete": "the payloads hold more than is kept"} if self.allowance.exhausted else {}),
        }

    def row(self, rowid: int, date: Any, is_from_me: Any, handle_id: Any, payload: Any) -> dict[str, Any]:
        role, handle = ("owner", None) if is_from_me == 1 else ("other", integer(handle_id))
        told: dict[str, Any] = {"rowid": rowid, "at": moment(date)[0], "role": role, "handle_rowid": handle}
        try:
            url = link(mapping(keyed_archive.read(payload if isinstance(payload, bytes) else b"")).get("URL")) or ""
            content = item(url)
            if "votes" not in content:
                listed = poll(content, "", self.allowance)["options"]
                self.add_options(listed)
                return {**told, "kind": "options", "options": [each["id"] for each in listed if "id" in each]}
            cast = vote(content, self.allowance)
        except MalformedError as trouble:
            return {**told, "kind": "unreadable", "reason": str(trouble)}
        named: dict[str, list[str]] = {}
        for each in cast["votes"]:
            if isinstance(each.get("by"), str) and isinstance(each.get("option"), str):
                named.setdefault(each["by"], []).append(each["option"])
        if len(named) > 1:  # not seen in real payloads: each name stands for itself
            for name, chosen in named.items():
                self.one([("named", name)], role, handle).choose(list(dict.fromkeys(chosen)), rowid)
        else:
            keys = [("from", (role, handle)), *(("named", name) for name in named)]
            self.one(keys, role, handle).choose(cast["options"], rowid)
        return {**told, "kind": "vote", "handles": [whole(name) for name in named], "options": cast["options"]}

    def one(self, keys: list[tuple[str, Any]], role: str, handle: int | None) -> _Participant:
        """The participant that these keys mean; participants that they show to be one become one."""
        found = [participant for key in keys if (participant := self.known(key)) is not None]
        one = found[0] if found else _Participant(role, handle)
        if not found:
            self.everyone.append(one)
        for other in found[1:]:
            if other is not one:
                one.handles.update(other.handles)
                other.into = one
        for key in keys:
            self.by[key] = one
            if key[0] == "named":
                one.handles[key[1]] = None
        return one

    def known(self, key: tuple[str, Any]) -> _Participant | None:
        found = self.by.get(key)
        while found is not None and found.into is not None:
            found = found.into
        return found
