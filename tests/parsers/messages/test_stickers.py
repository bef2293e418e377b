"""A sticker's origin is in its row, its effect in the picture itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from bagtag.extract.evidence import Outcome
from bagtag.extract.files import BareFiles, FileFacts
from bagtag.parsers.messages import stickers
from bagtag.parsers.messages.stickers import sticker

FACTS = FileFacts(
    file_id="ab" * 20, domain="MediaDomain", relative_path="Library/SMS/Attachments/s.heic", outcome=Outcome.OK,
    size=3, sha256="cd" * 32, bag_path=None,
)  # fmt: skip
EXTENSION = "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:"


@dataclass
class Shelf:
    """Files of which one picture is at hand."""

    picture: bytes

    bare = False
    backup_at = None

    def content(self, domain: str, relative_path: str, most: int) -> bytes:
        assert (domain, relative_path) == (FACTS.domain, FACTS.relative_path)
        return self.picture[:most]


def told(info: Any, picture: bytes = b"picture") -> dict[str, Any]:
    return sticker(info, FACTS, cast("Any", Shelf(picture)))


@pytest.mark.parametrize(
    ("pack", "kind"),
    [
        ("com.apple.messages.genmoji", "genmoji"),
        ("com.apple.Animoji.StickersApp.MessagesExtension", "memoji"),
        ("com.apple.Jellyfish.Animoji", "memoji"),
        (EXTENSION + "com.apple.Jellyfish.Animoji", "memoji"),
        ("com.apple.Stickers.UserGenerated.MessagesExtension", "user-generated"),
        ("com.example.stickers.pack", "sticker-app"),
        (EXTENSION + "com.example.stickers", "sticker-app"),
    ],
)
def test_the_pack_tells_the_kind(pack: str, kind: str) -> None:
    found = told({"pid": pack, "sid": "s-1", "hash": "0123"})
    assert (found["kind"], found["pack"], found["id"], found["hash"]) == (kind, pack, "s-1", "0123")


@pytest.mark.parametrize("info", [None, {}, {"sid": "s-1"}, {"pid": ""}, {"pid": 7}])
def test_without_a_pack_no_kind_is_made_up(info: Any) -> None:
    assert told(info)["kind"] is None


def test_keys_that_are_not_known_stay_under_their_names() -> None:
    assert told({"pid": "x", "acc": "a cat", 3: b"abc"})["others"] == {
        "acc": "a cat",
        "3": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "size": 3},
    }


@pytest.mark.parametrize("effect", ["stroke", "comic", "puffy", "iridescent"])
def test_the_effect_is_read_from_the_xmp_of_the_picture(effect: str) -> None:
    found = told({}, b'ftypheic<x:xmpmeta><rdf:Description stickerEffect:type="%s"/></x:xmpmeta>' % effect.encode())
    assert found["effect"] == effect
    assert "effect_raw" not in found


def test_a_picture_without_the_property_has_no_effect() -> None:
    assert told({}, b"ftypheic")["effect"] == "normal"


def test_an_effect_that_is_not_known_passes_through_raw() -> None:
    found = told({}, b'stickerEffect:type="holographic"')
    assert (found["effect"], found["effect_raw"]) == ("unknown", "holographic")


@pytest.mark.parametrize("picture", [b"", b'stickerEffect:type="cut', bytes(stickers.LARGEST)])
def test_where_the_picture_does_not_tell_the_effect_is_null(picture: bytes) -> None:
    assert told({}, picture)["effect"] is None


def test_where_the_file_is_not_at_hand_the_effect_is_null(tmp_path: Any) -> None:
    assert sticker({}, None, cast("Any", Shelf(b"x")))["effect"] is None
    assert sticker({}, FACTS, BareFiles(tmp_path / "sms.db", None))["effect"] is None
