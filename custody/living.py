"""The living log of an evidence folder: its custody.jsonl, or a file elsewhere that goes on from it.

A folder on a disc, under seal or in another's keeping is not written to; what happens to it is written all the same,
in a file that begins with the folder's own log, byte for byte. The copy of the log in the bag is the beginning of both.
"""

from __future__ import annotations

from pathlib import Path

from bagtag.custody import chain, durable
from bagtag.custody.chain import Chain
from bagtag.custody.errors import EvidenceError, UsageError, VerificationError
from bagtag.custody.log import CustodyLog
from bagtag.custody.problem import Problem

NAME = "custody.jsonl"
SEALED = f"bag/{NAME}"
_MOST_NAMED = 5
_BLOCK = 1 << 20


def path(dest: Path, elsewhere: Path | None = None) -> Path:
    """The log to read. Raises EvidenceError when `dest` holds none, UsageError when `elsewhere` does not go on from it.

    Nothing is written.
    """
    own = _own(dest)
    if elsewhere is None:
        return own
    if not elsewhere.is_file():
        raise UsageError(f"{elsewhere} is no file", hint="name the file that an earlier --log wrote")
    if not _begins_with(elsewhere, own):
        number = chain.first_difference(own, elsewhere)
        raise UsageError(
            f"{elsewhere} does not begin with {own}: it differs from line {number} on",
            hint="name the file that goes on from this folder's log",
        )
    return elsewhere


def opened(dest: Path, elsewhere: Path | None = None) -> CustodyLog:
    """The log to write to. A file elsewhere that is not there yet begins as a copy of the folder's own.

    Raises EvidenceError and UsageError as `path` does; VerificationError, naming what is wrong, for a log whose chain
    is broken: a line that hangs on it would prove nothing. A last line that a crash cut short is none of that.
    """
    own = _own(dest)
    refuse_broken(dest, own)
    if elsewhere is None:
        return CustodyLog.open(own)
    if elsewhere.resolve().is_relative_to(dest.resolve()):
        raise UsageError(
            f"{elsewhere} lies inside {dest}", hint="keep the log that goes on outside the evidence folder"
        )
    custody = CustodyLog.open(elsewhere)
    custody.go_on_from(own)
    refuse_broken(dest, elsewhere)
    return custody


def examine(dest: Path, log: Path) -> Chain:
    """All that is wrong with the log at `log`, and with the bag's copy as its beginning."""
    found = chain.examine(log, NAME)
    sealed = dest / SEALED
    if not sealed.is_file() or sealed.is_symlink():
        found.problems.append(Problem(SEALED, "is not there: nothing shows what was sealed"))
        return found
    found.problems += chain.examine(sealed, SEALED).problems
    try:
        if not chain.is_prefix(sealed, log):
            number = chain.first_difference(sealed, log)
            at = "" if number is None else f" from line {number} on"
            found.problems.append(Problem(NAME, f"does not go on from {SEALED}: it differs{at}"))
    except OSError as trouble:
        found.problems.append(Problem(SEALED, f"cannot be read: {trouble.strerror or trouble}"))
    return found


def refuse_broken(dest: Path, log: Path) -> None:
    """Raises VerificationError when the log's chain is broken."""
    wrong = [str(problem) for problem in examine(dest, log).lasting]
    if wrong:
        more = [f"and {len(wrong) - _MOST_NAMED:,} more"] if len(wrong) > _MOST_NAMED else []
        raise VerificationError(
            "\n".join([f"the chain of {log} is broken, so nothing is written to it:", *wrong[:_MOST_NAMED], *more]),
            hint="`bagtag custody verify` lists every problem; keep the log as it is, and look for another copy",
        )


def _own(dest: Path) -> Path:
    own = dest / NAME
    if own.is_symlink() or not own.is_file():
        raise EvidenceError(
            f"{dest} holds no {NAME}", hint="name the evidence folder, the one that holds README.txt, bag/ and the log"
        )
    return own


def _begins_with(long: Path, short: Path) -> bool:
    """Byte for byte, whether or not `short` ends with a whole line."""
    with durable.open_regular(short) as beginning, durable.open_regular(long) as whole:
        while block := beginning.read(_BLOCK):
            if whole.read(len(block)) != block:
                return False
    return True
