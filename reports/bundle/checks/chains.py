"""Step 5, the chains of custody: both logs are sound, each by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import BinaryIO

from bagtag.custody import chain, log
from bagtag.custody.line import CustodyLine
from bagtag.custody.log import Entry
from bagtag.custody.problem import Problem
from bagtag.reports.bundle.evidence_folder import EvidenceFolder

LIVING = "custody.jsonl"
SEALED = "bag/custody.jsonl"
MAX_LOG = 1 << 26
"""Bytes. A log has one line a step: no honest one comes near, and a hostile one shall not fill the memory."""


@dataclass(slots=True)
class Logs:
    """The entries of the living log and of its copy in the bag; None where the file cannot be read."""

    living: list[Entry] | None = None
    sealed: list[Entry] | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[tuple[int, CustodyLine]]:
        """The custody lines of the living log, without signatures, with their numbers."""
        for entry in self.living or ():
            if isinstance(entry.line, CustodyLine):
                yield entry.number, entry.line


def read(folder: EvidenceFolder) -> Logs:
    """Both logs, and what is wrong with the chain of each. What both copies remark is remarked once."""
    logs = Logs()
    logs.living, problems, logs.notes = _examined(folder, LIVING)
    logs.sealed, others, _ = _examined(folder, SEALED)
    logs.problems = problems + others
    return logs


def _examined(folder: EvidenceFolder, name: str) -> tuple[list[Entry] | None, list[Problem], list[str]]:
    try:
        with folder.open(name) as file:
            entries = list(bounded(file))
    except OSError as trouble:
        return None, [Problem(name, f"cannot be read: {trouble.strerror or trouble}")], []
    found = chain.judge(entries, name)
    return entries, found.problems, found.notes


def bounded(file: BinaryIO) -> Iterator[Entry]:
    """The entries of an open log. Raises OSError, also for one that is absurdly long."""
    octets = 0
    for entry in log.entries(file):
        octets += len(entry.raw) + 1
        if octets > MAX_LOG:
            raise OSError(f"is longer than {MAX_LOG:,} bytes, which no log of custody is")
        yield entry


def first_difference(short: Sequence[Entry], long: Sequence[Entry]) -> int | None:
    """The number of the first line where `long` does not go on as `short` does; None when it does to the end."""
    for number, (ours, theirs) in enumerate(zip_longest(short, long)):
        if ours is None:
            return None
        if theirs is None or ours.raw != theirs.raw or not (ours.complete and theirs.complete):
            return number
    return None
