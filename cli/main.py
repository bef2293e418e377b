"""The command `bagtag`: its commands, and `main`, which turns whatever happens into an exit code."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from bagtag.cli import console, endings
from bagtag.cli.backups import backups, info
from bagtag.cli.bundle import bundle
from bagtag.cli.crosscheck import crosscheck
from bagtag.cli.custody.group import custody
from bagtag.cli.demo import demo
from bagtag.cli.extract import extract
from bagtag.cli.files import files
from bagtag.cli.messages import messages
from bagtag.cli.optional_value import CommandWithLog
from bagtag.cli.report import report
from bagtag.cli.seal import seal
from bagtag.cli.signer import signer
from bagtag.cli.trace import trace
from bagtag.cli.unlock import unlock
from bagtag.cli.verify import verify

_COLLECTED_EVERY = 50_000

app = typer.Typer(
    name="bagtag",
    help="From a local iPhone backup to a sealed evidence folder that anyone can check.",
    epilog="Example: bagtag demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        console.result(f"bagtag {version('bagtag')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From a local iPhone backup to a sealed evidence folder that anyone can check."""


for _command, _summary, _example in (
    (demo, "The whole chain on a sample backup.", "bagtag demo"),
    (backups, "List the backups on this computer.", "bagtag backups /mnt/evidence"),
    (info, "What a backup says about itself.", "bagtag info BACKUP"),
    (unlock, "Test a passphrase, keep its key.", "bagtag unlock BACKUP --save-key item7.key"),
    (files, "List the files of a backup.", "bagtag files BACKUP --domain HomeDomain"),
    (extract, "Write the decrypted files to a folder.", "bagtag extract BACKUP DEST --domain MediaDomain"),
    (messages, "Show messages.", "bagtag messages BACKUP --handle +15551234567 --from 2024-03-01T00:00:00Z"),
    (crosscheck, "Read all again with a second tool.", "bagtag crosscheck BACKUP"),
    (
        bundle,
        "Make a sealed evidence folder.",
        "bagtag bundle BACKUP DEST --case 2024-0815 --item 7 --examiner 'Ann Lee'",
    ),
    (seal, "Sign or stamp an evidence folder.", "bagtag seal DEST --sign-key lab.key --signer 'Oracle Lab'"),
    (verify, "Check an evidence folder.", "bagtag verify DEST --expect SHA256"),
    (report, "Make papers of custody.", "bagtag report DEST --kind certificate --out papers"),
    (trace, "Follow a record back to its bytes.", "bagtag trace DEST message/3d0d7e5f/message/1 --backup BACKUP"),
):
    app.command(cls=CommandWithLog if _command is verify else None, short_help=_summary, epilog=f"Example: {_example}")(
        _command
    )
app.add_typer(
    custody,
    name="custody",
    short_help="The chain of custody of an evidence folder.",
    epilog="Example: bagtag custody show DEST",
)
app.add_typer(
    signer, name="signer", short_help="Make or show a signing key.", epilog="Example: bagtag signer new lab.key"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name; None: the process's own). Returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # What the terminal's encoding cannot write is written as its code point instead of ending the command.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with _private_files(), _rare_collections():
        return endings.ended(lambda: app(given, prog_name="bagtag", standalone_mode=False, obj=["bagtag", *given]))


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    """Whatever bagtag writes is for its owner alone: decrypted evidence, inventories, keys."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Rows and records hold no cycles: looking for some after every 700 of them takes a twentieth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECTED_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
