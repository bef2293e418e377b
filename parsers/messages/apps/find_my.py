"""Find My: a balloon that says that a place is shared, asked for or no longer shared.

The URL's query holds items named `FindMyMessagePayload…`. Known from real payloads; what is in them is not, so they
stay as they are.
"""

from __future__ import annotations

from typing import Any

from bagtag.parsers.messages.apps.extension import Extension
from bagtag.parsers.messages.apps.kept import Allowance, present
from bagtag.parsers.messages.apps.query import query


def details(extension: Extension, allowance: Allowance) -> dict[str, Any]:
    """`text`, the sentence the balloon shows, and `query`."""
    return present(
        text=allowance.text(extension.label or extension.caption), query=allowance.kept(query(extension.url or ""))
    )
