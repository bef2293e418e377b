"""Balloons: messages made by an app, with what the app's payload tells in words.

`balloon_bundle_id` is a plain id, or `com.apple.messages.MSMessageExtensionBalloonPlugin:TEAM:bundle`. The payload is a
keyed archive (link previews, extensions) or protobuf (handwriting, Digital Touch); it may be NULL where it was not
synced. Icons and layout blobs are named by their sha256, never kept as text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

import msgspec

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import blob, plain, whole
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.formats.foundation import Url
from bagtag.parsers.messages.body import Report
from bagtag.parsers.records import App, AppKind

_EXTENSION = "com.apple.messages.MSMessageExtensionBalloonPlugin:"
_ARCHIVE = b"bplist00"
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
_CAPTIONS = ("caption", "image-title", "subcaption", "image-subtitle")
_PREVIEW = ("title", "summary", "siteName", "itemType")
_LONGEST_POLL = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Balloon:
    """The app of a row, and the words that stand for it where the app cannot be shown (`fallback`)."""

    app: App
    fallback: str | None


def read(bundle: str | None, payload: bytes | None, report: Report, note: Report) -> Balloon | None:
    """The balloon of a row; None when it has neither a bundle id nor a payload."""
    if not bundle and payload is None:
        return None
    details: dict[str, Any] = {}
    identifier = bundle or None
    if bundle and bundle.startswith(_EXTENSION):
        team, _, identifier = bundle[len(_EXTENSION) :].partition(":")
        details["team_id"] = team
    kind = _kind(identifier, extension=bool(details))
    root = _root(payload, report)
    preview = _preview(root)
    title = url = session = fallback = None
    if preview is not None and kind in ("url", "unknown"):
        kind, title, url = _read_preview(preview, details)
    elif isinstance(root, Mapping):
        title, url, session, fallback = _read_extension(root, details)
        if kind == "poll" and url is not None:
            title = _read_poll(url, details, report) or title
        if kind in ("check-in", "find-my") and url is not None:
            details["query"] = _query(url)
    if kind == "unknown":
        note(f"unknown balloon: {bundle or 'a payload without balloon_bundle_id'}")
    kept = blob(payload) if payload is not None else {}
    app = App(
        bundle_id=identifier,
        kind=kind,
        title=title,
        url=url,
        session=session,
        payload_sha256=kept.get("sha256"),
        payload_size=kept.get("size"),
        details=details,
    )
    return Balloon(app, fallback)


def _kind(identifier: str | None, *, extension: bool) -> AppKind:
    if identifier in _KINDS:
        return _KINDS[identifier]
    if identifier and _GAME in identifier.lower():
        return "game"
    return "generic" if extension else "unknown"


def _root(payload: bytes | None, report: Report) -> Any:
    if payload is None or not payload.startswith(_ARCHIVE):
        return None
    try:
        return keyed_archive.read(payload)
    except MalformedError as trouble:
        report(f"payload_data cannot be read: {trouble}")
        return None


def _preview(root: Any) -> Mapping[str, Any] | None:
    """The LPLinkMetadata of a link preview, wherever its wrapper puts it."""
    for key in ("richLinkMetadata", "metadata"):
        if isinstance(root, Mapping) and isinstance(root.get(key), Mapping):
            inner: Mapping[str, Any] = root[key]
            return _preview(inner) or inner
    return None


def _text(value: Any) -> str | None:
    return whole(value) if isinstance(value, str) and value else None


def _link(value: Any) -> str | None:
    return plain(value) if isinstance(value, Url) else _text(value)


def _read_preview(preview: Mapping[str, Any], details: dict[str, Any]) -> tuple[AppKind, str | None, str | None]:
    """(kind, title, url). Order of detection: collaboration, music, app, place, plain link."""
    for key in _PREVIEW[1:]:
        if _text(preview.get(key)):
            details[key] = _text(preview[key])
    original, final = _link(preview.get("originalURL")), _link(preview.get("URL"))
    if original and final and original != final:
        details["originalURL"] = original
    title, url = _text(preview.get("title")), final or original
    extra = [preview.get(key) for key in ("collaborationMetadata", "specialization", "specialization2")]
    special = [each for each in extra if isinstance(each, Mapping)]
    for each in special:
        kind = _special_kind(each, is_collaboration=each is extra[0])
        if kind is not None:
            details.update((str(key), plain(value)) for key, value in each.items() if not isinstance(value, bytes))
            return kind, title or _text(each.get("title")) or _text(each.get("name")), url
    return "url", title, url


def _special_kind(value: Mapping[str, Any], *, is_collaboration: bool) -> AppKind | None:
    name = str(value.get("$class", ""))
    if is_collaboration or "SharedObject" in name or "CloudSharing" in name or "Collaboration" in name:
        return "collaboration"
    if "Song" in name or "album" in value:
        return "music"
    if "Software" in name or "platform" in value:
        return "app-store"
    return "place" if "Map" in name or "addressComponents" in value else None


def _read_extension(
    root: Mapping[Any, Any], details: dict[str, Any]
) -> tuple[str | None, str | None, str | None, str | None]:
    """(title, url, session, fallback) of an extension's root dictionary; its other words go to `details`."""
    captions = root.get("userInfo")
    captions = captions if isinstance(captions, Mapping) else {}
    for key in sorted(key for key in root if isinstance(key, str)):
        if key not in ("URL", "sessionIdentifier", "userInfo"):
            details[whole(key)] = plain(root[key])
    words = {whole(str(key)): plain(value) for key, value in sorted(captions.items(), key=lambda each: str(each[0]))}
    if words:
        details["userInfo"] = {key: value for key, value in words.items() if value != ""}
    caption = next(filter(None, (_text(captions.get(key)) for key in _CAPTIONS)), None)
    fallback = _text(root.get("ldtext"))
    title = caption or fallback or _text(root.get("an"))
    return title, _link(root.get("URL")), _text(root.get("sessionIdentifier")), fallback or caption


def _query(url: str) -> dict[str, str]:
    """The query items of an app's URL, empty where it is no URL."""
    try:
        return {whole(key): whole(value) for key, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        return {}


def _read_poll(url: str, details: dict[str, Any], report: Report) -> str | None:
    """The title of a poll; its options and votes go to `details`. The URL is `data:,` and base64 JSON, unpadded."""
    encoded = url.partition(",")[2].partition("?")[0][:_LONGEST_POLL]
    try:
        padded = unquote_to_bytes(encoded)
        padded += b"=" * (-len(padded) % 4)
        item = msgspec.json.decode(base64.urlsafe_b64decode(padded)).get("item")
    except (binascii.Error, msgspec.DecodeError, AttributeError, UnicodeError) as trouble:
        report(f"the poll in payload_data cannot be read: {trouble}")
        return None
    details["poll"] = plain(item)
    return _text(item.get("title")) if isinstance(item, Mapping) else None
