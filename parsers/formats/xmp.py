"""XMP: what a program wrote into a picture about it, as a packet of XML text among the picture's bytes.

The packet is UTF-8 and stands uncompressed in HEIC, JPEG, PNG and GIF alike (Adobe's specification), so that a property
is found without knowing the container. Known from stickers of the Messages app, whose HEIC names its effect in the
property `stickerEffect:type`. Packets of real stickers need not be well-formed XML, so none is asked for.
"""

from __future__ import annotations

import re
from functools import cache
from xml.sax.saxutils import unescape

from bagtag.extract.formats.malformed import MalformedError

LONGEST_VALUE = 256
"""Bytes of a property's value; effects and the like are single words."""
_MOST_PLACES = 1000
_QUOTES = {"&quot;": '"', "&apos;": "'"}


def value(data: bytes, name: str) -> str | None:
    """The value of the property `name` (with its prefix), written as an attribute or as an element; None without it.

    The first place that has a value counts. Raises `MalformedError` where the name stands and no value follows.
    """
    marked = name.encode()
    pattern = _pattern(marked)
    at = first = data.find(marked)
    for _ in range(_MOST_PLACES):
        if at < 0:
            break
        found = pattern.match(data, at)
        if found is not None and data[at - 1 : at] != b"/":
            raw = found["double"] or found["single"] or found["element"]
            return unescape(raw.decode("utf-8", "replace"), _QUOTES).strip()
        at = data.find(marked, at + len(marked))
    if first < 0:
        return None
    raise MalformedError(f"the property {name} without a value", first)


@cache
def _pattern(name: bytes) -> re.Pattern[bytes]:
    most = b"{1,%d}" % LONGEST_VALUE
    space = rb"\s{0,8}"
    return re.compile(
        re.escape(name) + b"(?:" + space + b"=" + space
        + rb"(?:\"(?P<double>[^\"<>]" + most + rb")\"|'(?P<single>[^'<>]" + most + b")')"
        + b"|" + space + b">(?P<element>[^<>]" + most + b")</)"
    )  # fmt: skip
