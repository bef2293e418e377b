"""Moments as Messages counts them: nanoseconds since the start of 2001, UTC.

Known from message.date since iOS 11; attachment dates and edit times are seconds from the same start.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
SECOND = 1_000_000_000
UNIX_OFFSET = 978307200
FIRST, LAST = -30610224000, 253402300799
"""Unix seconds of the first and the last moment of the years 1000 to 9999."""


def nanoseconds(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """Nanoseconds since 2001 of a UTC minute."""
    span = datetime(year, month, day, hour, minute, tzinfo=UTC) - EPOCH
    return (span.days * 86400 + span.seconds) * SECOND


def iso(moment: int | None) -> str | None:
    """RFC 3339 with nine decimals and Z; None where the moment is 0 or None."""
    if not moment:
        return None
    whole, rest = divmod(moment, SECOND)
    return f"{EPOCH + timedelta(seconds=whole):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def unix_iso(seconds: int) -> str | None:
    """RFC 3339 with nine decimals of Unix seconds, as the manifest counts; None for a year that has no four digits."""
    if not FIRST <= seconds <= LAST:
        return None
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.000000000Z"
