"""An iMessage app's balloon: the root dictionary of its payload, the same for every app.

`an` is the app's name, `ai` its icon, `appid` its number, `ldtext` a sentence for devices without the app, `URL` what
the app sends, `userInfo` the captions of the balloon, `sessionIdentifier` the game or order that several balloons
belong to, `liveLayoutInfo` an archive inside the archive. Known from real payloads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagtag.extract.formats.binary_plist import MAGIC
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import plain, whole
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.formats.foundation import Url
from bagtag.parsers.messages.apps.kept import Allowance, mapping

_CAPTIONS = ("caption", "image-title", "subcaption", "image-subtitle")
_FIELDS = frozenset({"URL", "sessionIdentifier", "userInfo", "liveLayoutInfo"})
_NAMES = {
    "an": "app_name", "appid": "app_id", "ldtext": "label", "layoutClass": "layout_class", "ai": "icon",
    "AccessibilityLabel": "accessibility_label", "sendAsText": "send_as_text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extension:
    """What the root dictionary says; `label` is `ldtext`, `caption` the first caption that says something."""

    members: Mapping[Any, Any]
    url: str | None
    session: str | None
    label: str | None
    caption: str | None
    title: str | None
    details: dict[str, Any]


def read(root: Mapping[Any, Any], allowance: Allowance) -> Extension:
    """The balloon that a root dictionary describes."""
    captions = mapping(root.get("userInfo"))
    details = allowance.renamed({key: root[key] for key in sorted(root, key=str) if key not in _FIELDS}, _NAMES)
    words = {str(key): captions[key] for key in sorted(captions, key=str) if captions[key] not in (None, "")}
    if words:
        details["captions"] = allowance.kept(words)
    layout = root.get("liveLayoutInfo")
    if layout is not None:
        details["live_layout"] = allowance.kept(_opened(layout))
    caption = next(filter(None, (_text(captions.get(key)) for key in _CAPTIONS)), None)
    label = _text(root.get("ldtext"))
    return Extension(
        members=root,
        url=link(root.get("URL")),
        session=_text(root.get("sessionIdentifier")),
        label=label,
        caption=caption,
        title=caption or label or _text(root.get("an")),
        details=details,
    )


def link(value: Any) -> str | None:
    """A URL, or text that stands for one."""
    return plain(value) if isinstance(value, Url) else _text(value)


def _text(value: Any) -> str | None:
    return whole(value) if isinstance(value, str) and value else None


def _opened(layout: Any) -> Any:
    """The layout's own archive where it is one; else the bytes."""
    if isinstance(layout, bytes) and layout.startswith(MAGIC):
        try:
            return keyed_archive.read(layout)
        except MalformedError:
            return layout
    return layout
