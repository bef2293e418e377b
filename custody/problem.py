"""One thing that is not as it was sealed: where, what, what was expected and what was found.

A value, not an exception: `verify` lists every problem, never just the first (public contract, verdicts).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is relative to the evidence folder; `expected` and `found` are digests, names or sizes."""

    path: str
    what: str
    expected: str | None = None
    found: str | None = None

    def __str__(self) -> str:
        """One sentence for a person."""
        detail = ""
        if self.expected is not None or self.found is not None:
            detail = f" (expected {self.expected or 'nothing'}, found {self.found or 'nothing'})"
        return f"{self.path}: {self.what}{detail}"
