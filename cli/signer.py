"""`bagtag signer`: the key of somebody who signs, and what a lab's register needs to know of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console
from bagtag.cli.actors import account
from bagtag.cli.endings import DONE
from bagtag.cli.options import JsonOption
from bagtag.cli.signing import load_signer, new_passphrase
from bagtag.custody.errors import UsageError

if TYPE_CHECKING:
    from bagtag.custody.signer import PublicKey

_PEEKED = 1 << 12

signer = typer.Typer(help="Keys that sign.", no_args_is_help=True, rich_markup_mode=None)

NameOption = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        metavar="NAME",
        show_default=False,
        help="Whose key it is, for the register; may be repeated. Default: the account's name.",
    ),
]


@signer.command(epilog="Example: bagtag signer new lab.key --name 'Ann Lee'")
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="A new file: the private key.")],
    name: NameOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a signing key (Ed25519), kept under a passphrase, and print its id and its line for the lab's register.

    The passphrase is BAGTAG_SIGNER_PASSPHRASE, else it is asked for twice.
    """
    from bagtag.custody.allowed_signers import register_line
    from bagtag.custody.signer import Signer

    names = _names(name)
    if file.exists() or file.is_symlink():
        raise UsageError(f"{file} exists", hint="a key is never written over: name a new file")
    made = Signer.create(file, new_passphrase()).public
    line = register_line(names, made)
    if as_json:
        console.json_line({"file": file, "keyid": made.keyid, "names": names, "register": line})
    else:
        console.result(f"signing key   {console.safe(str(file))}")
        console.result(f"key id        {made.keyid}")
        console.result("for the lab's register of signers (allowed signers):")
        console.result(console.safe(line))
    console.say(f"keep {file} and its passphrase apart; nothing brings back either")
    return DONE


@signer.command(epilog="Example: bagtag signer show lab.key --public ann-lee.pub.pem")
def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="A signing key, or a public key in PEM.")
    ],
    public: Annotated[
        Path | None,
        typer.Option(metavar="OUT.pem", show_default=False, help="Write the public key here, to hand out."),
    ] = None,
    name: NameOption = None,
    as_json: JsonOption = False,
) -> int:
    """Print a key's id, its public key, and its line for the lab's register."""
    from bagtag.custody.allowed_signers import register_line

    names = _names(name)
    key = _public(file)
    line = register_line(names, key)
    if public is not None:
        _write(public, key.pem)
    if as_json:
        told = {"keyid": key.keyid, "public": key.pem.decode("ascii"), "names": names, "register": line}
        console.json_line(told)
        return DONE
    console.result(f"key id        {key.keyid}")
    console.result(console.safe(line))
    for row in key.pem.decode("ascii").splitlines():
        console.result(row)
    return DONE


def _names(given: list[str] | None) -> list[str]:
    """The names, checked before a key is made for them. Raises UsageError for one that no register can hold."""
    from bagtag.custody.allowed_signers import checked_names

    return checked_names(given or [account() or "signer"])


def _public(file: Path) -> PublicKey:
    """The public key in a file, or of the private key in it, which its passphrase opens. Raises UsageError."""
    from bagtag.custody import allowed_signers, durable

    try:
        with durable.open_regular(file) as source:
            is_public = b"-----BEGIN PUBLIC KEY-----" in source.read(_PEEKED)
    except OSError as trouble:
        raise UsageError(f"{file} cannot be read: {trouble.strerror or trouble}", hint="name a key") from trouble
    return allowed_signers.read(file)[0].key if is_public else load_signer(file).public


def _write(path: Path, content: bytes) -> None:
    """A file that may be handed out, and is never written over another."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    except FileExistsError as trouble:
        raise UsageError(f"{path} exists and is not written over", hint="name a new file") from trouble
    except OSError as trouble:
        raise UsageError(f"{path} cannot be written: {trouble.strerror}", hint="name a writable place") from trouble
    with os.fdopen(handle, "wb") as file:
        file.write(content)
