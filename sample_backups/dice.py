"""The dice of a sample: the same seed throws the same numbers, on every run and every computer."""

from __future__ import annotations

import random


def dice(seed: str) -> random.Random:
    """A generator for one purpose of one sample, named by its seed."""
    return random.Random(seed)  # noqa: S311 -- samples must be reproducible; nothing real is locked with them
