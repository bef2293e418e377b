"""Balloons: messages made by an app, with what the app's payload tells in words.

`balloon_bundle_id` is a plain id, or `com.apple.messages.MSMessageExtensionBalloonPlugin:TEAM:bundle`; a link preview
may have none. The payload is a keyed archive (link previews, extensions) or a protobuf (handwriting, Digital Touch); it
may be NULL where it was not synced. Icons and layout blobs are named by their sha256, never kept as text.

An app's facts stand in `details` under the app's kind (`details["music"]`, `details["check-in"]`); `poll` and `vote`,
and of drawings `svg`, stand there themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.binary_plist import MAGIC
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import blob
from bagtag.parsers.formats import keyed_archive, protobuf
from bagtag.parsers.messages.apps import (
    apple_cash,
    business,
    check_in,
    digital_touch,
    extension,
    find_my,
    handwriting,
    link_preview,
    poll,
)
from bagtag.parsers.messages.apps.extension import Extension
from bagtag.parsers.messages.apps.kept import Allowance, present, unknown
from bagtag.parsers.messages.apps.query import query
from bagtag.parsers.messages.body import Report
from bagtag.parsers.records import App, AppKind

_EXTENSION = "com.apple.messages.MSMessageExtensionBalloonPlugin:"
_KINDS: dict[str, AppKind] = {
    "com.apple.messages.URLBalloonProvider": "url",
    "com.apple.Handwriting.HandwritingProvider": "handwriting",
    "com.apple.DigitalTouchBalloonProvider": "digital-touch",
    "com.apple.PassbookUIService.PeerPaymentMessagesExtension": "apple-cash",
    "com.apple.ActivityMessagesApp.MessagesExtension": "fitness",
    "com.apple.mobileslideshow.PhotosMessagesApp": "slideshow",
    "com.apple.SafetyMonitorApp.SafetyMonitorMessages": "check-in",
    "com.apple.findmy.FindMyMessagesApp": "find-my",
    "com.apple.icloud.apps.messages.business.extension": "business",
    "com.apple.messages.Polls": "poll",
}
_GAME = "gamepigeon"
_DRAWINGS: dict[AppKind, Callable[[bytes], handwriting.Handwriting | digital_touch.DigitalTouch]] = {
    "handwriting": handwriting.read,
    "digital-touch": digital_touch.read,
}


@dataclass(frozen=True, slots=True)
class Balloon:
    """The app of a row, and the words that stand for it where the app cannot be shown (`fallback`)."""

    app: App
    fallback: str | None


@dataclass(slots=True)
class _Told:
    """What the payload says."""

    kind: AppKind
    details: dict[str, Any]
    title: str | None = None
    url: str | None = None
    session: str | None = None
    fallback: str | None = None


def read(bundle: str | None, payload: bytes | None, report: Report, note: Report) -> Balloon | None:
    """The balloon of a row; None when it has neither a bundle id nor a payload.

    A payload that cannot be read is reported, and costs what it would have told; unknown balloons are noted.
    """
    if not bundle and payload is None:
        return None
    team, identifier = _identity(bundle or None)
    told = _Told(_kind(identifier, extension=team is not None), {} if team is None else {"team_id": team})
    if payload is not None:
        try:
            _read_payload(payload, told, report, note)
        except MalformedError as trouble:
            report(f"payload_data cannot be read: {trouble}")
    if told.kind == "unknown":
        note(f"unknown balloon: {bundle or 'a payload without balloon_bundle_id'}")
    kept = blob(payload) if payload is not None else {}
    app = App(
        bundle_id=identifier,
        kind=told.kind,
        title=told.title,
        url=told.url,
        session=told.session,
        payload_sha256=kept.get("sha256"),
        payload_size=kept.get("size"),
        details=told.details,
    )
    return Balloon(app, told.fallback)


def _identity(bundle: str | None) -> tuple[str | None, str | None]:
    """(team, bundle id); the team is None where the id is not that of an extension."""
    if bundle is None or not bundle.startswith(_EXTENSION):
        return None, bundle
    team, _, identifier = bundle[len(_EXTENSION) :].partition(":")
    return team, identifier


def _kind(identifier: str | None, *, extension: bool) -> AppKind:
    if identifier in _KINDS:
        return _KINDS[identifier]
    if identifier and _GAME in identifier.lower():
        return "game"
    return "generic" if extension else "unknown"


def _read_payload(payload: bytes, told: _Told, report: Report, note: Report) -> None:
    if not payload.startswith(MAGIC):
        _read_protobuf(payload, told, report, note)
        return
    root = _root(payload)
    allowance = Allowance()
    page = link_preview.metadata(root)
    if page is not None and told.kind in ("url", "unknown") and isinstance(root, Mapping):
        preview = link_preview.read(root, page, allowance)
        told.kind, told.title, told.url = preview.kind, preview.title, preview.url
        told.details |= preview.details
    elif isinstance(root, Mapping):
        _read_extension(extension.read(root, allowance), told, allowance, report)
    else:
        told.details["payload"] = allowance.kept(root)
    if allowance.exhausted:
        report("payload_data expands to more than is kept: details are cut")


def _root(payload: bytes) -> Any:
    """The root of a keyed archive; a property list that is none stands for itself."""
    try:
        return keyed_archive.read(payload)
    except MalformedError:
        plain = binary_plist.read(payload)
        if isinstance(plain, dict) and "$objects" in plain:
            raise
        return plain


def _read_protobuf(payload: bytes, told: _Told, report: Report, note: Report) -> None:
    reader = _DRAWINGS.get(told.kind)
    if reader is None:
        told.details |= present(unknown=unknown(protobuf.fields(payload)))
        return
    drawing = reader(payload)
    told.details |= drawing.details()
    for warning in drawing.warnings:
        report(f"payload_data: {warning}")
    for oddity in drawing.oddities:
        note(f"payload_data: {oddity}")


def _read_extension(found: Extension, told: _Told, allowance: Allowance, report: Report) -> None:
    told.title, told.url, told.session = found.title, found.url, found.session
    told.fallback = found.label or found.caption
    told.details |= found.details
    match told.kind:
        case "poll":
            _read_poll(found.url, told, allowance, report)
        case "business":
            told.details["business"] = business.details(found, allowance, report)
        case "check-in":
            told.details["check-in"] = check_in.details(found, allowance)
        case "find-my":
            told.details["find-my"] = find_my.details(found, allowance)
        case "apple-cash":
            told.details["apple-cash"] = apple_cash.details(found, allowance)
        case "game":
            told.details["game"] = {"query": allowance.kept(query(found.url or ""))}
        case _:
            pairs = query(found.url or "")
            if pairs:
                told.details["query"] = allowance.kept(pairs)


def _read_poll(url: str | None, told: _Told, allowance: Allowance, report: Report) -> None:
    if url is None:
        return
    try:
        content = poll.item(url)
        if "votes" in content:
            told.details["vote"] = poll.vote(content, allowance)
        else:
            told.details["poll"] = poll.poll(content, url, allowance)
            told.title = told.details["poll"]["title"] or told.title
    except MalformedError as trouble:
        report(f"the poll in payload_data cannot be read: {trouble}")
