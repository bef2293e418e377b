"""Link previews: what the sender's device found behind an address, as LPLinkMetadata.

The archive's root holds it under `richLinkMetadata` or, in an LPSharingMetadataWrapper, under `metadata`. Pictures are
files of the message: `richLinkImageAttachmentSubstituteIndex` says which `.pluginPayloadAttachment`. A shared document,
song, app or place has an object of its own beside the page's title. Known from real payloads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagtag.parsers.cells import whole
from bagtag.parsers.formats.keyed_archive import CLASS
from bagtag.parsers.messages.apps.extension import link
from bagtag.parsers.messages.apps.kept import Allowance, mapping, present, sequence
from bagtag.parsers.messages.apps.query import query, single
from bagtag.parsers.records import AppKind

_PAGE = {"summary": "summary", "siteName": "site_name", "itemType": "item_type"}
_PICTURES = ("image", "images", "alternateImages", "icon", "icons", "video", "videos", "screenshots")
_DESCRIBED = {"image": "imageMetadata", "icon": "iconMetadata", "video": "videoMetadata"}
_SPECIAL = ("collaborationMetadata", "specialization", "specialization2")
_APART = frozenset({"title", "URL", "originalURL", *_PAGE, *_PICTURES, *_DESCRIBED.values(), *_SPECIAL})
_SUBSTITUTE = "AttachmentSubstituteIndex"
_MOST_PICTURES = 100
_MUSIC = {
    "name": "name", "artist": "artist", "album": "album", "previewURL": "preview_url", "storeIdentifier": "store_id",
}  # fmt: skip
_SOFTWARE = {"name": "name", "subtitle": "subtitle", "platform": "platform", "genre": "genre"}
_PLACE = {"name": "name", "address": "address", "distance": "distance"}
_ADDRESS = {
    "_street": "street", "_subLocality": "sub_locality", "_city": "city",
    "_subAdministrativeArea": "sub_administrative_area", "_state": "state", "_postalCode": "postal_code",
    "_country": "country", "_ISOCountryCode": "iso_country_code",
}  # fmt: skip
_COLLABORATION = {
    "application": "application", "title": "title", "collaborationIdentifier": "identifier",
    "creationDate": "created_at",
}  # fmt: skip
_MUSIC_CLASS = re.compile("iTunesMedia(Song|Album|Artist|Playlist|MusicVideo)")
_COORDINATES = re.compile(r"(-?\d{1,2}(?:\.\d{1,20})?),(-?\d{1,3}(?:\.\d{1,20})?)")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a link preview shows."""

    kind: AppKind
    title: str | None
    url: str | None
    details: dict[str, Any]


def metadata(root: Any) -> Mapping[Any, Any] | None:
    """The LPLinkMetadata of an archive's root, wherever its wrappers put it; None if this is no link preview."""
    found: Mapping[Any, Any] | None = None
    while isinstance(root, Mapping):
        root = next((root[key] for key in ("richLinkMetadata", "metadata") if isinstance(root.get(key), Mapping)), None)
        found = found if root is None else root
    return found


def read(root: Mapping[Any, Any], page: Mapping[Any, Any], allowance: Allowance) -> Preview:
    """The preview of a page, the `metadata` of that root."""
    original, final = link(page.get("originalURL")), link(page.get("URL"))
    url = final or original
    shown = {key: page[key] for key in page if key in _PAGE or key not in _APART}
    details = allowance.renamed(shown, _PAGE)
    details.update(
        present(
            original_url=original if final and original != final else None,
            images=_pictures(page, allowance),
            placeholder=True if root.get("richLinkIsPlaceholder") is True else None,
            has_completed_fetch=root.get("hasCompletedFetch")
            if isinstance(root.get("hasCompletedFetch"), bool)
            else None,
        )
    )
    kind, facts = _special(page, url, allowance)
    if facts:
        details[kind if kind != "url" else "specializations"] = facts
    title = allowance.text(page.get("title"))
    for key in ("title", "name"):
        title = title or next((word for each in _SPECIAL if (word := _word(mapping(page.get(each)).get(key)))), None)
    return Preview(kind, title, url, details)


def _word(value: Any) -> str | None:
    return whole(value) if isinstance(value, str) and value else None


