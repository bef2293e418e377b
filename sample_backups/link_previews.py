"""Link previews of every kind: pages with pictures, songs, programs, places, shared documents.

Known from payloads of the URL balloon: an archived dictionary with LPLinkMetadata, and within it the metadata of what
was linked; pictures lie in attachments ending in .pluginPayloadAttachment, named by their place among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from plistlib import UID
from typing import Any

from bagtag.sample_backups import medium
from bagtag.sample_backups.body import LINK, Part
from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.people import ANN, MIKA, WITH_ANN, WITH_MIKA
from bagtag.sample_backups.story import Attached, Said, Story
from bagtag.sample_backups.typedstream import Number, Run, Url

URL_BALLOON = "com.apple.messages.URLBalloonProvider"
PLUGIN_PAYLOAD = medium.Medium("photo.jpg", "image/jpeg", "dyn.age81a5dzq7y066dbtf0g82peqf4hk2pdrb00n5xy")
Extra = Callable[[Archive], Mapping[str, Any]]


def tell(story: Story) -> None:
    """Every kind of preview."""
    _picture(story)
    for kind, address, title, extra, details in (
        ("music", "https://music.example.com/song/1", "Invented Song", _song, SONG),
        ("app-store", "https://apps.example.com/app/2", "Invented App", _program, PROGRAM),
        ("place", "https://maps.example.com/?q=cafe", "Invented Café", _place, PLACE),
        ("collaboration", "https://share.example.com/notes/3", "Shopping list", _collaboration, COLLABORATION),
        ("collaboration", "https://share.example.com/board/4", "Garden plan", _shared_object, SHARED_OBJECT),
    ):
        said = preview(story, kind, address, {"title": title}, extra=extra, details={kind: details})
        story.feature(said, f"preview {kind} {title}")
    wrapped = preview(story, "url", "https://example.com/wrapped", {"title": "Wrapped"}, wrapped=True)
    story.feature(wrapped, "preview in a wrapper")
    nameless = preview(
        story, "url", "https://example.com/nameless", {"title": "Nameless"}, columns={"balloon_bundle_id": None}
    )
    story.feature(nameless, "preview without balloon_bundle_id", app={"kind": "url", "title": "Nameless"})
    _not_synced(story)


def preview(
    story: Story,
    kind: str,
    address: str,
    words: Mapping[str, Any],
    *,
    extra: Extra | None = None,
    details: Mapping[str, Any] | None = None,
    wrapped: bool = False,
    attachments: Sequence[Attached] = (),
    guid: str | None = None,
    columns: Mapping[str, Any] | None = None,
) -> Said:
    """A message whose body is an address, with the preview of it; `words` are strings of the metadata."""
    archive = Archive()
    members = {"version": 1, "URL": archive.url(address), "originalURL": archive.url(address)}
    metadata = archive.instance(
        ["LPLinkMetadata", "NSObject"], members | dict(words) | dict(extra(archive) if extra else {})
    )
    if wrapped:
        shared = {"metadata": metadata, "hasCompletedFetchIncludingLoadingImages": True}
        root = archive.instance(["LPSharingMetadataWrapper", "NSObject"], shared)
    else:
        root = archive.dictionary({"richLinkMetadata": metadata, "richLinkIsPlaceholder": False})
    run = Run(address, {LINK: Url(address), "__kIMLinkIsRichLinkAttributeName": Number(1, "c")})
    return story.say(
        WITH_MIKA,
        MIKA,
        Part((run,)),
        guid=guid,
        attachments=attachments,
        columns={"balloon_bundle_id": URL_BALLOON, "payload_data": archive.stored(root), "has_dd_results": 1}
        | dict(columns or {}),
        truth={
            "app": {
                "bundle_id": URL_BALLOON,
                "kind": kind,
                "title": words["title"],
                "url": address,
                "details": dict(details or {}),
            }
        },
    )


def _picture(story: Story) -> None:
    guid = story.guid()
    payloads = [
        story.attach(
            story.guid(),
            PLUGIN_PAYLOAD,
            f"{story.guid()}.pluginPayloadAttachment",
            hide_attachment=1,
            details={"plugin_payload": True},
        )
        for _ in range(2)
    ]

    def pictures(archive: Archive) -> Mapping[str, Any]:
        icon, image = (
            archive.instance(
                ["RichLinkImageAttachmentSubstitute", "LPImage", "NSObject"],
                {"richLinkImageAttachmentSubstituteIndex": number, "MIMEType": mime},
            )
            for number, mime in ((0, "image/png"), (1, "image/jpeg"))
        )
        size = archive.instance(["LPImageMetadata", "NSObject"], {"size": "{160, 120}"})
        return {"icon": icon, "image": image, "imageMetadata": size, "siteName": "Example", "summary": "With pictures"}

    said = preview(
        story,
        "url",
        "https://example.com/pictures",
        {"title": "A page with pictures"},
        extra=pictures,
        details={
            "site_name": "Example",
            "summary": "With pictures",
            "images": [{"role": "image", "attachment": 1}, {"role": "icon", "attachment": 0}],
        },
        attachments=payloads,
        guid=guid,
    )
    story.feature(said, "preview with pictures")


SONG = {
    "name": "Invented Song",
    "artist": "The Inventors",
    "album": "Made Up",
    "lyrics": "la la\nla",
    "lyrics_start": 12.5,
    "lyrics_end": 18.25,
    "preview_url": "https://audio.example.com/1.m4a",
    "store_id": "1234567890",
}


def _song(archive: Archive) -> Mapping[str, Any]:
    excerpt = archive.instance(
        ["LPLyricExcerpt", "NSObject"], {"startTime": 12.5, "endTime": 18.25, "lyrics": SONG["lyrics"]}
    )
    song = {
        "name": SONG["name"],
        "artist": SONG["artist"],
        "album": SONG["album"],
        "previewURL": archive.url("https://audio.example.com/1.m4a"),
        "storeIdentifier": SONG["store_id"],
        "lyricExcerpt": excerpt,
    }
    return {"specialization": archive.instance(["LPiTunesMediaSongMetadata", "NSObject"], song)}


PROGRAM = {"name": "Invented App", "subtitle": "Does nothing", "platform": "iOS", "genre": "Utilities"}


def _program(archive: Archive) -> Mapping[str, Any]:
    return {"specialization": archive.instance(["LPiTunesMediaSoftwareMetadata", "NSObject"], PROGRAM)}


PLACE = {
    "name": "Invented Café",
    "address": "1 Main Street, Springfield",
    "city": "Springfield",
    "postal_code": "62701",
}


def _place(archive: Archive) -> Mapping[str, UID]:
    address = {
        "_street": "1 Main Street",
        "_subLocality": "",
        "_city": PLACE["city"],
        "_subAdministrativeArea": "",
        "_state": "IL",
        "_postalCode": PLACE["postal_code"],
        "_country": "United States",
        "_ISOCountryCode": "US",
    }
    components = archive.instance(["CNPostalAddress", "NSObject"], address)
    place = {"name": PLACE["name"], "address": PLACE["address"], "addressComponents": components}
    return {"specialization2": archive.instance(["LPMapMetadata", "NSObject"], place)}


COLLABORATION = {
    "title": "Shopping list",
    "identifier": "com.example.notes.list/3",
    "container": "com.apple.notes",
}


def _collaboration(archive: Archive) -> Mapping[str, UID]:
    container = archive.instance(["CKContainerID", "NSObject"], {"ContainerIdentifier": COLLABORATION["container"]})
    setup = archive.instance(["CKContainerSetupInfo", "NSObject"], {"containerID": container})
    shared = {
        "collaborationIdentifier": COLLABORATION["identifier"],
        "title": COLLABORATION["title"],
        "creationDate": archive.date(700000000.5),
        "containerSetupInfo": setup,
    }
    return {"collaborationMetadata": archive.instance(["_SWCollaborationMetadata", "NSObject"], shared)}


SHARED_OBJECT = {"application": "Freeform", "title": "Garden plan"}


def _shared_object(archive: Archive) -> Mapping[str, UID]:
    return {"specialization2": archive.instance(["LPSharedObjectMetadata", "NSObject"], SHARED_OBJECT)}


def _not_synced(story: Story) -> None:
    address = "https://example.com/not-synced"
    said = story.say(
        WITH_ANN,
        ANN,
        Part((Run(address, {LINK: Url(address)}),)),
        columns={"balloon_bundle_id": URL_BALLOON, "payload_data": None},
        truth={"app": {"bundle_id": URL_BALLOON, "kind": "url"}},
    )
    story.feature(said, "preview that was not synced")
