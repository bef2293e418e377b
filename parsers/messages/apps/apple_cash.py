"""Apple Cash: money sent, asked for or received in a conversation.

The amount stands in `ldtext`, in the language of the device that wrote it ("Sent $26.50 with Apple Pay."). The URL is
`data:application/vnd.apple.pkppm;base64,…`, whose content only Apple reads: it is named by its digest.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from bagtag.parsers.cells import blob
from bagtag.parsers.messages.apps.extension import Extension
from bagtag.parsers.messages.apps.kept import Allowance, present

_SIGNS = "$¢£¤¥֏؋৳฿៛₠-₿﷼﹩$¢£¥₩"
"""Unicode's currency signs."""
_NUMBER = r"\d[\d.,'’\u00a0\u202f]{0,30}\d|\d"
_AMOUNT = re.compile(rf"[A-Z]{{0,3}}[{_SIGNS}]\s?(?:{_NUMBER})|(?:{_NUMBER})\s?[{_SIGNS}]")
_LONGEST = 1000


def details(extension: Extension, allowance: Allowance) -> dict[str, Any]:
    """`text`, `amount_text` where exactly one amount stands in it, and the payload's `media_type`, sha256 and size."""
    text = extension.label or extension.caption or ""
    amounts = _AMOUNT.findall(text[:_LONGEST])
    return present(
        text=allowance.text(text),
        amount_text=amounts[0] if len(amounts) == 1 else None,
        payload=_payload(extension.url or "", allowance),
    )


def _payload(url: str, allowance: Allowance) -> dict[str, Any] | None:
    head, comma, encoded = url.partition(",")
    if not head.startswith("data:") or not comma:
        return None
    form = head.removeprefix("data:").removesuffix(";base64")
    try:
        content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:  # it is no Base64: the URL itself is in the record
        return present(media_type=allowance.text(form))
    return {**present(media_type=allowance.text(form)), **blob(content)}
