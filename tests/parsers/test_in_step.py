"""Children are given to their parent, once, and none is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bagtag.extract.sqlite import DamagedError
from bagtag.parsers.in_step import InStep


def test_each_parent_gets_its_own_children_in_order() -> None:
    step = InStep(iter([(1, "a"), (1, "b"), (4, "c")]))
    assert [step.take(n) for n in (1, 2, 4, 5)] == [[(1, "a"), (1, "b")], [], [(4, "c")], []]


def test_children_without_a_parent_are_passed_on_also_those_with_no_number_and_the_last_ones() -> None:
    passed: list[tuple[Any, ...]] = []
    step = InStep(iter([(None, "a"), (2, "b"), (3, "c"), ("text", "d")]), passed.append)
    assert step.take(3) == [(3, "c")]
    step.finish()
    assert passed == [(None, "a"), (2, "b"), ("text", "d")]


def test_a_cursor_that_breaks_keeps_what_it_gave_and_says_why_it_ended() -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        yield (1, "a")
        raise DamagedError("database disk image is malformed")

    step = InStep(rows())
    assert step.take(1) == [(1, "a")]
    assert step.take(2) == []
    assert step.damage == "database disk image is malformed"