def _special(page: Mapping[Any, Any], url: str | None, allowance: Allowance) -> tuple[AppKind, Any]:
    """(kind, its facts), looked for in this order: collaboration, music, app, place; of a plain page what is left."""
    collaboration = mapping(page.get("collaborationMetadata"))
    others = [found for key in _SPECIAL[1:] if (found := mapping(page.get(key)))]
    shared = [each for each in others if _is(each, "SharedObject", "CloudSharing", "Collaboration")]
    if collaboration or shared:
        return "collaboration", _collaboration([*([collaboration] if collaboration else []), *shared], allowance)
    for each in others:
        if _MUSIC_CLASS.search(str(each.get(CLASS, ""))) or "album" in each:
            return "music", _music(each, allowance)
    for each in others:
        if _is(each, "Software") or "platform" in each:
            facts = {key: value for key, value in each.items() if key not in _PICTURES}
            told = allowance.renamed(facts, _SOFTWARE)
            return "app-store", {**told, **present(images=_pictures(each, allowance))}
    for each in others:
        if _is(each, "LPMap") or "addressComponents" in each:
            return "place", _place(each, url, allowance)
    return "url", [allowance.kept(each) for each in others]


def _is(special: Mapping[Any, Any], *words: str) -> bool:
    name = str(special.get(CLASS, ""))
    return any(word in name for word in words)


def _collaboration(found: list[Mapping[Any, Any]], allowance: Allowance) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for each in found:
        told = allowance.renamed(each, _COLLABORATION)
        container = mapping(mapping(each.get("containerSetupInfo")).get("containerID")).get("ContainerIdentifier")
        told.update(present(container=allowance.text(container)))
        more = {**told.pop("more", {}), **facts.pop("more", {})}
        facts = {**told, **facts}
        if more:
            facts["more"] = more
    return facts


def _music(song: Mapping[Any, Any], allowance: Allowance) -> dict[str, Any]:
    lyrics = mapping(song.get("lyricExcerpt"))
    told = allowance.renamed({key: song[key] for key in song if key != "lyricExcerpt"}, _MUSIC)
    excerpt = present(
        lyrics=allowance.text(lyrics.get("lyrics")),
        lyrics_start=_seconds(lyrics.get("startTime")),
        lyrics_end=_seconds(lyrics.get("endTime")),
    )
    return {**told, **excerpt}


def _seconds(value: Any) -> int | float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**9
    return value if known else None


def _place(place: Mapping[Any, Any], url: str | None, allowance: Allowance) -> dict[str, Any]:
    told = allowance.renamed({key: place[key] for key in place if key != "addressComponents"}, _PLACE)
    told.update(allowance.renamed(mapping(place.get("addressComponents")), _ADDRESS))
    found = _COORDINATES.fullmatch(single(query(url or ""), "ll") or "")
    if found:
        told["coordinates"] = {"latitude": found[1], "longitude": found[2], "basis": "ll of the URL"}
    return told


def _pictures(page: Mapping[Any, Any], allowance: Allowance) -> list[dict[str, Any]]:
    """Pictures and videos with the role they have, and `attachment`: which plugin payload attachment holds them."""
    found: list[dict[str, Any]] = []
    for role in _PICTURES:
        value = page.get(role)
        described = mapping(page.get(_DESCRIBED.get(role, "")))
        for each in sequence(value) or ([value] if value is not None else []):
            if len(found) == _MOST_PICTURES:
                return found
            told = _picture(each, described, allowance)
            if told:
                found.append({"role": role, **told})
    return found


def _picture(value: Any, described: Mapping[Any, Any], allowance: Allowance) -> dict[str, Any]:
    members = mapping(value)
    number = next((members[key] for key in members if str(key).endswith(_SUBSTITUTE)), None)
    size = described.get("size") or members.get("size")
    told = present(
        attachment=number if isinstance(number, int) and 0 <= number < 2**31 else None,
        mime=allowance.text(members.get("MIMEType")),
        url=allowance.text(link(described.get("URL")) or link(members.get("URL"))),
        size=allowance.kept(size) if size is not None else None,
    )
    if isinstance(value, bytes):
        told["content"] = allowance.kept(value)
    return told
