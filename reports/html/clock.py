"""Moments as a reader sees them: in one zone, which every time names.

Records hold UTC with nine decimals. The page shows seconds in the zone of the report; the exact value stays in the
provenance of the message.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from bagtag.custody import times
from bagtag.custody.errors import UsageError
from bagtag.extract import apple_times

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_RECORD_LENGTH = len("2024-03-01T12:00:00.000000000Z")


class Stamp(NamedTuple):
    """A moment: what the page shows, and what its `datetime` attribute holds (UTC, milliseconds)."""

    text: str
    machine: str


class Day(NamedTuple):
    """A calendar day in the zone of the report: its heading, and ISO 8601."""

    text: str
    machine: str


class Clock:
    """The zone of one report. Raises UsageError when this computer does not know the zone."""

    def __init__(self, name: str) -> None:
        self._zone = times.zone(name)
        self.name = "UTC" if self._zone is UTC else name

    def stamp(self, moment: str | None) -> Stamp | None:
        """The moment of an RFC 3339 text in UTC; None for None. What is no such text is shown as it stands."""
        if moment is None:
            return None
        exact = _exact(moment)
        if exact is None:
            return Stamp(moment, "")
        machine = exact[:23] + "Z"
        if self._zone is UTC:
            return Stamp(f"{exact[:10]} {exact[11:19]} UTC", machine)
        local = self._local(exact)
        if local is None:  # the zone would leave the years 1–9999
            return Stamp(f"{exact[:10]} {exact[11:19]} UTC", machine)
        text = local.isoformat(sep=" ", timespec="seconds")
        return Stamp(f"{text[:19]} {text[19:]}", machine)

    def day(self, moment: str) -> Day:
        """The calendar day of a record's time."""
        local = self._local(moment) or datetime.fromisoformat(moment[:19])
        text = f"{_WEEKDAYS[local.weekday()]}, {local.day} {_MONTHS[local.month - 1]} {local.year}"
        return Day(text, f"{local.year:04d}-{local.month:02d}-{local.day:02d}")

    def _local(self, moment: str) -> datetime | None:
        try:
            return datetime.fromisoformat(moment[:19]).replace(tzinfo=UTC).astimezone(self._zone)
        except OverflowError:
            return None


def _exact(moment: str) -> str | None:
    """RFC 3339 of any offset and precision as the records write it; None when it is no RFC 3339."""
    if len(moment) == _RECORD_LENGTH and moment.endswith("Z"):
        return moment
    try:
        return apple_times.iso(times.unix_ns(moment))
    except UsageError:
        return None
