"""Two copies of one custody log, and where they part.

Both parties keep writing after evidence was copied, and a `copied` line, the last that both logs have, says so. Where
logs part without one, somebody kept two books. A log that ends where another goes on has lost lines, or its owner has
not heard of them yet: that depends on whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from bagtag.custody.line import CustodyLine, SignedLine
from bagtag.custody.log import Entry, read


@dataclass(frozen=True, slots=True)
class Parting:
    """`shared`: the number of lines that both have, from the first on; `ours`, `theirs`: how many each has in all.

    `copied`: the last of the shared lines says that a copy was made (or signs the line that says so).
    """

    shared: int
    ours: int
    theirs: int
    copied: bool

    @property
    def problem(self) -> str | None:
        """What is wrong with our log, as a predicate; None when nothing is."""
        if self.shared == self.theirs or self._two_copies:
            return None
        if self.shared == self.ours:
            return f"was cut: the other copy goes on after line {self.ours - 1}"
        return f"differs from the other copy from line {self.shared} on, and no line says that a copy was made there"

    @property
    def note(self) -> str | None:
        """What is worth saying of a sound pair."""
        if self._two_copies:
            return (
                f"the other copy goes its own way after line {self.shared - 1}, which says that a copy was made: "
                f"it has {self.theirs - self.shared} further lines, this one {self.ours - self.shared}"
            )
        if self.shared == self.theirs < self.ours:
            return f"the other copy ends with line {self.theirs - 1}, this one goes on to line {self.ours - 1}"
        return None

    @property
    def _two_copies(self) -> bool:
        return self.copied and self.shared < min(self.ours, self.theirs)


def compare(ours: Path, theirs: Path) -> Parting:
    """Read both logs to the end. Raises OSError."""
    return between(read(ours), read(theirs))


def between(ours: Iterable[Entry], theirs: Iterable[Entry]) -> Parting:
    """The same of entries however they are read."""
    shared = our_count = their_count = 0
    together = True
    last: list[Entry] = []
    for mine, other in zip_longest(ours, theirs):
        our_count += mine is not None
        their_count += other is not None
        together = together and mine is not None and other is not None and _same(mine, other)
        if together and mine is not None:
            shared += 1
            last = [*last[-1:], mine]
    return Parting(shared, our_count, their_count, _says_copied(last))


def _same(mine: Entry, other: Entry) -> bool:
    return mine.raw == other.raw and mine.complete and other.complete


def _says_copied(last: list[Entry]) -> bool:
    if not last:
        return False
    line = last[-1].line
    if isinstance(line, SignedLine) and len(last) == 2 and line.of == last[0].sha256:
        line = last[0].line
    return isinstance(line, CustodyLine) and line.event == "copied" and line.result == "ok"
