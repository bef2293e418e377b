"""What messages carry: Live Photos, audio, places, pictures under a warning, files under odd paths and names.

Known from the attachment rows of real databases: the forms of `filename`, a Live Photo's film beside its picture
without a row of its own, kept and expired audio, attribution_info and user_info as property lists (the second holds a
key).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from bagtag.sample_backups import events, medium
from bagtag.sample_backups.body import FILE_NAME, OBJECT, TRANSFER, Part
from bagtag.sample_backups.entry import file_id
from bagtag.sample_backups.moments import SECOND, iso
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, MIKA, WITH_ANN, WITH_MIKA
from bagtag.sample_backups.story import Attached, Story
from bagtag.sample_backups.typedstream import Number, Run

MOVIE = medium.Medium("clip.mp4", "video/quicktime", "com.apple.quicktime-movie")
SECRET = "5ec7e700" * 8
"""Stands for the key of a server's copy: no reader may show it."""

PLACE = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:;Current Location;;;\r\nFN:Current Location\r\n"
    "item1.URL;type=pref:https://maps.apple.com/?ll=52.520008\\,13.404954&q=52.520008\\,13.404954\r\n"
    "item1.X-ABLabel:map url\r\nEND:VCARD\r\n"
)


@dataclass(frozen=True)
class Written(medium.Medium):
    """A media file that is written on the spot."""

    words: str

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return self.words.encode()


LOCATION = Written("CL.loc.vcf", "text/x-vlocation", "public.vlocation", PLACE)


def tell(story: Story) -> None:
    """Everything that this release lets messages carry."""
    _body_order(story)
    _shared(story)
    _paths(story)
    for kind, name in ((LOCATION, "CL.loc.vcf"), (medium.VCARD, "Dana O'Neill.vcf")):
        _alone(story, f"attachment {name}", kind, name)
    if story.release >= (8, 0):
        _audio(story)
        _expired(story)
        _with_a_key(story)
    if story.release >= (9, 0):
        _live_photo(story)
    if story.release >= (10, 0):
        _hidden_film(story)
        made = {"name": "Example Camera", "bundle-id": "com.example.camera", "adam-id": 123456789}
        _alone(
            story,
            "attachment with attribution",
            medium.PNG,
            "Made.png",
            details={"attribution": {"name": "Example Camera", "bundle_id": "com.example.camera"}},
            attribution_info=events.plist(made),
        )
    if story.release >= (15, 0):
        _alone(
            story,
            "sensitive attachment",
            medium.JPEG,
            "Warned.jpg",
            details={"sensitive": True},
            is_commsafety_sensitive=1,
        )
    story.attach(story.guid().lower(), medium.PNG, "In no message.png")


def _alone(story: Story, feature: str, kind: medium.Medium, name: str, **options: Any) -> None:
    guid = story.guid()
    attached = story.attach(f"at_0_{guid}", kind, name, **options)
    story.feature(story.say(WITH_MIKA, MIKA, attached.part(), guid=guid, attachments=[attached]), feature)


def _with_a_key(story: Story) -> None:
    secret = events.plist({"mmcs-url": "https://content.example.com/1", "decryption-key": SECRET, "file-size": "236"})
    _alone(
        story,
        "attachment with a key",
        medium.PNG,
        "Key.png",
        details={"user_info": {"sha256": hashlib.sha256(secret).hexdigest(), "size": len(secret)}},
        user_info=secret,
    )


def _live_photo(story: Story) -> None:
    guid = story.guid()
    photo = story.attach(f"at_0_{guid}", medium.HEIC, "IMG_2001.HEIC")
    path = str(photo.truth["relative_path"]).removesuffix("HEIC") + "MOV"
    story.file("MediaDomain", path, MOVIE.content)
    pair = {
        "pair": path,
        "file_id": file_id("MediaDomain", path),
        "sha256": hashlib.sha256(MOVIE.content).hexdigest(),
    }
    photo = replace(photo, truth=photo.truth | {"details": {"live_photo": pair}})
    story.feature(story.say(WITH_MIKA, MIKA, photo.part(), guid=guid, attachments=[photo]), "Live Photo")


