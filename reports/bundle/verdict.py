"""What `verify` says: every problem, one verdict, and how far the living log is held by anything.

The three verdicts are the public contract's. The word that stands for `authentic` alone is printed by the terminal,
never here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bagtag.custody.problem import Problem

Verdict = Literal["broken", "intact", "authentic"]


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


MEANING: dict[Verdict, str] = {
    "broken": "something differs, is missing, is there and not listed, or an anchor that was given does not match",
    "intact": "the folder agrees with itself; this says nothing about who made it",
    "authentic": "the folder agrees with itself, and its bag digest is the one that was given",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """How far each witness speaks for the living log: the number of the last line, or None.

    `sealed`: the copy in the bag · `stated`: the line that seal/statement.json names · `other`: another party's copy.
    """

    lines: int
    sealed: int | None
    stated: int | None
    other: int | None


def anchored(reach: Reach, *, broken: bool, expected: bool) -> str:
    """The sentences. `expected`: the bag digest is the one that was given from outside."""
    if broken or reach.lines == 0:
        return f"The folder is broken: nothing in it vouches for any line of custody.jsonl ({reach.lines} read)."
    said: list[str] = []
    last = -1
    if reach.sealed is not None:
        held = (
            "covered by the bag digest that was given"
            if expected
            else "repeated in the bag, which was compared with nothing from outside"
        )
        said.append(f"{_lines(0, reach.sealed)} of custody.jsonl {_is(0, reach.sealed)} {held}")
        last = reach.sealed
    if reach.stated is not None and reach.stated > last:
        here = f"{_lines(last + 1, reach.stated)} {_is(last + 1, reach.stated)}"
        said.append(f"{here} covered by seal/statement.json alone, which nobody signed")
        last = reach.stated
    if reach.other is not None:
        said.append(f"{_lines(0, reach.other)} agree with the other copy of the log")
        last = max(last, reach.other)
    if last < reach.lines - 1:
        tail = f"{_lines(last + 1, reach.lines - 1)} {_is(last + 1, reach.lines - 1)} covered by nothing"
        said.append(f"{tail}: such a tail can be cut off, or its last line changed, unseen")
    sentence = "; ".join(said)
    return sentence[:1].upper() + sentence[1:] + "."


def _lines(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first}–{last}"


def _is(first: int, last: int) -> str:
    return "is" if first == last else "are"
