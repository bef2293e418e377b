"""What the readable report is made of: files of the bag that it streams, and facts that fit on its first page.

The report is part of the payload, so nothing here may differ between two runs over the same input: no bag digest, no
custody, no clock of this computer, no host name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class ReconciledTable(Protocol):
    """A table of a parsed database: its rows, and the distinct rowids that became a record or an issue."""

    @property
    def artifact(self) -> str:
        """The parser's name."""
        ...

    @property
    def table(self) -> str:
        """The table's name in its database."""
        ...

    @property
    def rows(self) -> int:
        """`count(*)` of the table."""
        ...

    @property
    def records(self) -> int:
        """Distinct rowids that became records."""
        ...

    @property
    def issues(self) -> int:
        """Distinct rowids that became an issue and no record."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """The examination as the examiner named it; None where nothing was given."""

    case: str | None = None
    item: str | None = None
    exhibit: str | None = None
    examiner: str | None = None
    agency: str | None = None
    authority: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """The device as the backup's own plists describe it. `backup_at` is RFC 3339."""

    name: str | None = None
    model: str | None = None
    ios: str | None = None
    udid: str | None = None
    serial: str | None = None
    backup_at: str | None = None
    backup_state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReadingTotals:
    """How many files a second, independent program read again, and with what result."""

    agree: int = 0
    differ: int = 0
    refused: int = 0
    not_covered: int = 0
    reason: str | None = None
    tool: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleView:
    """Everything the report shows.

    `records` is the folder of the bag's *.jsonl records, `inventory` its files.jsonl; an absent file counts as empty.
    `work` is a private folder for the scratch index, which is removed again. `scope` is data/scope.json; `left_out`
    counts what it excluded, per table or kind; `counts` the records written, per kind. `version` is bagtag's.
    """

    records: Path
    inventory: Path
    work: Path
    version: str
    case: CaseFacts = field(default_factory=CaseFacts)
    device: DeviceFacts = field(default_factory=DeviceFacts)
    scope: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    source_digest: str | None = None
    second_reading: SecondReadingTotals | None = None
    reconciliation: Sequence[ReconciledTable] = ()
