"""Step 13, anchors: what was given from outside. The bag digest, and another party's copy of the log.

Two copies of one log may differ in how far they go. They part only where a copy was made: a `copied` line (and the
signature over it) is the last that both share, and each goes on for its own folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody import chain, durable, parting
from bagtag.custody.errors import UsageError
from bagtag.custody.log import Entry
from bagtag.custody.problem import Problem
from bagtag.reports.bundle import manifest
from bagtag.reports.bundle.checks.chains import LIVING, Logs, bounded
from bagtag.reports.bundle.verdict import Strength, Witness

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Anchors:
    """What they said. `last` is the last line that both logs share."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)


def bag_digest(expect: str | None) -> str | None:
    """The digest that was given, in small letters. Raises UsageError when it is none."""
    if expect is None:
        return None
    digest = expect.strip().lower()
    if _HEX.fullmatch(digest) is None:
        raise UsageError(f"no bag digest: {expect!r}", hint="a bag digest is 64 hexadecimal digits (sha256)")
    return digest


def other_log(path: Path | None) -> list[Entry] | None:
    """The entries of another party's copy. Raises UsageError when there is no log at that path."""
    if path is None:
        return None
    try:
        with durable.open_regular(path) as file:
            entries = list(bounded(file))
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read: {trouble}", hint="name a copy of custody.jsonl") from trouble
    if not entries:
        raise UsageError(f"{path} holds no custody line", hint="name the other party's copy of custody.jsonl")
    return entries


def examine(logs: Logs, expected: str | None, found: str | None, theirs: list[Entry] | None, name: str) -> Anchors:
    """Compare. `expected` and `found` are bag digests; `theirs` is the other log, `name` how problems call it."""
    result = Anchors()
    if expected is not None:
        if found != expected:
            what = "is not the bag digest that was given"
            result.problems.append(Problem(f"bag/{manifest.TAGS}", what, expected, found))
        elif logs.sealed:
            last = len(logs.sealed) - 1
            result.witnesses.append(Witness(Strength.DIGEST, last, "the bag digest that was given"))
    if theirs is not None and logs.living is not None:
        unsound = chain.judge(theirs, name).problems
        result.problems += unsound
        if not unsound:
            _compare(logs.living, theirs, result)
    return result


def _compare(ours: Sequence[Entry], theirs: Sequence[Entry], result: Anchors) -> None:
    pair = parting.between(ours, theirs)
    if pair.shared:
        result.witnesses.append(Witness(Strength.OTHER_LOG, pair.shared - 1, "the other copy of the log"))
    if pair.problem is None:
        result.notes += [] if pair.note is None else [f"{LIVING}: {pair.note}"]
    elif pair.shared == pair.ours:
        result.problems.append(Problem(LIVING, pair.problem, f"{pair.theirs} lines", f"{pair.ours} lines"))
    else:
        expected, found = theirs[pair.shared].sha256, ours[pair.shared].sha256
        result.problems.append(Problem(LIVING, pair.problem, expected, found))
