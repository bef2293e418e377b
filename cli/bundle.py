"""`bagtag bundle`: the main job. One sealed evidence folder from one backup."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console, options, signing
from bagtag.cli.endings import DONE, ISSUES, resumable
from bagtag.cli.options import BackupArgument, JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets
from bagtag.custody.errors import UsageError

if TYPE_CHECKING:
    from bagtag.custody.examination import ExaminationFile
    from bagtag.reports.bundle.job import Made, Sealing
    from bagtag.reports.bundle.scope import Scope

LABEL = "Examination"
SCOPE = "Scope"


def _fact(text: str) -> Any:
    return typer.Option(metavar="TEXT", show_default=False, rich_help_panel=LABEL, help=text)


class Rehash(StrEnum):
    """What of the source is hashed a second time when all is done."""

    OPENED = "opened"
    FULL = "full"


def bundle(
    context: typer.Context,
    *,
    backup: BackupArgument,
    dest: Annotated[Path, typer.Argument(metavar="DEST", show_default=False, help="A new folder: the evidence.")],
    case: Annotated[str | None, _fact("Case number.")] = None,
    item: Annotated[str | None, _fact("Item number.")] = None,
    examiner: Annotated[str | None, _fact("Who does this.")] = None,
    agency: Annotated[str | None, _fact("For which agency.")] = None,
    exhibit: Annotated[str | None, _fact("Exhibit number.")] = None,
    authority: Annotated[str | None, _fact("By what authority: warrant, consent.")] = None,
    location: Annotated[str | None, _fact("Where.")] = None,
    notes: Annotated[str | None, _fact("Anything else for the label.")] = None,
    examination: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml", show_default=False, rich_help_panel=LABEL, help="The same facts from a file."
        ),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="messages|FILE.toml", show_default=False, rich_help_panel=SCOPE, help="A named scope, or a file."
        ),
    ] = None,
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", show_default=False, rich_help_panel=SCOPE)] = None,
    glob: Annotated[str | None, typer.Option(metavar="GLOB", show_default=False, rich_help_panel=SCOPE)] = None,
    chat: options.ChatOption = None,
    handle: options.HandleOption = None,
    sent_from: options.SentFromOption = None,
    sent_to: options.SentToOption = None,
    exclude_handles: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False, rich_help_panel=SCOPE, help="Leave out these handles, one a line."
        ),
    ] = None,
    tz: options.ZoneOption = None,
    without_key_bag: Annotated[
        bool, typer.Option("--without-key-bag", help="Leave Manifest.plist out: its key bag permits guessing.")
    ] = False,
    also: options.AlsoOption = "",
    rehash: Annotated[
        Rehash, typer.Option(help="Hash again at the end: the files opened as databases, or the full source.")
    ] = Rehash.OPENED,
    sign_key: signing.SignKeyOption = None,
    signer: signing.SignerOption = None,
    tsa: signing.TsaOption = None,
    tsa_ca: signing.TsaCaOption = None,
    passphrase_file: PassphraseFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a sealed evidence folder from a backup: files, records, report, inventory, custody log.

    Needs --case, --item and --examiner. Without scope options everything goes in. Without --sign-key the folder is
    closed, unsigned; `bagtag seal` signs or stamps it later. An interrupted run is continued by the same command.
    """
    from bagtag.custody.examination import examination as examined
    from bagtag.custody.examination import read_file
    from bagtag.custody.times import zone
    from bagtag.reports.bundle.job import Job
    from bagtag.reports.bundle.make import make

    secrets = Secrets(passphrase_file, key_file)
    options.new_folder(dest.absolute())
    zone(tz or "UTC")
    label = {
        "case": case, "item": item, "examiner": examiner, "agency": agency, "exhibit": exhibit,
        "authority": authority, "location": location, "notes": notes,
    }  # fmt: skip
    limits = {
        "domain": domain,
        "glob": glob,
        "chat": chat,
        "handle": handle,
        "from": sent_from,
        "to": sent_to,
        "tz": tz,
    }

    facts = None if examination is None else read_file(examination)
    job = Job(
        source=backup,
        dest=dest.absolute(),
        examination=examined(label, facts),
        scope=_scope(scope, limits, exclude_handles),
        without_key_bag=without_key_bag,
        also=options.digests(also),
        rehash=rehash.value,
        tz=tz or "UTC",
        sealing=_sealing(sign_key, signer, tsa, tsa_ca, facts),
    )
    partial = job.dest.with_name(job.dest.name + ".partial")
    with resumable(partial), console.watching() as progress:
        made = make(job, unlock=secrets.unlock, command=context.obj, progress=progress)
    if as_json:
        console.json_line(made)
    else:
        for line in page(made):
            console.result(line)
    return ISSUES if made.effects.get("lost") or made.effects.get("partial") else DONE


def page(made: Made) -> Iterator[str]:
    """What is printed of a finished evidence folder."""
    yield f"evidence folder  {console.safe(str(made.dest))}"
    yield f"payload digest   {made.payload_digest}"
    yield f"bag digest       {made.bag_digest}"
    yield f"source digest    {made.source_digest}"
    for label, counts in (("records", made.records), ("outcomes", made.outcomes), ("issues", made.effects)):
        told = ", ".join(f"{count:,} {console.safe(name)}" for name, count in sorted(counts.items()) if count)
        yield f"{label:<17}{told or 'none'}"
    if made.continued:
        yield "continued        an interrupted run was continued"
    for note in made.notes:
        yield f"note             {console.safe(note)}"
    for keyid in made.keyids:
        yield f"signed by key    {keyid}"
    if made.stamps:
        yield f"time stamps      {made.stamps}"
    if made.keyids:
        yield "the folder is closed and signed: whoever has the public key by another way can check who closed it"
    else:
        yield "the folder is closed, unsigned: write the bag digest down where the folder cannot be changed with it"


def _sealing(
    sign_key: Path | None, signer: str | None, tsa: str | None, tsa_ca: Path | None, file: ExaminationFile | None
) -> Sealing:
    """Who signs and stamps, by option or by the examination file. The key is opened before anything else is done."""
    from bagtag.reports.bundle.job import Sealing
    from bagtag.reports.bundle.seal import Authority

    if signer is not None and sign_key is None:
        raise UsageError("--signer is given without a key", hint="add --sign-key FILE")
    url = tsa or (file.tsa if file is not None else None)
    if tsa_ca is not None and url is None:
        raise UsageError("--tsa-ca is given without --tsa", hint="add --tsa URL")
    return Sealing(
        signer=None if sign_key is None else signing.load_signer(sign_key),
        name=signer or (file.signer if file is not None else None),
        authority=None if url is None else Authority.of(url, tsa_ca),
    )


def _scope(name: str | None, limits: dict[str, str | None], exclude_handles: Path | None) -> Scope:
    """The scope of the options. Raises UsageError."""
    from bagtag.reports.bundle.scope import from_toml, from_values

    given: dict[str, Any] = {key: value for key, value in limits.items() if value is not None}
    if exclude_handles is not None:
        given["exclude_handles"] = _handles(exclude_handles)
    if name is not None and name != "messages":
        if given.keys() - {"tz"}:
            raise UsageError(
                "--scope FILE.toml and single scope options are both given",
                hint="write all limits into the file, or give all as options",
            )
        return from_toml(Path(name))
    scope = from_values(given if name is None else {"scope": name, **given}, "the scope options")
    options.ordered(scope.sent_from, scope.sent_to)
    return scope


def _handles(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as trouble:
        raise UsageError(f"cannot read the file of handles {path}: {trouble}", hint="one handle a line") from trouble
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
