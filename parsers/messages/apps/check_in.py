"""Check In: the balloon that tells a contact when its sender should have arrived.

The URL's query holds `messageType`, `interfaceVersion` and times in Unix seconds; the caption is "Check In: …". Known
from real payloads; what the numbers of `messageType` mean is not, so they stay numbers.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from bagtag.extract.apple_times import iso
from bagtag.parsers.messages.apps.extension import Extension
from bagtag.parsers.messages.apps.kept import Allowance, present
from bagtag.parsers.messages.apps.query import query, single

_TIMES = {"estimatedEndTime": "estimated_end", "triggerTime": "trigger", "sendDate": "sent"}
_SECONDS = re.compile(r"\d{1,11}(\.\d{1,20})?")
_CAPTION = "Check In: "


def details(extension: Extension, allowance: Allowance) -> dict[str, Any]:
    """`kind` (the caption's word, as its device wrote it), `message_type`, times as RFC 3339, and `query` as it is."""
    pairs = query(extension.url or "")
    caption = extension.caption or ""
    times = {name: _time(single(pairs, key)) for key, name in _TIMES.items()}
    return present(
        kind=caption.removeprefix(_CAPTION) if caption.startswith(_CAPTION) else None,
        message_type=allowance.text(single(pairs, "messageType")),
        interface_version=allowance.text(single(pairs, "interfaceVersion")),
        **times,
        query=allowance.kept(pairs),
    )


def _time(seconds: str | None) -> str | None:
    """Unix seconds, which may have decimals, exactly."""
    if seconds is None or not _SECONDS.fullmatch(seconds) or not Decimal(seconds):
        return None
    return iso(int(Decimal(seconds) * 10**9))
