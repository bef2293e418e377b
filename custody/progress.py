"""How long functions say how far they are. They never print; whoever called them may."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of each step of a job and of what has been done of it."""

    def step(self, title: str, total: int | None = None) -> None:
        """A new step begins; `total` is what `advance` will add up to, None when nobody knows."""

    def advance(self, amount: int = 1) -> None:
        """So much of the step has been done (bytes, rows or files, as the step counts)."""


class Silent:
    """Nobody is watching."""

    def step(self, title: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, amount: int = 1) -> None:
        """Say nothing."""
