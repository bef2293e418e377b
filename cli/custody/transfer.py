"""`bagtag custody transfer`: evidence changes hands. Each side writes, and signs, on its own machine.

The releaser writes that it was given out, the receiver that it came in (or was refused). Between the two lines the
log says that a transfer is under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console
from bagtag.cli.actors import ActorOption, actor
from bagtag.cli.custody.writing import AuthorityOption, LogOption, ReasonOption, key_kept, signing_key, write
from bagtag.cli.endings import DONE
from bagtag.cli.options import FolderArgument, JsonOption
from bagtag.cli.signing import SignKeyOption
from bagtag.custody.errors import UsageError

if TYPE_CHECKING:
    from bagtag.custody.line import CustodyLine, Result
    from bagtag.custody.log import CustodyLog

SIDE = "Which side"
DETAILS = "How it travels"


def _detail(help_text: str) -> Any:
    return typer.Option(metavar="TEXT", show_default=False, rich_help_panel=DETAILS, help=help_text)


def transfer(
    context: typer.Context,
    *,
    dest: FolderArgument,
    giver: Annotated[
        str | None,
        typer.Option("--from", metavar="A", show_default=False, rich_help_panel=SIDE, help="Who releases it."),
    ] = None,
    taker: Annotated[
        str | None,
        typer.Option("--to", metavar="B", show_default=False, rich_help_panel=SIDE, help="Who is to receive it."),
    ] = None,
    received: Annotated[
        bool, typer.Option("--received", rich_help_panel=SIDE, help="The receiver's line: it came in.")
    ] = False,
    refused: Annotated[
        bool, typer.Option("--refused", rich_help_panel=SIDE, help="The receiver's line: it was not accepted.")
    ] = False,
    actor_name: ActorOption = None,
    method: Annotated[str | None, _detail("By hand, by courier, over a network.")] = None,
    carrier: Annotated[str | None, _detail("Who carries it.")] = None,
    tracking: Annotated[str | None, _detail("The carrier's number.")] = None,
    container: Annotated[str | None, _detail("What it is in.")] = None,
    seal_old: Annotated[str | None, _detail("The seal that was opened.")] = None,
    seal_new: Annotated[str | None, _detail("The seal that was put on.")] = None,
    condition: Annotated[str | None, _detail("In what state it is.")] = None,
    reason: ReasonOption = None,
    authority: AuthorityOption = None,
    log: LogOption = None,
    sign_key: SignKeyOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write that the evidence changes hands: --from A --to B on the releaser's machine, --received on the receiver's.

    The bag digest is compared with the one that the log names first (exit code 4 when it differs, or when the chain of
    the log is broken). With --sign-key the line is signed.
    """
    from bagtag.custody import bag_digest, living
    from bagtag.custody.handover import Details, Handover, sentence

    details = Details(
        method=method, carrier=carrier, tracking=tracking, container=container, old_seal=seal_old, new_seal=seal_new,
        condition=condition,
    )  # fmt: skip
    if received or refused:
        _receivers_call(giver, taker, both=received and refused)
        who = actor(actor_name)
    else:
        who, taker = _releasers_call(giver, taker, actor_name)
    signer = signing_key(sign_key)
    custody = living.opened(dest, log)
    inputs = [bag_digest.compared(dest, custody.path)]
    outcome: Result
    if received or refused:
        released = _under_way(custody)
        said = sentence(Handover("received" if received else "refused", who, released.actor, details))
        _tell_other_receiver(released, who)
        outcome = "ok" if received else "failed"
    else:
        said = sentence(Handover("released", who, taker or "", details))
        outcome = "begun"
        if custody_open := [intent for intent in custody.open_intents() if intent.event == "transferred"]:
            console.say(f"line {custody_open[-1].seq} released it already, and nobody has said that it came in")
    write(
        custody, "transferred", result=outcome, actor=who, command=context.obj, reason=reason, authority=authority,
        inputs=inputs, outputs=key_kept(dest, custody, signer, elsewhere=log is not None), note=said, signer=signer,
        as_json=as_json,
    )  # fmt: skip
    return DONE


def _receivers_call(giver: str | None, taker: str | None, *, both: bool) -> None:
    if both:
        raise UsageError("--received and --refused are both given", hint="give the one that happened")
    if giver is not None or taker is not None:
        raise UsageError(
            "--from and --to are the releaser's; the log tells the receiver who released it",
            hint="`bagtag custody transfer DEST --received --actor NAME`",
        )


def _releasers_call(giver: str | None, taker: str | None, actor_name: str | None) -> tuple[str, str]:
    """Who releases it, and to whom."""
    if taker is None:
        raise UsageError(
            "to whom? --to is missing", hint="--from A --to B releases it; --received says that it came in"
        )
    if giver is not None and actor_name is not None and giver.strip() != actor_name.strip():
        raise UsageError("--from and --actor name two people", hint="who releases it writes the line: give one of them")
    return actor(giver if giver is not None else actor_name), taker


def _under_way(custody: CustodyLog) -> CustodyLine:
    """The line that released it. Raises UsageError when there is none that nobody answered."""
    lines = [intent for intent in custody.open_intents() if intent.event == "transferred"]
    if not lines:
        raise UsageError(
            f"{custody.path} tells of no transfer under way",
            hint="the releaser writes first: `bagtag custody transfer DEST --from A --to B`",
        )
    return lines[-1]


def _tell_other_receiver(released: CustodyLine, who: str) -> None:
    from bagtag.custody.handover import parse

    told = parse(released.note or "")
    if told is not None and told.other != who:
        console.say(f"line {released.seq} released it to {told.other}, not to {who}")
