"""`bagtag custody sign`: somebody vouches for the log as it stands: a reviewer, a second examiner, a court's clerk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console
from bagtag.cli.actors import account, actor
from bagtag.cli.custody.writing import LogOption, key_kept, tell
from bagtag.cli.endings import DONE
from bagtag.cli.options import FolderArgument, JsonOption
from bagtag.cli.signing import SIGNING, SignerOption, load_signer

if TYPE_CHECKING:
    from bagtag.custody.line import SignedLine


def sign(
    context: typer.Context,
    *,
    dest: FolderArgument,
    sign_key: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            show_default=False,
            rich_help_panel=SIGNING,
            help="The signing key, as `bagtag signer new` wrote it.",
        ),
    ],
    signer_name: SignerOption = None,
    log: LogOption = None,
    as_json: JsonOption = False,
) -> int:
    """Sign the custody log: a signature over its last line, which by its chain holds all before it.

    The public key goes into DEST/seal/, and the line that says so names the signer. Exit code 4 when the chain of the
    log is broken.
    """  # fmt: skip
    from bagtag.custody import living

    signer = load_signer(sign_key)
    custody = living.opened(dest, log)
    kept = key_kept(dest, custody, signer, elsewhere=log is not None)
    holder = _holder(custody.path, signer.keyid)
    who = actor(signer_name) if signer_name is not None else holder or account()
    if kept or custody.torn or (signer_name is not None and holder != who):
        line = custody.append(
            "stored" if kept else "note", result="ok", actor=who, command=context.obj, outputs=kept,
            note=f"{who} signs with the key {signer.keyid}", signer=signer,
        )  # fmt: skip
        tell(custody.path, line, signer.keyid, as_json=as_json)
    else:
        _tell_signature(custody.path, custody.sign(signer), as_json=as_json)
    return DONE


def _holder(log: Path, keyid: str) -> str | None:
    """Whose key it is by what the log says."""
    from bagtag.custody.log import read
    from bagtag.reports.bundle.public_keys import holders

    return holders(entry.line for entry in read(log)).get(keyid)


def _tell_signature(log: Path, line: SignedLine, *, as_json: bool) -> None:
    if as_json:
        console.json_line({"log": log, "line": line, "keyid": line.keyid})
        return
    console.result(f"line {line.seq}  signed, by the key {line.keyid}")
    console.result(f"over    line {line.seq - 1}, sha256 {line.of}")
    console.result(f"log     {console.safe(str(log))}")
