"""Moments as the custody log and the reports write them: RFC 3339, aware, with the zone and the clock named."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bagtag.custody.clock import clock
from bagtag.custody.errors import UsageError

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)",
)
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of this computer's clock: the same instant in UTC and in local time, with the zone's name.

    `clock` says which clock that was, and how good it is where the system tells (`bagtag.custody.clock`).
    """

    at: str
    at_local: str
    zone: str
    clock: str


def now() -> Moment:
    """Read the system clock once. An offset alone would be ambiguous across summer time, so the zone is named."""
    utc = datetime.now(UTC)
    local = utc.astimezone()
    return Moment(
        at=utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        at_local=local.isoformat(timespec="milliseconds"),
        zone=_zone_name(local),
        clock=clock(),
    )


def _zone_name(local: datetime) -> str:
    key = getattr(local.tzinfo, "key", None)
    if isinstance(key, str):
        return key
    try:
        # The IANA name where the system tells it; tzlocal's abbreviation otherwise.
        with open("/etc/timezone", encoding="ascii") as source:  # noqa: PTH123 - a system file, read once
            name = source.read(64).strip()
        if name and ZoneInfo(name).utcoffset(local.replace(tzinfo=None)) == local.utcoffset():
            return name
    except (OSError, ValueError, ZoneInfoNotFoundError):
        pass
    return local.tzname() or time.tzname[0]


def zone(name: str) -> tzinfo:
    """The IANA zone of that name. Raises UsageError when this computer does not know it."""
    if name.upper() in {"UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as trouble:
        raise UsageError(
            f"no such time zone: {name!r}",
            hint="give an IANA name such as Europe/Berlin or America/New_York",
        ) from trouble


def unix_ns(text: str, *, tz: str | None = None) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time with offset, or of a bare date in the zone `tz`.

    Raises UsageError for anything else: a time without an offset is no moment.
    """
    found = _RFC3339.fullmatch(text.strip())
    if found is None:
        return _bare_date_ns(text, tz)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=_offset_zone(offset)
        )
    except ValueError as trouble:
        raise UsageError(f"not a time: {text!r} ({trouble})", hint="for example 2024-03-01T12:00:00Z") from trouble
    whole = moment - _UNIX_EPOCH
    return (whole.days * 86_400 + whole.seconds) * 10**9 + int((fraction or "").ljust(9, "0"))


def _offset_zone(text: str) -> tzinfo:
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))


def _bare_date_ns(text: str, tz: str | None) -> int:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as trouble:
        raise UsageError(
            f"not a time: {text!r}", hint="give RFC 3339 with an offset, for example 2024-03-01T12:00:00Z"
        ) from trouble
    if tz is None:
        raise UsageError(
            f"{text!r} is a date without a time zone",
            hint="add --tz, for example --tz Europe/Berlin, or give a full time",
        )
    moment = datetime(day.year, day.month, day.day, tzinfo=zone(tz))
    return round((moment - _UNIX_EPOCH) / timedelta(microseconds=1)) * 1000
