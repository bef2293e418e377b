"""Details of an attachment: what its row says beyond the fields that every attachment has.

The columns came with the releases: `user_info` with iOS 8, stickers and attribution with 10, the nudity warning with
15, Genmoji with 18. `user_info` holds the key of the copy on Apple's servers: nothing of it but digest and size leaves
this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.cells import blob, integer, plain
from bagtag.parsers.cells import raw as as_it_stands
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.messages.attachment_paths import PLUGIN_PAYLOAD
from bagtag.parsers.messages.body import Report

LARGEST = 1024 * 1024
"""Bytes of a property list in a column; real ones have a few hundred."""
MOST_VALUES = 100_000
_ATTRIBUTION = {
    "name": "name", "bundleid": "bundle_id", "bundleidentifier": "bundle_id", "adamid": "app_id", "appid": "app_id",
    "appstoreid": "app_id",
}  # fmt: skip


def dictionary(cell: Any, name: str, report: Report) -> dict[Any, Any] | None:
    """The dictionary in a column: a binary property list or a keyed archive; None for NULL.

    Anything else is reported under the column's `name`, and None.
    """
    if cell is None or cell == b"":
        return None
    data = cell.encode("utf-8", "surrogateescape") if isinstance(cell, str) else cell
    if not isinstance(data, bytes) or len(data) > LARGEST:
        report(f"{name} cannot be read: {'a number' if not isinstance(data, bytes) else f'{len(data)} bytes'}")
        return None
    try:
        value: Any = binary_plist.read(data, MOST_VALUES)
        if isinstance(value, dict) and "$objects" in value:
            value = keyed_archive.read(data)
    except MalformedError as trouble:
        report(f"{name} cannot be read: {trouble}")
        return None
    if not isinstance(value, dict):
        report(f"{name} cannot be read: it holds no dictionary")
        return None
    return value


def attribution(info: Mapping[Any, Any]) -> dict[str, Any]:
    """{name, bundle_id, app_id} of the app that made a file, other keys in `others`."""
    told: dict[str, Any] = {"name": None, "bundle_id": None, "app_id": None}
    others: dict[str, Any] = {}
    for key, value in info.items():
        name = _ATTRIBUTION.get("".join(filter(str.isalpha, str(key).lower())))
        if name is not None and told[name] is None:
            told[name] = plain(value)
        else:
            others[str(key)] = value
    return {**told, "others": plain(others)} if others else told


def sealed(cell: Any) -> dict[str, Any]:
    """{sha256, size} of a column whose content is a secret, whatever is stored in it."""
    return blob(cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogateescape"))


def sensitive(cell: Any) -> Any:
    """True for the nudity warning (1), None for none (0, NULL), any other value as it stands."""
    number = integer(cell)
    if number == 1:
        return True
    return None if cell is None or number == 0 else as_it_stands(cell)


def is_plugin_payload(name: str | None) -> bool:
    """Whether the file is a picture or part of an app's balloon, which Messages does not show as an attachment."""
    return name is not None and name.endswith(PLUGIN_PAYLOAD)
