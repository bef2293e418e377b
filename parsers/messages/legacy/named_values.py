"""Values that a legacy row keeps archived: addresses of a group message, guids of its attachments.

`recipients` and `participants` are property lists of addresses; `madrid_attachmentInfo` is a typedstream or a property
list of guids. Only the strings in them matter; how they are nested differs from release to release.
"""

from __future__ import annotations

import re
from typing import Any

from bagtag.extract.formats import binary_plist
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers import property_list
from bagtag.parsers.cells import whole
from bagtag.parsers.formats import keyed_archive, typedstream
from bagtag.parsers.formats.expansion import Expansion
from bagtag.parsers.formats.foundation import Unknown
from bagtag.parsers.formats.unarchived import Unarchiver

_LONGEST = 1024 * 1024
_MOST = 1_000
_MOST_LEVELS = 64
_GUID = re.compile(r"(?:at_[0-9]{1,9}_)?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+|\+?[0-9*#][0-9()./\s*#-]{1,30}")


def guids(blob: bytes) -> list[str]:
    """The guids of attachments that a `madrid_attachmentInfo` names, in order. Raises `MalformedError`."""
    return [string for string in _strings(blob) if _GUID.fullmatch(string)]


def addresses(blob: bytes) -> list[str]:
    """The addresses that a `recipients` or `participants` names, in order. Raises `MalformedError`."""
    return [string for string in _strings(blob) if _ADDRESS.fullmatch(string)]


def _strings(blob: bytes) -> list[str]:
    if len(blob) > _LONGEST:
        raise MalformedError(f"{len(blob)} bytes, more than {_LONGEST}")
    value: Any
    if blob[2 : typedstream.HEADER_LENGTH] in typedstream.BYTE_ORDERS:
        value = Unarchiver([], Expansion(len(blob))).value(typedstream.read(blob).root)
    else:
        value = property_list.read(blob)
        if isinstance(value, dict) and "$objects" in value and blob.startswith(binary_plist.MAGIC):
            value = keyed_archive.read(blob)
    found: dict[str, None] = {}
    _collect(value, found, 0)
    return list(found)


def _collect(value: Any, found: dict[str, None], level: int) -> None:
    if len(found) >= _MOST or level > _MOST_LEVELS:
        return
    match value:
        case str():
            found[whole(value)] = None
        case list() | tuple():
            for member in value:
                _collect(member, found, level + 1)
        case dict():
            for member in value.values():
                _collect(member, found, level + 1)
        case Unknown():
            for _, members in value.groups:
                _collect(members, found, level + 1)
