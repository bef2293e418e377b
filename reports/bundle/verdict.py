"""What `verify` says: every problem, one verdict, who signed and stamped, and how far the living log is held.

The three verdicts are the public contract's. The word that stands for `authentic` alone is printed by the terminal,
never here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NamedTuple

from bagtag.custody.problem import Problem

Verdict = Literal["broken", "intact", "authentic"]
SignatureVerdict = Literal["trusted", "good", "wrong", "unchecked"]
"""`good`: it holds, but nothing given from outside says that its key may sign. `unchecked`: its key is not at hand."""
StampVerdict = Literal["accepted", "unjudged", "not-accepted", "wrong"]
"""`unjudged`: over this statement, but no authority was given; `not-accepted`: by none of those that were given."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: over the statement (`path` is its file) or over a custody line (`path` is custody.jsonl).

    `name` is the register's for the key; `covers` says what it vouches for, `last_line` the last custody line of that;
    `at` is when it was made as the log claims; `why` is a predicate of the signature or its key.
    """

    path: str
    keyid: str
    name: str | None
    verdict: SignatureVerdict
    covers: str
    why: str
    at: str | None = None
    last_line: int | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """One time stamp. `time` (UTC) and `authority` are told of accepted ones alone."""

    path: str
    verdict: StampVerdict
    covers: str
    why: str
    time: str | None = None
    authority: str | None = None
    last_line: int | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The result. The digests are those of the files as they lie there now; None when there is no such file.

    `anchored` is one or more sentences on the living log; `notes` are remarks that break nothing.
    """

    verdict: Verdict
    problems: tuple[Problem, ...]
    payload_digest: str | None
    bag_digest: str | None
    anchored: str
    notes: tuple[str, ...]
    signatures: tuple[Signature, ...] = ()
    stamps: tuple[Stamp, ...] = ()


MEANING: dict[Verdict, str] = {
    "broken": "something differs, is missing, is there and not listed, or an anchor that was given does not match",
    "intact": "the folder agrees with itself; this says nothing about who made it",
    "authentic": "the folder agrees with itself, and its bag digest is the one that was given or is signed by a "
    "trusted key",
}


class Strength(IntEnum):
    """How much a witness is worth: first what comes from outside the folder, then what lies in it."""

    TRUSTED = 0
    DIGEST = 1
    STAMP = 2
    SIGNATURE = 3
    OTHER_LOG = 4
    STATEMENT = 5


class Witness(NamedTuple):
    """Somebody or something that vouches for the lines 0 to `last` of the living log; `by` as in "covered by …"."""

    strength: Strength
    last: int
    by: str


def anchored(lines: int, witnesses: Sequence[Witness], *, broken: bool) -> str:
    """Which witness is the strongest for each line: "lines 0–14 are covered by a signature, 15–17 by nothing"."""
    if broken or lines == 0:
        return f"The folder is broken: nothing in it vouches for any line of custody.jsonl ({lines} read)."
    said: list[str] = []
    first = 0
    while first < lines:
        speaking = [witness for witness in witnesses if witness.last >= first]
        best = min(speaking, key=lambda witness: (witness.strength, -witness.last), default=None)
        last = lines - 1 if best is None else min(best.last, lines - 1)
        by = "nothing" if best is None else best.by
        said.append(f"{_range(first, last)} by {by}" if said else f"{_lines(first, last)} covered by {by}")
        first = last + 1
        if best is None:
            said[-1] += ": such a tail can be cut off, or its last line changed, unseen"
    return ", ".join(said) + "."


def covered(last_line: int | None) -> str:
    """What a signature or stamp over the statement vouches for."""
    lines = "" if last_line is None else f" and {_range_words(last_line)} of custody.jsonl"
    return f"the bag digest{lines}"


def covered_lines(last_line: int) -> str:
    """What a signature over a custody line vouches for."""
    return f"{_range_words(last_line)} of custody.jsonl"


def _range_words(last: int) -> str:
    return "line 0" if last == 0 else f"lines 0–{last}"


def _range(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}–{last}"


def _lines(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first}–{last} are"
