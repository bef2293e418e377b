"""What was written: the parts of a message in their order, with formatting, edits and what is gone.

Formatting ranges count code points of their part (attributedBody, Apple's NSAttributedString). A link whose target is
not what the text says is printed beside it: text that names one address and points to another must not deceive.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from bagtag.parsers.records import App, Edit, Message, Part, Range
from bagtag.reports.html import characters, media
from bagtag.reports.html.clock import Clock, Stamp
from bagtag.reports.html.values import flat
from bagtag.reports.html.wording import APPS

_TAGS = {"bold": "b", "italic": "i", "underline": "u", "strikethrough": "s"}


@dataclass(frozen=True, slots=True)
class Wording:
    """One version of an edited part, oldest first."""

    label: str
    text: Markup
    at: Stamp | None


@dataclass(frozen=True, slots=True)
class AppShown:
    """An app balloon. Its address is shown as text and never linked. `drawing` is a picture that we made of it."""

    kind: str
    title: str | None
    url: str | None
    bundle_id: str | None
    details: list[tuple[str, str]]
    drawing: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One thing in a bubble; only what its kind needs is set."""

    kind: Literal["text", "attachment", "app", "gone"]
    text: Markup = field(default_factory=Markup)
    attachment: media.Shown | None = None
    app: AppShown | None = None
    wordings: list[Wording] = field(default_factory=list)


def blocks(message: Message, clock: Clock) -> list[Block]:
    """The content of a message in the order of its parts, then whatever no part names."""
    if len(message.parts) == 1 and message.parts[0].kind == "text" and not (message.edits or message.attachments):
        first = message.parts[0]  # the common case
        found = [Block("text", text=_formatted(first.text or "", first.ranges))] if first.text else []
        return [*found, Block("app", app=_app(message.app))] if message.app else found
    return list(_blocks(message, clock))


def _blocks(message: Message, clock: Clock) -> Iterator[Block]:
    rest = {attachment.rowid: attachment for attachment in message.attachments}
    edits: dict[int, list[Edit]] = {}
    for edit in message.edits:
        edits.setdefault(edit.part, []).append(edit)
    app = message.app
    for part in message.parts:
        wordings = _wordings(edits.pop(part.index, []), clock)
        if part.kind in {"attachment", "sticker"}:
            named = [row for row in rest.values() if _belongs(row.guid, row.part, part)]
            for attachment in named:
                yield Block("attachment", attachment=media.shown(rest.pop(attachment.rowid)))
            if not named:
                yield Block("gone", text=Markup("An attachment stood here; no attachment row names it."))
        elif part.kind == "app":
            if part.text:
                yield Block("text", text=_formatted(part.text, part.ranges))
            if app is not None:
                yield Block("app", app=_app(app))
                app = None
        elif part.kind == "unsent":
            yield Block("gone", text=Markup("Unsent: this part was taken back by its sender."), wordings=wordings)
            wordings = []
        elif part.kind == "deleted":
            yield Block("gone", text=Markup("Deleted: this part was removed on the device."), wordings=wordings)
            wordings = []
        elif part.text:
            yield Block("text", text=_formatted(part.text, part.ranges), wordings=wordings)
            wordings = []
        if wordings:
            yield Block("text", wordings=wordings)
    if not message.parts and message.text:
        yield Block("text", text=characters.block(message.text))
    if app is not None:
        yield Block("app", app=_app(app))
    for attachment in rest.values():
        yield Block("attachment", attachment=media.shown(attachment))
    for left in edits.values():
        yield Block("gone", text=Markup("Wordings of a part that is no longer there:"), wordings=_wordings(left, clock))


def _belongs(guid: str | None, index: int | None, part: Part) -> bool:
    return guid == part.attachment if part.attachment is not None else index == part.index


def _wordings(edits: list[Edit], clock: Clock) -> list[Wording]:
    shown: list[Wording] = []
    for number, edit in enumerate(edits, start=1):
        label = f"Wording {number}"
        if edit.original:
            label += ", original"
        if number == len(edits) and number > 1:
            label += ", last"
        text = Markup("<em>empty</em>") if not edit.text else characters.block(edit.text)
        shown.append(Wording(label, text, clock.stamp(edit.at)))
    return shown


def _app(app: App) -> AppShown:
    details = {key: value for key, value in app.details.items() if key != "svg"}
    return AppShown(
        APPS[app.kind],
        app.title,
        app.url,
        app.bundle_id,
        flat(details) if details else [],
        _drawing(app.details.get("svg")),
    )


def _drawing(svg: object) -> str | None:
    """The drawing as an address for <img>, which runs nothing, whatever is in it."""
    if not isinstance(svg, str):
        return None
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _formatted(text: str, ranges: list[Range]) -> Markup:
    worth = [found for found in ranges if found.style or found.effect or found.mention or found.link]
    if not worth:
        return characters.block(text)
    return Markup("").join(_stretches(text, worth))


def _stretches(text: str, ranges: list[Range]) -> Iterator[Markup]:
    """Stretches between the ends of ranges. Ranges may overlap or reach too far: the evidence says what it says."""
    starts: dict[int, list[Range]] = {}
    ends: dict[int, list[Range]] = {}
    for found in ranges:
        first, last = max(0, found.start), min(len(text), found.start + found.length)
        if first < last:
            starts.setdefault(first, []).append(found)
            ends.setdefault(last, []).append(found)
    cuts = sorted({0, len(text), *starts, *ends})
    active: list[Range] = []
    for cut, following in zip(cuts, [*cuts[1:], len(text)], strict=True):
        closing = ends.get(cut, [])
        for closed in closing:
            active.remove(closed)
        yield from (_after(closed, text) for closed in closing)
        active += starts.get(cut, [])
        if cut < following:
            yield _styled(characters.block(text[cut:following]), active)


def _styled(text: Markup, active: list[Range]) -> Markup:
    tags = sorted({_TAGS[style] for found in active for style in found.style})
    if any(found.mention for found in active):
        tags.append("mark")
    for tag in tags:
        text = Markup("<{0}>{1}</{0}>").format(Markup(tag), text)  # noqa: S704 - a tag of this module
    return text


def _after(found: Range, text: str) -> Markup:
    """What a range says beyond its look, printed behind it."""
    said: list[str] = []
    if found.mention:
        said.append(f"mention of {found.mention}")
    if found.effect:
        said.append(f"text effect: {found.effect}")
    if found.link and found.link != text[max(0, found.start) : found.start + found.length]:
        said.append(f"link: {found.link}")
    return Markup("").join(Markup(' <span class="aside">[{}]</span>').format(characters.line(one)) for one in said)
