"""Rowids are a set, however they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bagtag.parsers.rowids import Rowids


@given(st.lists(st.integers(min_value=-20, max_value=20)))
def test_rowids_hold_what_a_set_would_hold_in_as_few_runs_as_there_are(numbers: list[int]) -> None:
    rowids = Rowids()
    for number in numbers:
        rowids.add(number)
    assert len(rowids) == len(set(numbers))
    assert [n for n in range(-25, 25) if n in rowids] == sorted(set(numbers))
    assert [n for first, last in rowids.runs for n in range(first, last + 1)] == sorted(set(numbers))
    assert all(after[0] - before[1] > 1 for before, after in zip(rowids.runs, rowids.runs[1:], strict=False))


def test_a_million_rows_in_order_are_one_run() -> None:
    rowids = Rowids()
    for number in range(1, 1_000_001):
        rowids.add(number)
    assert rowids.runs == [(1, 1_000_000)]
