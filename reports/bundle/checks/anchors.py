"""Step 13, anchors: what was given from outside. The bag digest, and another party's copy of the log.

Two copies of one log may differ in how far they go. They part only where a copy was made: a `copied` line (and the
signature over it) is the last that both share, and each goes on for its own folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody import chain, durable
from bagtag.custody.errors import UsageError
from bagtag.custody.line import CustodyLine, SignedLine
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
    shared = 0
    for mine, other in zip(ours, theirs, strict=False):
        if mine.raw != other.raw or not (mine.complete and other.complete):
            break
        shared += 1
    if shared:
        result.witnesses.append(Witness(Strength.OTHER_LOG, shared - 1, "the other copy of the log"))
    if shared == len(theirs):
        return
    if shared == len(ours):
        what = f"was cut: the other copy goes on after line {len(ours) - 1}"
        result.problems.append(Problem(LIVING, what, f"{len(theirs)} lines", f"{len(ours)} lines"))
    elif _is_copy(ours[:shared]):
        result.notes.append(
            f"{LIVING}: from line {shared} on the other log goes on for another copy of the folder: a copy was made in "
            "the line before"
        )
    else:
        what = f"differs from the other copy from line {shared} on"
        result.problems.append(Problem(LIVING, what, theirs[shared].sha256, ours[shared].sha256))


def _is_copy(shared: Sequence[Entry]) -> bool:
    """Whether the last line that both share is a copying that was done, or signatures over it."""
    rest = list(shared)
    while rest and isinstance(rest[-1].line, SignedLine):
        rest.pop()
    last = rest[-1].line if rest else None
    return isinstance(last, CustodyLine) and last.event == "copied" and last.result == "ok"
