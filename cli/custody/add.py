"""`bagtag custody add`: one more line, about a step that no command of bagtag does."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli.actors import ActorOption, actor
from bagtag.cli.custody.writing import AuthorityOption, LogOption, ReasonOption, key_kept, signing_key, write
from bagtag.cli.endings import DONE
from bagtag.cli.options import FolderArgument, JsonOption
from bagtag.cli.signing import SignKeyOption
from bagtag.custody.errors import UsageError

if TYPE_CHECKING:
    from bagtag.custody.line import Artifact

PARTICULARS = "Particulars"


class EventName(StrEnum):
    """The events that a person may report, as `bagtag.custody.free_steps` has them."""

    RECEIVED = "received"
    STORED = "stored"
    DISCLOSED = "disclosed"
    COPIED = "copied"
    RETURNED = "returned"
    EXAMINED = "examined"
    NOTE = "note"
    CORRECTION = "correction"
    ERROR = "error"
    CLOCK_ANOMALY = "clock-anomaly"


def _said(help_text: str, metavar: str = "TEXT") -> Any:
    return typer.Option(metavar=metavar, show_default=False, rich_help_panel=PARTICULARS, help=help_text)


def add(
    context: typer.Context,
    *,
    dest: FolderArgument,
    event: Annotated[EventName, typer.Argument(metavar="EVENT", show_default=False, help=", ".join(EventName))],
    actor_name: ActorOption = None,
    reason: ReasonOption = None,
    authority: AuthorityOption = None,
    said: Annotated[str | None, typer.Option("--note", metavar="TEXT", show_default=False, help="What else.")] = None,
    sender: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="WHO", show_default=False, rich_help_panel=PARTICULARS, help="received: from whom."
        ),
    ] = None,
    to: Annotated[str | None, _said("copied, disclosed, returned: to whom.", "WHO")] = None,
    condition: Annotated[str | None, _said("received, stored, copied, returned: in what state.")] = None,
    copy_number: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default=False,
            rich_help_panel=PARTICULARS,
            help="copied: the copy's number; default: the next.",
        ),
    ] = None,
    corrects: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="SEQ",
            show_default=False,
            rich_help_panel=PARTICULARS,
            help="correction: the number of the line it corrects.",
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            metavar="FILE",
            show_default=False,
            help="A file that came of this step; the line holds its sha256. May be repeated.",
        ),
    ] = None,
    log: LogOption = None,
    sign_key: SignKeyOption = None,
    as_json: JsonOption = False,
) -> int:
    """Add a line to the custody log: evidence received, stored, copied, disclosed, returned; a note, a correction.

    Nothing that stands in the log is ever changed: a correction names the line it corrects. Exit code 4 when the chain
    of the log is broken, or the bag digest is not the one that the log names.
    """  # fmt: skip
    from bagtag.custody import bag_digest, living
    from bagtag.custody.free_steps import FREE_EVENTS, MOVES, Particulars, check, corrected, note, result

    kind = next(known for known in FREE_EVENTS if known == event.value)
    particulars = Particulars(
        note=said, sender=sender, to=to, condition=condition, copy_number=copy_number, corrects=corrects
    )
    check(kind, particulars)
    who = actor(actor_name)
    outputs = [_hashed(file) for file in files or ()]
    signer = signing_key(sign_key)
    custody = living.opened(dest, log)
    inputs: list[Artifact] = []
    if kind in MOVES:
        inputs.append(bag_digest.compared(dest, custody.path))
    if corrects is not None:
        inputs.append(corrected(custody.path, corrects))
    text = note(kind, particulars, custody.path)
    write(
        custody, kind, result=result(kind), actor=who, command=context.obj, reason=reason, authority=authority,
        inputs=inputs, outputs=[*outputs, *key_kept(dest, custody, signer, elsewhere=log is not None)], note=text,
        signer=signer, as_json=as_json,
    )  # fmt: skip
    return DONE


def _hashed(path: Path) -> Artifact:
    from bagtag.custody import bag_digest

    try:
        return bag_digest.artifact(path, path.as_posix())
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read: {trouble.strerror or trouble}", hint="name a file") from trouble
