"""One line written by a person's command: the options that all of them share, and what is said of it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console

if TYPE_CHECKING:
    from bagtag.custody.line import Artifact, CustodyLine, Event, Result
    from bagtag.custody.log import CustodyLog
    from bagtag.custody.signer import Signer

LogOption = Annotated[
    Path | None,
    typer.Option(
        "--log",
        metavar="FILE",
        show_default=False,
        help="The log that goes on elsewhere, where DEST is read-only; a new FILE begins as a copy of DEST's own.",
    ),
]
ReasonOption = Annotated[str | None, typer.Option(metavar="TEXT", show_default=False, help="Why.")]
AuthorityOption = Annotated[
    str | None,
    typer.Option(metavar="TEXT", show_default=False, help="By what authority: warrant, order, consent."),
]


def signing_key(sign_key: Path | None) -> Signer | None:
    """The key of `--sign-key`, asked for before anything is written."""
    from bagtag.cli.signing import load_signer

    return None if sign_key is None else load_signer(sign_key)


def key_kept(dest: Path, custody: CustodyLog, signer: Signer | None, *, elsewhere: bool) -> tuple[Artifact, ...]:
    """Have the signer's public key in the seal folder; its file, unless the log names it already.

    Nothing of that where the log is kept elsewhere: DEST is not written to then.
    """
    from bagtag.custody.line import CustodyLine
    from bagtag.custody.log import read
    from bagtag.reports.bundle import public_keys

    if signer is None or elsewhere:
        return ()
    kept = public_keys.keep(dest, signer.public)
    named = any(kept in entry.line.outputs for entry in read(custody.path) if isinstance(entry.line, CustodyLine))
    return () if named else (kept,)


def write(
    custody: CustodyLog,
    event: Event,
    *,
    result: Result,
    actor: str,
    command: Sequence[str],
    reason: str | None = None,
    authority: str | None = None,
    inputs: Sequence[Artifact] = (),
    outputs: Sequence[Artifact] = (),
    note: str | None = None,
    signer: Signer | None = None,
    as_json: bool = False,
) -> None:
    """Write the line, signed when there is a key, and say which one it is."""
    line = custody.append(
        event, result=result, actor=actor, reason=reason, authority=authority, command=command, inputs=inputs,
        outputs=outputs, note=note, signer=signer,
    )  # fmt: skip
    tell(custody.path, line, None if signer is None else signer.keyid, as_json=as_json)


def tell(log: Path, line: CustodyLine, keyid: str | None, *, as_json: bool) -> None:
    """Print what was written, and the digest by which anybody can hold the log to it."""
    from bagtag.custody.line import digest, encode

    sha256 = digest(encode(line))
    if as_json:
        console.json_line({"log": log, "line": line, "sha256": sha256, "keyid": keyid})
        return
    console.result(f"line {line.seq}  {line.event}, {line.result}, by {console.safe(line.actor)}")
    if line.note:
        console.result(console.block(line.note, "  "))
    console.result(f"sha256  {sha256}")
    if keyid is not None:
        console.result(f"signed  by the key {keyid}, in line {line.seq + 1}")
    console.result(f"log     {console.safe(str(log))}")
