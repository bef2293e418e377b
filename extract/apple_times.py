"""Apple's clocks: seconds or nanoseconds since 2001-01-01T00:00:00Z, and Unix seconds in the manifest.

Databases that were upgraded in place mix seconds and nanoseconds in one column, so the unit is decided per value:
seconds today are near 8e8, nanoseconds near 8e17, and any cut between 1e10 and 1e14 tells them apart.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

Unit = Literal["s", "ns"]

APPLE_EPOCH = 978_307_200
"""2001-01-01T00:00:00Z in Unix seconds."""

_APPLE_EPOCH_NS = APPLE_EPOCH * 10**9
_CUT = 10**12
_EPOCH = date(1970, 1, 1)
_SECONDS = [f"{second:02d}" for second in range(60)]
_MINUTES = [f"{hour}:{minute}" for hour in _SECONDS[:24] for minute in _SECONDS]
_FIRST_NS = -62_135_596_800 * 10**9  # 0001-01-01
_BEYOND = 10**19
"""No year that RFC 3339 can write is so far away, in whatever unit; beyond, floats overflow."""
_LAST_NS = 253_402_300_800 * 10**9  # 10000-01-01


def unit_of(raw: int) -> Unit:
    """The unit that a Messages time is written in, judged by its size."""
    return "ns" if abs(raw) >= _CUT else "s"


def apple_to_unix_ns(raw: float, unit: Unit) -> int:
    """Nanoseconds since 1970 of an Apple time. Exact for integers; a float is rounded to the nanosecond."""
    value = raw if unit == "ns" else raw * 10**9
    return round(value) + _APPLE_EPOCH_NS


def iso(unix_ns: int) -> str | None:
    """RFC 3339 in UTC with nine decimals; None outside the years 1–9999, which RFC 3339 cannot write."""
    if not _FIRST_NS <= unix_ns < _LAST_NS:
        return None
    seconds, fraction = divmod(unix_ns, 10**9)
    days, seconds = divmod(seconds, 86_400)
    minutes, seconds = divmod(seconds, 60)
    return f"{_day(days)}T{_MINUTES[minutes]}:{_SECONDS[seconds]}.{fraction:09d}Z"


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).isoformat()


def apple_iso(raw: float | None, unit: Unit | None = None) -> str | None:
    """The UTC text of an Apple time, None for 0 and NULL: both mean "not set" in Apple's databases."""
    if not raw or not abs(raw) < _BEYOND:
        return None
    return iso(apple_to_unix_ns(raw, unit or unit_of(int(raw))))


def unix_iso(seconds: float | None) -> str | None:
    """The UTC text of Unix seconds, None when absent."""
    if seconds is None or not abs(seconds) < _BEYOND:
        return None
    return iso(round(seconds * 10**9))
