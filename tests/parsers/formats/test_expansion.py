"""What an archive may unfold to grows with its size, and is refused beyond."""

from __future__ import annotations

import pytest

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.expansion import Expansion


def test_values_are_bounded_by_the_size_of_the_archive() -> None:
    small = Expansion(100)
    for _ in range(1_800):
        small.value()
    with pytest.raises(MalformedError, match="more values"):
        small.value()


def test_text_is_bounded_by_the_size_of_the_archive() -> None:
    small = Expansion(1_000)
    small.text(256 * 1024 + 64_000)
    with pytest.raises(MalformedError, match="more text"):
        small.text(1)
