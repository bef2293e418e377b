"""Apple's epoch is 2001; seconds and nanoseconds are told apart per value; 0 and NULL are no time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.apple_times import apple_iso, iso, unit_of, unix_iso


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (735264728852000000, "2024-04-20T00:12:08.852000000Z"),
        (735369811320335187, "2024-04-21T05:23:31.320335187Z"),
        (470000000, "2015-11-23T19:33:20.000000000Z"),
        (-86400, "2000-12-31T00:00:00.000000000Z"),
        (0, None),
        (None, None),
        (2**63 - 1, "2293-04-11T23:47:16.854775807Z"),
    ],
)
def test_raw_values_become_utc_with_nine_decimals(raw: int | None, expected: str | None) -> None:
    assert apple_iso(raw) == expected


def test_the_unit_is_judged_by_size() -> None:
    assert unit_of(800_000_000) == "s"
    assert unit_of(800_000_000_000_000_000) == "ns"


def test_what_rfc_3339_cannot_write_is_no_text() -> None:
    assert unix_iso(10**12) is None
    assert unix_iso(1) == "1970-01-01T00:00:01.000000000Z"


@pytest.mark.parametrize("value", [1e300, -1e300, float("inf"), float("nan"), 2**80])
def test_a_time_beyond_all_calendars_is_no_time(value: float) -> None:
    assert apple_iso(value) is None
    assert unix_iso(value) is None


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 999))
def test_every_moment_of_the_calendar_is_written_as_the_standard_library_writes_it(at: datetime, rest: int) -> None:
    whole = at - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = ((whole.days * 86_400 + whole.seconds) * 10**6 + whole.microseconds) * 1000 + rest
    expected = f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}{rest:03d}Z"
    assert iso(nanoseconds) == expected
