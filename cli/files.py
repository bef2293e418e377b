"""`bagtag files`: the rows of a backup's index. Nothing is decrypted but the index itself."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console, options
from bagtag.cli.opening import harmed, opened
from bagtag.cli.options import BackupArgument, JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets

if TYPE_CHECKING:
    from bagtag.extract.inventory import InventoryRow
    from bagtag.extract.manifest import FileEntry

_KINDS = {1: "f", 2: "d", 4: "l"}
_SHORT = ("file_id", "domain", "relative_path", "flags")
_LONG = (
    *_SHORT, "size", "mode", "modified_at", "changed_at", "created_at", "protection_class", "outcome", "manifest",
)  # fmt: skip


def files(
    *,
    backup: BackupArgument,
    domain: options.DomainOption = None,
    glob: options.GlobOption = None,
    app: options.AppOption = None,
    ids: options.IdsOption = None,
    modified_from: options.ModifiedFromOption = None,
    modified_to: options.ModifiedToOption = None,
    tz: options.ZoneOption = None,
    long: Annotated[bool, typer.Option("--long", help="Also what the device recorded about each file.")] = False,
    passphrase_file: PassphraseFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the files of a backup as its index names them.

    The letter before the domain tells the kind: f file, d directory, l link, ? other. `outcome` stays null until
    `bagtag extract` has read the file. Conditions are exact: case counts, and so does the form of an accent. Only
    * ? and [ ] are special in a glob; [[] stands for a bracket: --glob 'Documents/[[]1]*'.
    """
    chosen = options.selection(domain=domain, glob=glob, app=app, ids=ids, modified=(modified_from, modified_to), tz=tz)
    secrets = Secrets(passphrase_file, key_file)
    with opened(backup) as (source, _):
        records = long or modified_from is not None or modified_to is not None
        if source.index_encrypted or (records and source.needs_passphrase_itself):
            secrets.unlock(source)
        unreadable = 0
        for entry in source.manifest.entries(chosen, records=long):
            row, readable = _described(entry) if long else (None, True)
            unreadable += not readable
            if as_json:
                console.json_line(_facts(entry) if row is None else _long_facts(row))
            else:
                console.result(_line(entry) if row is None else _long_line(row))
        options.tell_absent(source, chosen)
        if unreadable:
            console.say(f"partial: {console.number(unreadable, 'row')} whose record cannot be read")
        return int(harmed(source) or bool(unreadable))


def _described(entry: FileEntry) -> tuple[InventoryRow, bool]:
    """The row with everything that the index tells, and whether its record could be read."""
    from bagtag.extract.index.mbfile import BadRecordError
    from bagtag.extract.inventory import describe

    digest = None if entry.record is None else hashlib.sha256(entry.record).hexdigest()
    try:
        return describe(entry, entry.metadata(), digest), True
    except BadRecordError:
        return describe(entry, None, digest), False


def _facts(entry: FileEntry) -> dict[str, Any]:
    return {**{name: getattr(entry, name) for name in _SHORT}, "outcome": None}


def _long_facts(row: InventoryRow) -> dict[str, Any]:
    return {name: None if name == "outcome" else getattr(row, name) for name in _LONG}


def _line(entry: FileEntry) -> str:
    return f"{console.safe(entry.file_id)}  {_name(entry.flags, entry.domain, entry.relative_path)}"


def _long_line(row: InventoryRow) -> str:
    size = "-" if row.size is None else str(row.size)
    mode = "-" if row.mode is None else f"{row.mode:06o}"
    modified = row.modified_at[:19] + "Z" if row.modified_at else "-"
    facts = f"{mode:>6}  {row.protection_class or '-':>2}  {size:>12}  {modified:>20}"
    return f"{console.safe(row.file_id)}  {facts}  {_name(row.flags, row.domain, row.relative_path)}"


def _name(flags: int | None, domain: str | None, path: str | None) -> str:
    kind = _KINDS.get(flags or 0, "?")
    return f"{kind}  {_part(domain)}  {_part(path)}".rstrip()


def _part(text: str | None) -> str:
    return "NULL" if text is None else console.safe(text)
