"""The lists of the report: issues, files, traces, contacts, drafts and settings, cut into pages of 1,000 rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bagtag.extract.evidence import Provenance
from bagtag.parsers.companion_records import Draft, MessageSetting
from bagtag.parsers.records import Contact, DeletionTrace, IssueRecord
from bagtag.reports.html import conversation, page
from bagtag.reports.html.reading_order import ReadingOrder
from bagtag.reports.html.values import flat
from bagtag.reports.html.wording import EFFECTS, LOSSES, OUTCOMES, STALE, TRACES

_LED = 20


class _Content(msgspec.Struct):
    size: int | None = None
    sha256: str | None = None


class _Stored(msgspec.Struct):
    path: str | None = None
    size: int | None = None
    sha256: str | None = None


class FileLine(msgspec.Struct):
    """What the report needs of an inventory line; a line out of scope has its fileID and outcome alone."""

    file_id: str | None
    outcome: str
    domain: str | None = None
    relative_path: str | None = None
    findings: list[str] = []
    stored: _Stored | None = None
    plain: _Content | None = None
    bag_path: str | None = None
    name_changed: bool | None = None


@dataclass(slots=True)
class Tally:
    """Counts over the inventory. `size` is the bytes of content per outcome; `listed` the lines shown one by one."""

    files: Counter[str] = field(default_factory=Counter)
    size: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    renamed: int = 0
    listed: int = 0

    @property
    def outcomes(self) -> list[tuple[str, str, int, int]]:
        """Outcome, its meaning, files, bytes: in the order of the contract, unknown ones last."""
        known = [name for name in OUTCOMES if name in self.files]
        others = sorted(set(self.files) - set(OUTCOMES))
        return [(name, OUTCOMES.get(name, ""), self.files[name], self.size[name]) for name in [*known, *others]]


def tally(pages: page.Pages) -> Tally:
    """One pass over the inventory."""
    found = Tally()
    for line in page.lines(pages.bundle.inventory, FileLine):
        found.files[line.outcome] += 1
        found.size[line.outcome] += (line.plain.size or 0) if line.plain else 0
        found.findings.update(line.findings)
        found.renamed += line.name_changed is True
        found.listed += _worth_listing(line)
    return found


def files(pages: page.Pages, counts: Tally) -> None:
    """files.html: counts per outcome, then every file that was lost, damaged or contradicts itself."""
    rows = (line for line in page.lines(pages.bundle.inventory, FileLine) if _worth_listing(line))
    pages.listing("files.html", "files.html", rows, counts.listed, counts=counts, meanings=OUTCOMES)


def _worth_listing(line: FileLine) -> bool:
    return line.outcome in LOSSES or line.outcome not in OUTCOMES or not STALE.issuperset(line.findings)


def issues(pages: page.Pages, order: ReadingOrder) -> tuple[Counter[str], list[tuple[int, IssueRecord]]]:
    """issues.html, the worst first. Gives counts per effect and the first lost and partial ones with their numbers."""
    path = pages.bundle.records / "issues.jsonl"
    counts = Counter[str]()
    led: list[tuple[int, IssueRecord]] = []
    for number, issue in enumerate(page.lines(path, IssueRecord), start=1):
        counts[issue.effect] += 1
        if issue.effect in {"lost", "partial"}:
            led.append((number, issue))
            led.sort(key=lambda pair: (list(EFFECTS).index(pair[1].effect), pair[0]))
            del led[_LED:]

    def ordered() -> Iterator[tuple[int, IssueRecord]]:
        for effect in EFFECTS:
            for number, issue in enumerate(page.lines(path, IssueRecord), start=1):
                if issue.effect == effect:
                    yield number, issue

    def prepare(batch: list[tuple[int, IssueRecord]]) -> list[Any]:
        ids = {number: _record_id(issue.where) for number, issue in batch}
        places = order.by_id(one for one in ids.values() if one)
        return [
            (number, issue, conversation.href(places[one]) if (one := ids[number]) in places else None)
            for number, issue in batch
        ]

    pages.listing(
        "issues.html", "issues.html", ordered(), counts.total(), prepare=prepare, counts=counts, effects=EFFECTS
    )
    return counts, led


def _record_id(where: Provenance | None) -> str | None:
    """The id that a message record of this row has (public contract, records)."""
    if where is None or where.table != "message" or where.rowid is None:
        return None
    origin = where.file_id or where.sha256 or ""
    return f"message/{origin[:8]}/message/{where.rowid}"


def traces(pages: page.Pages) -> int:
    """deletion-traces.html. Gives their number."""
    path = pages.bundle.records / "deletion_traces.jsonl"
    total = page.count(path)

    def prepare(batch: list[DeletionTrace]) -> list[Any]:
        return [
            (
                trace,
                [flat(neighbour) for neighbour in trace.neighbours],
                [flat(chat) for chat in trace.chats],
                [pages.clock.stamp(date) for date in trace.dates],
            )
            for trace in batch
        ]

    rows = page.lines(path, DeletionTrace)
    pages.listing("deletion-traces.html", "traces.html", rows, total, prepare=prepare, meanings=TRACES)
    return total


def contacts(pages: page.Pages) -> int:
    """contacts.html: the cards as they stand in the backup. Gives their number."""
    path = pages.bundle.records / "contacts.jsonl"
    total = page.count(path)

    def prepare(batch: list[Contact]) -> list[Any]:
        return [
            (card, _lines(card), pages.clock.stamp(card.created_at), pages.clock.stamp(card.modified_at))
            for card in batch
        ]

    pages.listing("contacts.html", "contacts.html", page.lines(path, Contact), total, prepare=prepare)
    return total


def drafts(pages: page.Pages) -> int:
    """drafts.html: what was typed and not sent. Gives their number."""
    path = pages.bundle.records / "drafts.jsonl"
    total = page.count(path)

    def prepare(batch: list[Draft]) -> list[Any]:
        return [(draft, pages.clock.stamp(draft.modified_at), flat(draft.raw) if draft.raw else []) for draft in batch]

    pages.listing("drafts.html", "drafts.html", page.lines(path, Draft), total, prepare=prepare)
    return total


def settings(pages: page.Pages) -> int:
    """settings.html: the settings of Messages under Apple's keys. Gives their number."""
    path = pages.bundle.records / "message_settings.jsonl"
    total = page.count(path)

    def prepare(batch: list[MessageSetting]) -> list[Any]:
        return [(setting, flat({"value": setting.value})) for setting in batch]

    pages.listing("settings.html", "settings.html", page.lines(path, MessageSetting), total, prepare=prepare)
    return total


def _lines(card: Contact) -> list[tuple[str, str, str]]:
    """Kind, label and value of everything on a card."""
    named = (
        ("first name", card.first),
        ("middle name", card.middle),
        ("last name", card.last),
        ("prefix", card.prefix),
        ("suffix", card.suffix),
        ("nickname", card.nickname),
        ("organization", card.organization),
        ("department", card.department),
        ("job title", card.job_title),
        ("note", card.note),
    )
    shown = [(kind, "", value) for kind, value in named if value]
    for kind, values in (("telephone", card.phones), ("e-mail", card.emails), *card.others.items()):
        shown += [(kind, value.label or "", value.value or "") for value in values]
    return shown
