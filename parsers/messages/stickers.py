"""Stickers: where one came from, and the effect that its sender put on it.

`sticker_user_info` is a property list: `pid` the pack or app (the bundle id stands after the last colon), `sid` the
sticker in it, `hash`. The effect is no column: it is the property `stickerEffect:type` in the XMP of the picture;
a picture without one has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bagtag.extract.files import FileFacts, Files
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import plain
from bagtag.parsers.formats import xmp
from bagtag.parsers.messages.attachment_bytes import first_bytes

LARGEST = 8 * 1024 * 1024
"""Bytes of a picture that are looked through; stickers have some ten thousand."""
_PROPERTY = "stickerEffect:type"
_EFFECTS = frozenset({"stroke", "comic", "puffy", "iridescent"})
_KINDS = {
    "com.apple.messages.genmoji": "genmoji",
    "com.apple.Animoji.StickersApp.MessagesExtension": "memoji",
    "com.apple.Jellyfish.Animoji": "memoji",
    "com.apple.Stickers.UserGenerated.MessagesExtension": "user-generated",
}
_KEYS = {"pid": "pack", "sid": "id", "hash": "hash"}


def sticker(info: Mapping[Any, Any] | None, facts: FileFacts | None, files: Files) -> dict[str, Any]:
    """{kind, pack, id, hash, effect} of a sticker whose `sticker_user_info` is `info` and whose whole file is `facts`.

    kind: genmoji, memoji, user-generated or sticker-app; null where no pack is named. effect: stroke, comic, puffy,
    iridescent, normal; unknown with the value in `effect_raw`; null where the file is not at hand. Other keys of the
    list stand in `others`.
    """
    told: dict[str, Any] = {"kind": None, "pack": None, "id": None, "hash": None, "effect": None}
    others: dict[str, Any] = {}
    for key, value in (info or {}).items():
        into, name = (told, _KEYS[key]) if key in _KEYS else (others, str(key))
        into[name] = plain(value)
    pack = told["pack"]
    if isinstance(pack, str) and pack:
        told["kind"] = _KINDS.get(pack.rpartition(":")[2], "sticker-app")
    raw = _effect(facts, files)
    told["effect"] = raw if raw is None or raw == "normal" or raw in _EFFECTS else "unknown"
    if told["effect"] == "unknown":
        told["effect_raw"] = raw
    return {**told, "others": plain(others)} if others else told


def _effect(facts: FileFacts | None, files: Files) -> str | None:
    """The value as it stands, `normal` where the whole picture has none, None where it cannot be told."""
    data = first_bytes(files, facts, LARGEST) if facts is not None else b""
    if not data:
        return None
    try:
        found = xmp.value(data, _PROPERTY)
    except MalformedError:
        return None
    if found is None:
        return "normal" if len(data) < LARGEST else None
    return found