def _hidden_film(story: Story) -> None:
    guid = story.guid()
    photo = story.attach(f"at_0_{guid}", medium.HEIC, "IMG_2002.HEIC")
    film = story.attach(story.guid(), MOVIE, "IMG_2002.MOV", hide_attachment=1)
    said = story.say(WITH_MIKA, MIKA, photo.part(), guid=guid, attachments=[photo, film])
    story.feature(said, "Live Photo with a row for its film")


def _audio(story: Story) -> None:
    guid = story.guid()
    words = "Meet me at the station at nine"
    voice = story.attach(f"at_0_{guid}", medium.M4A, "Audio Message.m4a")
    played = story.clock + 500 * SECOND
    said = story.say(
        WITH_ANN,
        ANN,
        voice.part(IMAudioTranscription=words),
        guid=guid,
        attachments=[voice],
        columns={"is_audio_message": 1, "is_expirable": 1, "expire_state": 3, "is_played": 1, "date_played": played},
        truth={
            "played_at": iso(played),
            "flags": {"is_audio_message": True, "is_expirable": True, "is_played": True},
            "details": {"transcriptions": [{"text": words}], "expire_state": 3},
        },
    )
    story.feature(said, "audio kept")
    story.feature(events.announcement(story, WITH_ANN, None, "audio-kept", item=5), "announcement of kept audio")


def _expired(story: Story) -> None:
    guid = story.guid()
    gone = f"at_0_{guid}"
    said = story.say(
        WITH_ANN,
        ANN,
        Part((Run(OBJECT, {FILE_NAME: "Audio Message.caf", TRANSFER: gone}),), gone),
        guid=guid,
        columns={"is_audio_message": 1, "is_expirable": 1, "expire_state": 1, "cache_has_attachments": 1},
        truth={"flags": {"is_audio_message": True, "is_expirable": True}, "details": {"expire_state": 1}},
    )
    story.feature(said, "audio expired")


def _body_order(story: Story) -> None:
    guid = story.guid()
    kinds = ((4, medium.PNG, "fifth.png"), (0, medium.JPEG, "first.jpg"), (2, medium.PDF, "third.pdf"))
    joined = {number: story.attach(f"at_{number}_{guid}", kind, name) for number, kind, name in kinds}
    size: dict[str, Any] = {
        "__kIMInlineMediaWidthAttributeName": Number(64, "q"),
        "__kIMInlineMediaHeightAttributeName": Number(63.5, "d"),
    }
    said = story.say(
        GARDEN,
        BJORN,
        joined[0].part(),
        "A picture, then a page 📄, ",
        joined[2].part(),
        "then a sketch",
        joined[4].part(**size),
        guid=guid,
        attachments=list(joined.values()),
    )
    story.feature(said, "several attachments in body order")


def _shared(story: Story) -> None:
    guid = story.guid()
    photo: Attached = story.attach(f"at_0_{guid}", medium.JPEG, "Passed on.jpg")
    story.feature(story.say(WITH_MIKA, MIKA, photo.part(), guid=guid, attachments=[photo]), "attachment of two, first")
    again = story.say(GARDEN, None, photo.part(), attachments=[photo])
    story.feature(again, "attachment of two, second")


def _paths(story: Story) -> None:
    _alone(story, "path under /var/mobile", medium.PNG, "A.png", home="/var/mobile/")
    _alone(story, "path under /private/var/mobile", medium.PNG, "B.png", home="/private/var/mobile/")
    _alone(story, "path in StickerCache", medium.PNG, "C.png", cache="StickerCache")
    _alone(story, "path spelled NFD", medium.PDF, "Küche ~1.pdf", spelled="NFD")
    _alone(story, "path spelled NFC", medium.PDF, "Ku\u0308che ~2.pdf", spelled="NFC")
