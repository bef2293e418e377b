"""The passphrase of a backup, and where it may come from: a file, standard input, the environment, the terminal.

Never from the command line: other users of the computer can read argv. The value goes to `Backup.unlock` and nowhere
else; only which source it came from is said.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bagtag.cli import console
from bagtag.custody.errors import EvidenceError, PassphraseError, UsageError

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup
    from bagtag.extract.keybag import KeyBag
    from bagtag.extract.keys.passphrase_forms import Form

VARIABLE = "BAGTAG_PASSPHRASE"

_HINT = f"give --passphrase-file FILE, set {VARIABLE}, or answer the question on a terminal"
_LONGEST_LINE = 64 * 1024
_KEY = re.compile(rb"[0-9A-Fa-f]{64}")
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where the user says the secret is. Paths alone; the secret itself is read when it is needed."""

    passphrase_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        """Raise UsageError when both are given: which one counts is never guessed."""
        if self.passphrase_file is not None and self.key_file is not None:
            raise UsageError("--passphrase-file and --key-file are both given", hint="give one of them")

    def unlock(self, backup: Backup) -> None:
        """Unlock the backup and say which source the secret came from.

        Raises PassphraseError (missing or wrong), EvidenceError (the key bag is damaged), UsageError (unreadable file).
        """
        if backup.key_bag is None:
            backup.unlock()  # raises, and knows best why there is no key bag
            return
        backup.key_bag.check()
        if self.key_file is not None:
            _unlock_with_key(backup, self.key_file)
            console.say(f"unlocked with the derived key in {self.key_file}")
            return
        given = self._given()
        if given is None:
            _ask(backup)
            return
        say_form(_opened(backup, given.text, carriage_return=given.carriage_return))
        console.say(f"unlocked with the passphrase from {given.source}")

    def _given(self) -> _Given | None:
        if self.passphrase_file is not None:
            standard_input = str(self.passphrase_file) == "-"
            if standard_input and sys.stdin.isatty():
                return None
            line = _first_line(self.passphrase_file)
            source = "standard input" if standard_input else str(self.passphrase_file)
            passphrase = line.removesuffix(b"\r")
            if not passphrase:
                raise PassphraseError(f"the first line of {source} is empty", hint="it should be the passphrase")
            return _Given(passphrase.decode("utf-8", "surrogateescape"), source, passphrase != line)
        text = os.environ.get(VARIABLE)
        return _Given(text, f"the environment variable {VARIABLE}") if text else None


@dataclass(frozen=True, slots=True)
class _Given:
    """A passphrase, where it came from, and whether its line ended in a carriage return."""

    text: str = field(repr=False)
    source: str
    carriage_return: bool = False


def say_form(form: Form) -> None:
    """Say which form of a passphrase fits, unless it is the one that was given."""
    from bagtag.extract.keys.passphrase_forms import AS_GIVEN

    if form.name != AS_GIVEN:
        console.say(f"the passphrase fits {form.name}, not {AS_GIVEN}")


def _opened(backup: Backup, passphrase: str, *, carriage_return: bool = False) -> Form:
    """Unlock with the first form of the passphrase that fits. Raises PassphraseError when none does."""
    from bagtag.extract.keys.passphrase_forms import forms

    refused: PassphraseError | None = None
    for form in forms(passphrase, carriage_return=carriage_return):
        try:
            with console.watching() as progress:
                backup.unlock(passphrase=form.text, progress=progress)
        except PassphraseError as trouble:
            refused = refused or trouble
        else:
            return form
    assert refused is not None  # there is always one form
    raise refused


def _unlock_with_key(backup: Backup, path: Path) -> None:
    if backup.needs_passphrase_itself:
        raise PassphraseError(
            "a derived key does not open this backup: iOS 10.0 encrypts the records of its index with the passphrase "
            "itself",
            hint=f"give the passphrase instead of --key-file: --passphrase-file FILE or {VARIABLE}",
        )
    line = _first_line(path).strip()
    if not _KEY.fullmatch(line):
        raise PassphraseError(
            f"the first line of {path} is no derived key: 64 hex digits are expected",
            hint="`bagtag unlock BACKUP --save-key FILE` writes such a file",
        )
    try:
        backup.unlock(key=bytes.fromhex(line.decode()))
    except PassphraseError as trouble:
        raise PassphraseError(
            f"the key in {path} does not open this backup", hint="a derived key fits one backup's key bag only"
        ) from trouble


def _ask(backup: Backup) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise PassphraseError("this backup is encrypted: a passphrase is needed", hint=_HINT)
    for tries_left in reversed(range(_TRIES)):
        console.pause()
        try:
            passphrase = getpass.getpass("Passphrase of the backup: ", stream=sys.stderr)
        except EOFError as trouble:
            raise PassphraseError("no passphrase was given", hint=_HINT) from trouble
        try:
            form = _opened(backup, passphrase)
        except PassphraseError as trouble:
            if not tries_left:
                raise
            console.say(trouble.message)
            continue
        say_form(form)
        return


def _first_line(path: Path) -> bytes:
    """The first line without its newline. A byte order mark, as Windows editors write it, is no part of it."""
    try:
        if str(path) == "-":
            line = sys.stdin.buffer.readline(_LONGEST_LINE)
        else:
            with path.open("rb") as source:
                line = source.readline(_LONGEST_LINE)
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read: {trouble.strerror}", hint="name a readable file") from trouble
    return line.removesuffix(b"\n").removeprefix(b"\xef\xbb\xbf")


def key_bag(backup: Backup) -> KeyBag:
    """The key bag that a passphrase can be tried on. Raises EvidenceError when there is none or it is damaged."""
    if backup.state != "encrypted":
        raise EvidenceError(
            "this backup was already decrypted in place by another tool: there is no passphrase to try on its blobs"
            if backup.state == "already-plain"
            else "this backup is not encrypted: there is no passphrase to try and no key to save",
            hint="its files can be read as they are, for example with `bagtag files BACKUP`",
        )
    if backup.key_bag is None:
        raise EvidenceError(
            "this backup is encrypted, but holds no key bag: no passphrase can be tried",
            hint="look for another copy of Manifest.plist",
        )
    backup.key_bag.check()
    return backup.key_bag
