"""`bagtag trace`: a record's way back to the bytes in the backup, every digest on the way computed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console
from bagtag.cli.endings import DONE, FAILED
from bagtag.cli.opening import opened, workspace
from bagtag.cli.options import FolderArgument, JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets

if TYPE_CHECKING:
    from bagtag.reports.trace.station import Comparison, Station, Trace

_LONGEST_SHOWN = 400


def trace(
    *,
    dest: FolderArgument,
    record_id: Annotated[
        str, typer.Argument(metavar="RECORD_ID", show_default=False, help="The record's id, or the fileID of a file.")
    ],
    backup: Annotated[
        Path | None,
        typer.Option(
            metavar="BACKUP", show_default=False, help="The original backup: its blobs are read and decrypted again."
        ),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Follow a record back: its line, its row, the row's bytes, the file, the stored blob; then its attachments.

    At each station stand the digest that was recorded and the one that is computed now. Exit code 4 when two differ.
    Nothing is written to the folder or the backup.
    """
    from bagtag.reports.trace.trail import Trail

    secrets = Secrets(passphrase_file, key_file)
    trail = Trail(dest, record_id)
    with ExitStack() as closing:
        if backup is None:
            found = trail.follow(closing.enter_context(workspace()))
        else:
            source, place = closing.enter_context(opened(backup))
            if source.locked:
                secrets.unlock(source)
            found = trail.follow(place, source)
    try:
        if as_json:
            console.json_line(found)
        else:
            for line in page(found):
                console.result(line)
        console.flush()
    except console.OutputClosedError:
        console.discard_output()  # what was found stays the exit code, whoever reads along
    return DONE if found.agrees else FAILED


def page(found: Trace) -> Iterator[str]:
    """What is printed of a trace."""
    yield f"The way back of {console.safe(found.record_id)}"
    yield f"in the evidence folder {console.safe(found.folder)}"
    yield f"with the backup {console.safe(found.backup)}" if found.backup else "without the backup"
    for station in found.stations:
        yield ""
        yield from _station(station)
    yield ""
    differing = [(station, each) for station in found.stations for each in station.differences]
    if not differing:
        yield f"All {console.number(found.compared, 'comparison')} agree."
        return
    yield f"{console.number(len(differing), 'comparison')} of {found.compared:,} DIFFER:"
    for station, each in differing:
        yield f"  station {station.number}, {console.safe(each.what)}"
        yield from _sides(each, "    ")


def _station(station: Station) -> Iterator[str]:
    yield f"{station.number}. {console.safe(station.title)}"
    for sentence in station.sentences:
        yield f"   {console.safe(sentence)}"
    for name, value in station.facts.items():
        for line in _values(value):
            yield f"   {name.replace('_', ' '):<18}  {console.safe(line)}"
    for each in station.comparisons:
        yield f"   {'agrees' if each.agrees else 'DIFFERS'}: {console.safe(each.what)}"
        yield from _sides(each, "      ")


def _sides(each: Comparison, indent: str) -> Iterator[str]:
    yield f"{indent}expected  {_shown(each.recorded)}  ({console.safe(each.recorded_in)})"
    yield f"{indent}found     {_shown(each.found)}  ({console.safe(each.found_in)})"


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return console.safe(
        value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}… ({len(value)} characters)"
    )


def _values(value: Any) -> Iterator[str]:
    """A fact as lines: one for each member of a list."""
    if isinstance(value, list):
        for member in value:
            yield from _values(member)
    elif isinstance(value, dict):
        yield ", ".join(f"{name} {member}" for name, member in value.items() if member is not None)
    else:
        yield "none" if value is None else str(value)
