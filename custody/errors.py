"""The ways a command can end early.

Each error carries the sentence for the person at the terminal, a hint what to do next, and the exit code that the
public contract gives its kind. Damage found *in* evidence is never an error of this module: it is an
`Issue` value (`bagtag.extract.evidence`) that travels with the evidence.
"""

from __future__ import annotations


class BagtagError(Exception):
    """A command cannot go on. `exit_code` is part of the public contract."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BagtagError):
    """The call does not make sense as given: exit code 2."""

    exit_code = 2


class EvidenceError(BagtagError):
    """The evidence cannot be used (not a backup, damaged key bag, …): exit code 3."""

    exit_code = 3


class VerificationError(BagtagError):
    """Something differs from what was sealed: exit code 4."""

    exit_code = 4


class StoppedError(BagtagError):
    """Stopped with its state kept; the same command continues: exit code 5."""

    exit_code = 5


class PassphraseError(BagtagError):
    """A passphrase or key is missing or wrong: exit code 6."""

    exit_code = 6
