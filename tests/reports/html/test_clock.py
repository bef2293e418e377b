"""Times are shown in one zone, and every one of them says which."""

from __future__ import annotations

import pytest

from bagtag.custody.errors import UsageError
from bagtag.reports.html.clock import Clock


def test_utc_is_named_beside_the_time() -> None:
    stamp = Clock("UTC").stamp("2024-03-01T12:00:00.123456789Z")
    assert stamp is not None
    assert stamp.text == "2024-03-01 12:00:00 UTC"
    assert stamp.machine == "2024-03-01T12:00:00.123Z"


def test_another_zone_shows_its_offset_in_winter_and_in_summer() -> None:
    clock = Clock("Europe/Berlin")
    winter, summer = clock.stamp("2024-01-31T23:30:00.000000000Z"), clock.stamp("2024-07-01T12:00:00.000000000Z")
    assert winter is not None
    assert summer is not None
    assert winter.text == "2024-02-01 00:30:00 +01:00"
    assert summer.text == "2024-07-01 14:00:00 +02:00"


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    moment = "2024-01-31T23:30:00.000000000Z"
    assert Clock("UTC").day(moment).text == "Wednesday, 31 January 2024"
    assert Clock("Europe/Berlin").day(moment).text == "Thursday, 1 February 2024"
    assert Clock("Europe/Berlin").day(moment).machine == "2024-02-01"


def test_the_first_and_last_moments_that_can_be_written_are_shown_in_any_zone() -> None:
    for zone in ("America/New_York", "Asia/Tokyo"):
        for moment in ("0001-01-01T00:00:00.000000000Z", "9999-12-31T23:59:59.999999999Z"):
            assert Clock(zone).stamp(moment) is not None
            assert Clock(zone).day(moment).machine[:4] in {"0001", "9999"}


def test_a_time_with_another_offset_or_fewer_decimals_is_the_same_moment() -> None:
    stamp = Clock("UTC").stamp("2025-06-12T20:04:07+02:00")
    assert stamp is not None
    assert stamp.text == "2025-06-12 18:04:07 UTC"


def test_what_is_no_time_is_shown_as_it_stands() -> None:
    stamp = Clock("UTC").stamp("yesterday")
    assert stamp is not None
    assert (stamp.text, stamp.machine) == ("yesterday", "")


def test_an_absent_time_is_absent_and_an_unknown_zone_is_refused() -> None:
    assert Clock("UTC").stamp(None) is None
    with pytest.raises(UsageError):
        Clock("Mars/Olympus")
