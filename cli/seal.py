"""`bagtag seal`: a signature or a time stamp for an evidence folder that is closed already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bagtag.cli import actors, console, signing
from bagtag.cli.endings import DONE
from bagtag.cli.options import FolderArgument, JsonOption
from bagtag.custody.errors import StoppedError, UsageError, VerificationError


def seal(
    context: typer.Context,
    *,
    dest: FolderArgument,
    sign_key: signing.SignKeyOption = None,
    signer: signing.SignerOption = None,
    tsa: signing.TsaOption = None,
    tsa_ca: signing.TsaCaOption = None,
    tsa_request: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.tsq",
            show_default=False,
            rich_help_panel=signing.SIGNING,
            help="Write a request, to be carried to an authority by hand.",
        ),
    ] = None,
    tsa_response: Annotated[
        Path | None,
        typer.Option(
            metavar="IN.tsr",
            show_default=False,
            rich_help_panel=signing.SIGNING,
            help="Take the response that was brought back.",
        ),
    ] = None,
    actor: actors.ActorOption = None,
    as_json: JsonOption = False,
) -> int:
    """Add a signature or a time stamp to an evidence folder. The bag is checked first, and never changed.

    A stamp goes over the network with --tsa; or by hand: --tsa-request OUT.tsq here, the file to the authority, and
    --tsa-response IN.tsr here again.
    """
    from bagtag.custody import living
    from bagtag.custody.durable import write
    from bagtag.reports.bundle.seal import Authority, Seal, read_certificates
    from bagtag.reports.bundle.verify import verify

    _asked(sign_key, tsa, tsa_request, tsa_response)
    if tsa_ca is not None and tsa is None and tsa_response is None:
        raise UsageError("--tsa-ca is given without a stamp", hint="add --tsa URL or --tsa-response IN.tsr")
    if tsa_request is not None and tsa_request.exists():
        raise UsageError(f"{tsa_request} exists", hint="name a new file")
    response = None if tsa_response is None else _response(tsa_response)
    certificates = () if tsa_ca is None else read_certificates(tsa_ca)
    key = None if sign_key is None else signing.load_signer(sign_key)
    here = Seal(dest, living.opened(dest), actors.actor(actor), context.obj)
    here.settle()
    with console.watching() as progress:
        found = verify(dest, progress=progress)
    if found.problems:
        raise VerificationError(
            f"{found.problems[0]} ({console.number(len(found.problems), 'problem')}): nothing was signed or stamped",
            hint=f"`bagtag verify {dest}` lists every problem",
        )
    mended = here.mend()
    told = [("stamp", f"{kept.name}, kept by a run that was cut off") for kept in mended if kept.name.endswith(".tsr")]
    if key is not None:
        new = here.sign(key, signer or here.actor)
        told += [("signed", f"by {signer or here.actor}" if new else "by this key already"), ("key id", key.keyid)]
    if tsa_request is not None:
        write(tsa_request, here.request())
        told.append(("request", f"{tsa_request}: bring the response back with `bagtag seal {dest} --tsa-response IN`"))
    stamped = [] if response is None else [here.receive(response, certificates)]
    if tsa is not None and not mended:
        stamped.append(here.stamp(Authority(tsa, certificates)))
    told += [("stamp", done.outputs[-1].name) for done in stamped if done.outputs]
    if key is not None and (line := here.cover(key)) is not None:
        told.append(("custody log", f"line {line.seq} signs all lines before it"))
    if as_json:
        console.json_line({"dest": dest, "bag_digest": found.bag_digest, "done": dict(told)})
    else:
        for label, said in [*told, ("bag digest", found.bag_digest or "")]:
            console.result(f"{label:<16}{console.safe(said)}")
    failure = next((done.failure for done in stamped if done.failure is not None), None)
    if failure is not None:
        raise StoppedError(failure, hint="the attempt is in the custody log; the same command tries again")
    return DONE


def _asked(*parts: object) -> None:
    if not any(part is not None for part in parts):
        raise UsageError(
            "nothing to add: no key and no time-stamping authority is named",
            hint="give --sign-key FILE, --tsa URL, --tsa-request OUT.tsq or --tsa-response IN.tsr",
        )


def _response(path: Path) -> bytes:
    from bagtag.custody import durable

    try:
        with durable.open_regular(path) as file:
            return file.read(1 << 20)
    except OSError as trouble:
        raise UsageError(
            f"{path} cannot be read: {trouble.strerror or trouble}", hint="name the .tsr file"
        ) from trouble
