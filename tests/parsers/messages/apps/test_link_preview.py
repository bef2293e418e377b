"""A link preview tells page, address and pictures; a song, app, place or shared document has its own facts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

PROVIDER = "com.apple.messages.URLBalloonProvider"
Preview = Callable[..., Any]


@pytest.fixture
def preview(balloon: Callable[..., Any], archive: Callable[..., bytes]) -> Preview:
    def reading(bundle: str | None = PROVIDER, **members: Any) -> Any:
        page = {"$class": "LPLinkMetadata", **members}
        return balloon(bundle, archive({"richLinkMetadata": page, "richLinkIsPlaceholder": False}))

    return reading


def test_a_link_preview_tells_title_and_url(preview: Preview, url: Callable[[str], str]) -> None:
    found = preview(originalURL=url("https://x.org/a"), URL=url("https://x.org/b"), title="A page", summary="About")
    assert (found.app.kind, found.app.title, found.app.url) == ("url", "A page", "https://x.org/b")
    assert found.details == {"summary": "About", "original_url": "https://x.org/a"}
    assert (found.reports, found.notes, found.fallback) == ([], [], None)


def test_a_preview_without_bundle_id_is_known_by_its_payload(preview: Preview, url: Callable[[str], str]) -> None:
    found = preview(None, URL=url("https://x.org/"), title="T")
    assert (found.app.kind, found.app.bundle_id, found.notes) == ("url", None, [])


def test_both_wrappers_of_a_preview_are_opened(
    balloon: Callable[..., Any], archive: Callable[..., bytes], url: Callable[[str], str]
) -> None:
    page = {"$class": "LPLinkMetadata", "URL": url("https://x.org/"), "siteName": "X"}
    shared = {"$class": "LPSharingMetadataWrapper", "metadata": page, "hasCompletedFetch": True}
    wrapped = {"richLinkMetadata": {"$class": "RichLink", "metadata": page}, "richLinkIsPlaceholder": True}
    found = [balloon(PROVIDER, archive(root)) for root in (shared, wrapped)]
    assert [each.app.url for each in found] == ["https://x.org/"] * 2
    assert [each.details for each in found] == [
        {"site_name": "X", "has_completed_fetch": True},
        {"site_name": "X", "placeholder": True},
    ]


def test_pictures_name_the_attachment_that_holds_them(preview: Preview, url: Callable[[str], str]) -> None:
    def substitute(number: int, mime: str) -> dict[str, Any]:
        name = "RichLinkImageAttachmentSubstitute"
        return {"$class": name, "richLinkImageAttachmentSubstituteIndex": number, "MIMEType": mime}

    described = {"$class": "LPImageMetadata", "size": "{1200, 630}", "URL": url("https://x.org/i.png")}
    found = preview(
        image=substitute(1, "image/png"), imageMetadata=described, icon=substitute(0, "image/x-icon"),
        alternateImages=[substitute(2, "image/webp")],
    )  # fmt: skip
    assert found.details["images"] == [
        {"role": "image", "attachment": 1, "mime": "image/png", "url": "https://x.org/i.png", "size": "{1200, 630}"},
        {"role": "alternateImages", "attachment": 2, "mime": "image/webp"},
        {"role": "icon", "attachment": 0, "mime": "image/x-icon"},
    ]


def test_a_picture_inside_the_payload_is_named_by_its_digest(preview: Preview) -> None:
    told = preview(icon=b"PNG").details["images"]
    assert told == [{"role": "icon", "content": {"sha256": hashlib.sha256(b"PNG").hexdigest(), "size": 3}}]


def test_members_without_a_key_of_their_own_are_kept(preview: Preview) -> None:
    assert preview(usesActivityPub=True, creatorFacebookProfile="f").details == {
        "more": {"usesActivityPub": True, "creatorFacebookProfile": "f"}
    }


def test_music_tells_song_and_lyrics(preview: Preview, url: Callable[[str], str]) -> None:
    lyrics = {"$class": "LPLyricExcerptMetadata", "startTime": 12.5, "endTime": 20, "lyrics": "La la\nla"}
    song = {
        "$class": "LPiTunesMediaSongMetadata", "name": "Song", "artist": "Band", "album": "LP", "lyricExcerpt": lyrics,
        "previewURL": url("https://audio.example/p.m4a"), "storeIdentifier": "1440", "explicit": True,
    }  # fmt: skip
    found = preview(URL=url("https://music.apple.com/x"), specialization=song)
    assert (found.app.kind, found.app.title) == ("music", "Song")
    assert found.details == {
        "music": {
            "name": "Song", "artist": "Band", "album": "LP", "preview_url": "https://audio.example/p.m4a",
            "store_id": "1440", "more": {"explicit": True}, "lyrics": "La la\nla", "lyrics_start": 12.5,
            "lyrics_end": 20,
        }
    }  # fmt: skip


def test_the_app_store_tells_the_app(preview: Preview) -> None:
    app = {
        "$class": "LPiTunesMediaSoftwareMetadata", "name": "App", "subtitle": "Does it", "platform": "iOS",
        "genre": "Games", "icon": {"$class": "X", "richLinkImageAttachmentSubstituteIndex": 0},
    }  # fmt: skip
    found = preview(title="App on the App Store", specialization=app)
    assert (found.app.kind, found.app.title) == ("app-store", "App on the App Store")
    assert found.details["app-store"] == {
        "name": "App", "subtitle": "Does it", "platform": "iOS", "genre": "Games",
        "images": [{"role": "icon", "attachment": 0}],
    }  # fmt: skip


def test_a_place_tells_its_address_and_the_coordinates_of_its_url(preview: Preview, url: Callable[[str], str]) -> None:
    components = {
        "$class": "CNPostalAddress", "_street": "1 High St", "_city": "Town", "_postalCode": "N1", "_country": "UK",
        "_ISOCountryCode": "GB", "_state": "", "_subLocality": "Old",
    }  # fmt: skip
    place = {"$class": "LPMapMetadata", "name": "Cafe", "address": "1 High St, Town", "addressComponents": components}
    found = preview(URL=url("https://maps.apple.com/?ll=51.500000,-0.120000&q=Cafe"), specialization2=place)
    assert (found.app.kind, found.app.title) == ("place", "Cafe")
    assert found.details["place"] == {
        "name": "Cafe", "address": "1 High St, Town", "street": "1 High St", "sub_locality": "Old", "city": "Town",
        "postal_code": "N1", "country": "UK", "iso_country_code": "GB",
        "coordinates": {"latitude": "51.500000", "longitude": "-0.120000", "basis": "ll of the URL"},
    }  # fmt: skip


def test_a_collaboration_tells_document_and_app(preview: Preview, day: Callable[[float], float]) -> None:
    container = {"$class": "CK", "containerID": {"$class": "CKContainerID", "ContainerIdentifier": "com.apple.notes"}}
    metadata = {
        "$class": "_SWCollaborationMetadata", "title": "Plan", "collaborationIdentifier": "C-1",
        "creationDate": day(700_000_000), "containerSetupInfo": container,
    }  # fmt: skip
    shared = {"$class": "LPSharedObjectMetadata", "application": "Notes", "title": "Plan"}
    found = preview(collaborationMetadata=metadata, specialization2=shared)
    assert (found.app.kind, found.app.title) == ("collaboration", "Plan")
    told = found.details["collaboration"]
    assert {key: told[key] for key in ("application", "title", "identifier", "created_at", "container")} == {
        "application": "Notes", "title": "Plan", "identifier": "C-1", "created_at": "2023-03-08T20:26:40.000000000Z",
        "container": "com.apple.notes",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["LPSharedObjectMetadata", "LPiCloudSharingMetadata"])
def test_a_shared_object_alone_is_a_collaboration(preview: Preview, name: str) -> None:
    found = preview(specialization2={"$class": name, "application": "Freeform", "title": "Board"})
    assert (found.app.kind, found.app.title) == ("collaboration", "Board")


def test_collaboration_comes_before_music_and_music_before_apps_and_places(preview: Preview) -> None:
    song = {"$class": "LPiTunesMediaSongMetadata", "album": "LP"}
    place = {"$class": "LPMapMetadata", "address": "x"}
    kinds = [
        preview(specialization=song, collaborationMetadata={"$class": "C", "title": "N"}).app.kind,
        preview(specialization=song, specialization2=place).app.kind,
        preview(specialization={"$class": "LPiTunesMediaSoftwareMetadata"}, specialization2=place).app.kind,
    ]
    assert kinds == ["collaboration", "music", "app-store"]


def test_an_unknown_special_object_is_kept(preview: Preview) -> None:
    found = preview(title="T", specialization={"$class": "LPNewThing", "value": 5})
    assert (found.app.kind, found.details) == ("url", {"specializations": [{"$class": "LPNewThing", "value": 5}]})
