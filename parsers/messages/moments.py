"""Moments: the times of sms.db, each with the unit it was written in.

Seconds since 2001 up to iOS 10, nanoseconds since; databases upgraded in place hold both in one column, so every value
is judged by its size. 0 and NULL are "not set". Whose clock it was (phone, network, server) is not recorded.
"""

from __future__ import annotations

from typing import Any

from bagtag.extract.apple_times import APPLE_EPOCH, Unit, apple_iso, iso, unit_of
from bagtag.parsers.cells import integer

PLAUSIBLE = ("2001-01-01", "2101")
_CERTAIN = (10**12, 10**18 * 3)
"""Whole numbers between these are nanoseconds of 2001 to 2096: nearly every time of the last years."""
_EPOCH_NS = APPLE_EPOCH * 10**9


def moment(value: Any) -> tuple[str | None, Unit | None]:
    """(RFC 3339 in UTC, unit it was read in) of a cell; both None when it is not set or is no number."""
    if type(value) is int and _CERTAIN[0] <= value < _CERTAIN[1]:
        return iso(value + _EPOCH_NS), "ns"
    if type(value) is not int:
        if isinstance(value, float) and value and value - value == 0:
            return apple_iso(value), unit_of(int(value))
        value = integer(value)
    if not value:
        return None, None
    unit = unit_of(value)
    return apple_iso(value, unit), unit


def is_plausible(at: str | None) -> bool:
    """Whether a time that was set lies in this century; None was set but cannot be written as a date at all."""
    return at is not None and PLAUSIBLE[0] <= at < PLAUSIBLE[1]
