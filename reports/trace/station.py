"""One station on a record's way back: what is known there, and what was compared with what.

A comparison always has two sides, each with the place where it comes from: what was written down when the folder was
made, and what comes out now. Where nothing can be computed again, the second side is another place that wrote it down.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

NOW = "computed now"

Kind = Literal["record", "row", "bytes", "file", "stored", "attachment", "backup", "seal"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared. `recorded` stands in `recorded_in`; `found` is what came out now, as `found_in` says."""

    what: str
    recorded: str | None
    recorded_in: str
    found: str | None
    found_in: str
    agrees: bool


class Station(msgspec.Struct, kw_only=True):
    """One station. `record` counts the records that have the id (from 1); None for what stands above them all.

    `facts` are names and values, `sentences` say in words what the station shows and what it does not.
    """

    number: int = 0
    record: int | None = None
    kind: Kind
    title: str
    sentences: list[str] = []
    facts: dict[str, Any] = {}
    comparisons: list[Comparison] = []

    def compare(
        self, what: str, recorded: str | None, recorded_in: str, found: str | None, found_in: str = NOW
    ) -> None:
        """Add a comparison; two values that are both absent do not agree."""
        self.comparisons.append(
            Comparison(
                what=what, recorded=recorded, recorded_in=recorded_in, found=found, found_in=found_in,
                agrees=recorded is not None and recorded == found,
            )
        )  # fmt: skip

    @property
    def differences(self) -> list[Comparison]:
        """Those that do not agree."""
        return [each for each in self.comparisons if not each.agrees]


class Trace(msgspec.Struct, kw_only=True):
    """All stations of all records that have the id, and what stands above them."""

    record_id: str
    folder: str
    backup: str | None
    agrees: bool
    compared: int
    stations: list[Station]
