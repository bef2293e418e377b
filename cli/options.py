"""The options that several commands share: one spelling and one sentence of help for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console
from bagtag.custody.errors import UsageError
from bagtag.custody.times import unix_ns
from bagtag.extract.selection import Selection, read_ids

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup

_MOST_NAMED = 20

SECRETS = "Passphrase"
SELECT = "Which files"
RECORDS = "Which records"

BackupArgument = Annotated[Path, typer.Argument(metavar="BACKUP", show_default=False, help="The backup folder.")]
FolderArgument = Annotated[Path, typer.Argument(metavar="DEST", show_default=False, help="The evidence folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON Lines to stdout.")]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        rich_help_panel=SECRETS,
        help="The passphrase is the first line of FILE; - is standard input. Else BAGTAG_PASSPHRASE, else asked.",
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        rich_help_panel=SECRETS,
        help="The derived key, 64 hex digits, as `bagtag unlock --save-key` writes it.",
    ),
]
DomainOption = Annotated[
    str | None,
    typer.Option(metavar="DOMAIN", show_default=False, rich_help_panel=SELECT, help="Only this domain, exactly."),
]
GlobOption = Annotated[
    str | None,
    typer.Option(
        metavar="GLOB",
        show_default=False,
        rich_help_panel=SELECT,
        help="Only paths that match; * crosses /, case counts, [[] is a bracket.",
    ),
]
AppOption = Annotated[
    str | None,
    typer.Option(
        metavar="BUNDLE",
        show_default=False,
        rich_help_panel=SELECT,
        help="Only this app's domains, by bundle id, its groups and plug-ins too.",
    ),
]
IdsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", show_default=False, rich_help_panel=SELECT, help="Only the fileIDs in FILE, one a line."
    ),
]
ModifiedFromOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        show_default=False,
        rich_help_panel=SELECT,
        help="Only files modified at or after TIME, RFC 3339 with offset; a bare date needs --tz.",
    ),
]
ModifiedToOption = Annotated[
    str | None,
    typer.Option(metavar="TIME", show_default=False, rich_help_panel=SELECT, help="Only files modified before TIME."),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--tz", metavar="ZONE", show_default=False, help="IANA time zone, for example Europe/Berlin; default UTC."
    ),
]
ChatOption = Annotated[
    str | None,
    typer.Option(
        metavar="CHAT",
        show_default=False,
        rich_help_panel=RECORDS,
        help="Only this chat: its guid, identifier or name.",
    ),
]
HandleOption = Annotated[
    str | None,
    typer.Option(
        metavar="HANDLE",
        show_default=False,
        rich_help_panel=RECORDS,
        help="Only messages with this number or address as sender, recipient or direct chat.",
    ),
]
SentFromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        show_default=False,
        rich_help_panel=RECORDS,
        help="Only sent at or after TIME, RFC 3339 with offset; a bare date needs --tz.",
    ),
]
SentToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", show_default=False, rich_help_panel=RECORDS, help="Only sent before TIME."),
]
AlsoOption = Annotated[
    str,
    typer.Option(
        metavar="NAMES", show_default=False, help="Further digests in the inventory: sha512,sha1,md5, with commas."
    ),
]


def selection(
    *,
    domain: str | None,
    glob: str | None,
    app: str | None,
    ids: Path | None,
    modified: tuple[str | None, str | None],
    tz: str | None,
) -> Selection:
    """The selection that these options mean; `modified` is from and to. Raises UsageError."""
    start, end = (moment(time, tz) for time in modified)
    ordered(start, end)
    return Selection(
        domain=domain,
        glob=glob,
        app=app,
        ids=None if ids is None else read_ids(ids),
        modified_from=start,
        modified_to=end,
    )


def tell_absent(backup: Backup, chosen: Selection) -> None:
    """Say which of the fileIDs that were asked for no row has. Nothing of the evidence is lost by that: no issue."""
    absent = backup.manifest.absent(chosen)
    if absent:
        more = f"and {len(absent) - _MOST_NAMED:,} more" if len(absent) > _MOST_NAMED else ""
        console.say(
            "\n".join(
                [f"{console.number(len(absent), 'fileID')} not in the index:", *absent[:_MOST_NAMED], more]
            ).rstrip()
        )


def moment(text: str | None, tz: str | None) -> int | None:
    """Unix nanoseconds of an option's time. Raises UsageError, also for a bare date without `--tz`."""
    return None if text is None else unix_ns(text, tz=tz)


def ordered(start: int | None, end: int | None) -> None:
    """Raise UsageError for a span of time that nothing can lie in."""
    if start is not None and end is not None and start >= end:
        raise UsageError("the span of time is empty: its beginning is not before its end", hint="the end is exclusive")


def digests(names: str) -> tuple[str, ...]:
    """The digests that `--also` names, in the order of the inventory. Raises UsageError."""
    from bagtag.extract.inventory import ALGORITHMS

    wanted = {name.strip().lower().replace("-", "") for name in names.split(",") if name.strip()}
    if unknown := sorted(wanted - set(ALGORITHMS)):
        raise UsageError(
            f"--also cannot add {', '.join(unknown)}", hint=f"it knows {', '.join(ALGORITHMS)}; sha256 is always there"
        )
    return tuple(name for name in ALGORITHMS if name in wanted)


def new_folder(dest: Path) -> None:
    """Raise UsageError unless DEST is a new name in a folder that exists, outside every backup."""
    from bagtag.extract.discover import backup_above

    if dest.exists() or dest.is_symlink():
        raise UsageError(f"{dest} exists and is never written over", hint="name a new folder")
    if not dest.parent.is_dir():
        raise UsageError(f"{dest.parent} is no folder", hint="make it first, or name another DEST")
    backup = backup_above(dest)
    if backup is not None:
        raise UsageError(
            f"{dest} lies inside the backup {backup}, which is never written to", hint="name a folder elsewhere"
        )
