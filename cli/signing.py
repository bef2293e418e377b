"""The signing key of whoever signs, and where its passphrase may come from: the environment or the terminal.

Never from the command line, as with the passphrase of a backup (`bagtag.cli.passphrase`); and never from that one's
variable: who may open a backup need not be who signs for the lab.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console
from bagtag.custody.errors import PassphraseError

if TYPE_CHECKING:
    from bagtag.custody.signer import Signer

VARIABLE = "BAGTAG_SIGNER_PASSPHRASE"
SIGNING = "Signing and stamping"
"""The panel of the options that vouch for a folder."""

SignKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--sign-key",
        metavar="FILE",
        show_default=False,
        rich_help_panel=SIGNING,
        help=f"Sign with this key, as `bagtag signer new` wrote it. Its passphrase: {VARIABLE}, else asked.",
    ),
]
SignerOption = Annotated[
    str | None,
    typer.Option(
        "--signer", metavar="NAME", show_default=False, rich_help_panel=SIGNING, help="Who signs with that key."
    ),
]

TsaOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL", show_default=False, rich_help_panel=SIGNING, help="Have it stamped by this authority (RFC 3161)."
    ),
]
TsaCaOption = Annotated[
    Path | None,
    typer.Option(
        metavar="CA.pem",
        show_default=False,
        rich_help_panel=SIGNING,
        help="The certificates that the stamp must lead to.",
    ),
]

_HINT = f"set {VARIABLE}, or answer the question on a terminal"
_TRIES = 3
_LONGEST = 1023
"""Bytes of a passphrase that OpenSSL takes."""


def load_signer(path: Path) -> Signer:
    """The key in `path`, opened with the passphrase from the environment or the terminal (three tries there).

    Raises UsageError when the file holds no key that signs, PassphraseError when the passphrase is missing or wrong.
    """
    from bagtag.custody.signer import Signer, key_file

    key_file(path)  # a file that is none is told before anybody is asked for its passphrase
    if given := os.environ.get(VARIABLE):
        return Signer.load(path, given)
    for tries_left in reversed(range(_TRIES)):
        given = _asked(f"Passphrase of the signing key {console.safe(str(path))}: ")
        try:
            return Signer.load(path, given)
        except PassphraseError as trouble:
            if not tries_left:
                raise
            console.say(trouble.message)
    raise AssertionError("the last try returned or raised")


def new_passphrase() -> str:
    """The passphrase of a new key: from the environment, else asked for twice. Raises PassphraseError."""
    given = os.environ.get(VARIABLE)
    if not given:
        given = _asked("Passphrase of the new signing key: ")
        if given != _asked("The same once more: "):
            raise PassphraseError("the two passphrases differ", hint="run the same command again")
    if not given:
        raise PassphraseError("a signing key is never kept without a passphrase", hint=_HINT)
    if len(given.encode("utf-8", "surrogateescape")) > _LONGEST:
        raise PassphraseError(f"the passphrase is longer than {_LONGEST:,} bytes", hint="choose a shorter one")
    return given


def _asked(question: str) -> str:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise PassphraseError("the signing key is kept under a passphrase, which is needed", hint=_HINT)
    console.pause()
    try:
        return getpass.getpass(question, stream=sys.stderr)
    except EOFError as trouble:
        raise PassphraseError("no passphrase was given", hint=_HINT) from trouble
