"""The shape of sms.db before iOS 6, and how its codes are read.

Known from databases of iOS 3 to 5: SMS and MMS rows hold the address, Unix seconds and `flags` (2 incoming, 3 outgoing,
33 and 35 outgoing and failed). iMessage came with iOS 5 in columns named after its code name: `is_madrid` is 1, the
address is `madrid_handle`, times are seconds of 2001, and `flags` gives way to the bits of `madrid_flags`. Those are
read as the values that public readers agree on can be explained (12289 and 77825 incoming, 36869 and 45061 outgoing).
Every other value means nothing to us and is told as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bagtag.extract.apple_times import apple_iso, unix_iso
from bagtag.extract.sqlite import Database
from bagtag.parsers.cells import integer, text

LegacyUnit = Literal["s", "unix-s"]
SMS, IMESSAGE = "SMS", "iMessage"

MESSAGE = (
    "address", "date", "text", "flags", "group_id", "subject", "country", "recipients", "is_madrid", "madrid_date",
    "madrid_handle", "madrid_guid", "madrid_service", "madrid_account", "madrid_flags", "madrid_roomname",
    "madrid_attributedBody", "madrid_attachmentInfo", "madrid_error", "madrid_date_read", "madrid_date_delivered",
)  # fmt: skip
"""The columns that are read by name; all others are carried in `raw`."""

_APPLE_BELOW = 900_000_000
"""As Unix seconds a smaller number is before 1998, as seconds of 2001 a larger one is after 2029: iOS 5 saw neither."""


@dataclass(frozen=True, slots=True)
class Direction:
    """What a value of `flags` or `madrid_flags` says."""

    outgoing: bool
    failed: bool = False


FLAGS: Mapping[int, Direction] = {
    2: Direction(outgoing=False),
    3: Direction(outgoing=True),
    33: Direction(outgoing=True, failed=True),
    35: Direction(outgoing=True, failed=True),
}
_FROM_OWNER, _SENT = 0x4, 0x8000
_KNOWN_BITS = 0x1 | _FROM_OWNER | 0x1000 | 0x2000 | _SENT | 0x10000
"""Finished, from the owner, delivered, read, sent, with detected data."""


def is_legacy(database: Database) -> bool:
    """Whether this is the message database of iOS 5 or before: rows with an address, and no handle table."""
    return "handle" not in database.tables and {"address", "date", "flags"} <= set(database.columns("message"))


def direction(cell: Mapping[str, Any], *, madrid: bool) -> Direction | None:
    """The direction of a row by its code; None for one that is not known."""
    bits = integer(cell["madrid_flags"]) or 0
    if madrid and bits > 0 and not bits & ~_KNOWN_BITS and bool(bits & _FROM_OWNER) == bool(bits & _SENT):
        return Direction(outgoing=bool(bits & _FROM_OWNER))
    return FLAGS.get(integer(cell["flags"]) or 0)


def service(name: Any) -> str | None:
    """The service of a row or chat: `Madrid` is the name under which iMessage began."""
    return IMESSAGE if name == "Madrid" else text(name)


def moment(value: Any, *, apple: bool) -> tuple[str | None, LegacyUnit | None]:
    """(RFC 3339 in UTC, unit) of a time; both None when it is not set or is no number.

    `apple`: the row is an iMessage, whose times are seconds of 2001; a number that cannot be such is Unix seconds.
    """
    number = integer(value)
    if not number:
        return None, None
    if apple and number < _APPLE_BELOW:
        return apple_iso(number, "s"), "s"
    return unix_iso(number), "unix-s"
