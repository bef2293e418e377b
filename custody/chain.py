"""What makes a whole custody log sound: every line canonical, numbered without a gap, and tied to the one before.

The chain shows an edit, an insertion or a deletion in the middle. It cannot show that the end was cut off or the last
line changed: that takes something outside the log that names a line (the sealed bag, the statement, another copy).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from bagtag.custody import durable
from bagtag.custody.line import GENESIS, MAX_LINE, CustodyLine, SignedLine
from bagtag.custody.log import Entry, open_intents, read
from bagtag.custody.problem import Problem

_BLOCK = 1 << 20
_CUT_OFF = "begins a step whose end the log does not tell: that run was cut off"
_OPEN = {
    "transferred": "releases the evidence, and no line says that it came in",
    "stamped": "asks for a time stamp, and no line says that one came",
}


@dataclass(slots=True)
class Chain:
    """The findings about one log. `count` lines were read; `notes` are remarks that break nothing.

    `torn` are those of the problems that are no more than a last line cut short, as a crash leaves it: whatever is
    written next closes it.
    """

    count: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    torn: list[Problem] = field(default_factory=list)

    @property
    def lasting(self) -> list[Problem]:
        """The problems that no further line mends."""
        return [problem for problem in self.problems if problem not in self.torn]


def examine(path: Path, name: str = "custody.jsonl") -> Chain:
    """Read the whole log and say all that is wrong with it. `name` is how the problems call it."""
    return judge(read(path), name)


def judge(entries: Iterable[Entry], name: str = "custody.jsonl") -> Chain:
    """The same of entries however they are read; reading them may raise OSError, which is a problem then."""
    chain = Chain()
    before: Entry | None = None
    unread: Entry | None = None
    hashes: set[str] = set()
    lines: list[CustodyLine | SignedLine | None] = []
    latest = ""
    try:
        for entry in entries:
            if unread is not None:
                if not _names_torn(entry, unread):
                    chain.problems.append(_unreadable(name, unread))
                unread = None
            if not entry.complete:
                chain.problems.append(_incomplete(name, entry))
            if entry.line is None:
                unread = entry
            else:
                chain.problems += _broken_links(name, entry, entry.line, before, hashes)
                latest = _clock_note(chain, entry.line, lines[-1] if lines else None, latest)
            hashes.add(entry.sha256)
            lines.append(entry.line)
            before = entry
    except OSError as trouble:
        chain.problems.append(Problem(name, f"cannot be read: {trouble.strerror or trouble}"))
    if unread is not None:
        chain.problems.append(_unreadable(name, unread))
    if before is not None and not before.complete and len(before.raw) < MAX_LINE - 1:
        chain.torn = [_incomplete(name, before), *([] if unread is None else [_unreadable(name, unread)])]
    chain.count = len(lines)
    if not lines and not chain.problems:
        chain.problems.append(Problem(name, "holds no line"))
    chain.notes += [
        f"{name}: line {intent.seq} {_OPEN.get(intent.event, _CUT_OFF)}" for intent in open_intents(iter(lines))
    ]
    return chain


def problems(path: Path, name: str = "custody.jsonl") -> list[Problem]:
    """Everything that is wrong with the log; empty for a sound one."""
    return examine(path, name).problems


def _broken_links(
    name: str, entry: Entry, line: CustodyLine | SignedLine, before: Entry | None, hashes: set[str]
) -> list[Problem]:
    found: list[Problem] = []
    if line.seq != entry.number:
        found.append(Problem(name, f"line {entry.number} has another number", str(entry.number), str(line.seq)))
    previous = GENESIS if before is None else before.sha256
    if line.prev != previous:
        found.append(
            Problem(
                name, f"line {entry.number} does not follow on the line before: the chain is cut", previous, line.prev
            )
        )
    if isinstance(line, SignedLine) and line.of not in hashes:
        found.append(Problem(name, f"line {entry.number} signs a line that is not in this log", None, line.of))
    if isinstance(line, CustodyLine) and line.event == "sealed" and line.result != "ok":
        found.append(Problem(name, f"line {entry.number} says sealed without ok", "ok", line.result))
    return found


def _names_torn(entry: Entry, torn: Entry) -> bool:
    """A line that is none is accepted only where the line after it is an `error` that names its very bytes."""
    line = entry.line
    return isinstance(line, CustodyLine) and line.event == "error" and line.inputs == (torn.named(),)


def _incomplete(name: str, entry: Entry) -> Problem:
    return Problem(name, f"line {entry.number} does not end with a newline: it was cut short or is too long")


def _unreadable(name: str, entry: Entry) -> Problem:
    return Problem(name, f"line {entry.number} {entry.trouble}")


def _clock_note(
    chain: Chain, line: CustodyLine | SignedLine, before: CustodyLine | SignedLine | None, latest: str
) -> str:
    announced = "clock-anomaly" in {line.event, before.event if before else ""}
    if line.at < latest and not announced:
        chain.notes.append(f"line {line.seq} is dated {line.at}, before an earlier line ({latest}): a clock went back")
    return max(line.at, latest)


def first_difference(sealed: Path, living: Path) -> int | None:
    """The number of the first line where `living` does not go on as `sealed` does; None when it does to the end.

    `sealed` must end with a whole line. Raises OSError when one cannot be read.
    """
    for number, (ours, theirs) in enumerate(zip_longest(read(sealed), read(living))):
        if ours is None:
            return None
        if theirs is None or ours.raw != theirs.raw or not (ours.complete and theirs.complete):
            return number
    return None


def is_prefix(sealed: Path, living: Path) -> bool:
    """True when `living` begins with `sealed`, byte for byte and to the end of a line."""
    with durable.open_regular(sealed) as short, durable.open_regular(living) as long:
        last = b"\n"
        while block := short.read(_BLOCK):
            if long.read(len(block)) != block:
                return False
            last = block[-1:]
    return last == b"\n"
