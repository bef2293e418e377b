"""`bagtag messages`: the messages of a backup or of a lone sms.db, to read or as JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagtag.cli import console, options
from bagtag.cli.endings import DONE, ISSUES
from bagtag.cli.opening import harmed, opened, workspace
from bagtag.cli.options import JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets
from bagtag.cli.remarks import Remarks

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup
    from bagtag.extract.files import Files
    from bagtag.parsers.companion_records import Draft
    from bagtag.parsers.records import Message
    from bagtag.reports.bundle.scope import Scope

_NOTHING = "this backup holds no message database (HomeDomain, Library/SMS/sms.db)"


def messages(
    *,
    backup: Annotated[
        Path, typer.Argument(metavar="BACKUP", show_default=False, help="A backup folder, or a lone sms.db or chat.db.")
    ],
    chat: options.ChatOption = None,
    handle: options.HandleOption = None,
    sent_from: options.SentFromOption = None,
    sent_to: options.SentToOption = None,
    tz: options.ZoneOption = None,
    contains: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", show_default=False, rich_help_panel=options.RECORDS, help="Only with TEXT in their text."
        ),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show messages, in the order of their rows, with everything that hangs on them; to read, then the drafts.

    Conditions are exact, case counts. Exit code 1 when something of the messages was lost or only partly read.
    """
    from bagtag.custody.times import zone
    from bagtag.reports.bundle.scope import Scope

    start, end = options.moment(sent_from, tz), options.moment(sent_to, tz)
    options.ordered(start, end)
    wanted = Scope(chat=chat, handle=handle, sent_from=start, sent_to=end)
    clock = zone(tz or "UTC")
    secrets = Secrets(passphrase_file, key_file)
    if as_json:
        show: Callable[[Message | Draft], None] = console.json_line
    else:
        from bagtag.cli import draft, transcript
        from bagtag.parsers.companion_records import Draft

        def show(item: Message | Draft) -> None:
            for line in draft.lines(item, clock) if isinstance(item, Draft) else transcript.lines(item, clock):
                console.result(line)

    with _evidence(backup, secrets) as (files, source):
        everything = as_json and contains is None and wanted.everything
        kinds = ("messages",) if as_json else ("messages", "drafts")
        seen, remarks = _printed(files) if everything else _listed(files, wanted, contains, show, kinds)
        if not seen and not remarks.harmful and not (files.bare or _has_database(files, remarks)):
            console.say(_NOTHING)
        remarks.say()
        return ISSUES if (source is not None and harmed(source)) or remarks.harmful else DONE


@contextmanager
def _evidence(path: Path, secrets: Secrets) -> Iterator[tuple[Files, Backup | None]]:
    """The files to read messages from, and the backup when there is one round them. Raises EvidenceError."""
    from bagtag.extract.files import BackupFiles, BareFiles
    from bagtag.extract.stores.recognition import kind_of

    if path.is_file() and kind_of(path) is None:
        with workspace() as place:
            yield BareFiles(path, place), None
        return
    with opened(path) as (source, place):
        if source.locked:
            secrets.unlock(source)
        yield BackupFiles(source, place), source


def _listed(
    files: Files, wanted: Scope, contains: str | None, show: Callable[[Message | Draft], None], kinds: tuple[str, ...]
) -> tuple[int, Remarks]:
    """Show what is wanted of these kinds; how many tables the database had, and what was wrong with it."""
    from bagtag.extract.evidence import Issue
    from bagtag.extract.files import SMS_DB
    from bagtag.parsers.artifact import Reconciled, run
    from bagtag.parsers.companion_records import Draft
    from bagtag.parsers.records import Message

    remarks = Remarks()
    rows = without_time = untimed_drafts = 0
    timed = wanted.sent_from is not None or wanted.sent_to is not None
    chats = {wanted.chat}
    for item in run(files, only=kinds):
        if isinstance(item, Message):
            without_time += timed and item.sent_at is None
            for chat in item.chats if wanted.chat is not None else ():
                if wanted.chat in (chat.guid, chat.identifier, chat.name):  # a draft knows no name of its chat
                    chats |= {chat.guid, chat.identifier}
            if wanted.includes_message(item) and (contains is None or contains in (item.text or "")):
                show(item)
        elif isinstance(item, Draft):
            if not _is_wanted(item, wanted, chats) or (contains is not None and contains not in (item.text or "")):
                continue
            if files.facts(*SMS_DB) is None:  # without a message database there is no result
                remarks.take(Issue(effect="note", what="a draft beside no message database", where=item.provenance))
            elif timed:
                untimed_drafts += 1
            else:
                show(item)
        elif isinstance(item, Issue):
            remarks.take(item)
        elif isinstance(item, Reconciled):
            rows += 1
    if without_time:
        console.say(f"left out: {console.number(without_time, 'message')} without a time")
    if untimed_drafts:
        console.say(f"left out: {console.number(untimed_drafts, 'draft')}, which have no time of sending")
    return rows, remarks


def _is_wanted(draft: Draft, wanted: Scope, chats: set[str | None]) -> bool:
    """Whether a draft is of the chat, and to the handle, that is asked for."""
    of_chat = wanted.chat is None or not chats.isdisjoint({draft.chat_guid, draft.chat_identifier} - {None})
    return of_chat and wanted.handle in (None, draft.chat_identifier)


def _printed(files: Files) -> tuple[int, Remarks]:
    """Every message as a line of JSON, read with all cores; how many tables there were, and what was wrong."""
    from bagtag.extract.evidence import Issue
    from bagtag.parsers.artifact import Lines, Reconciled, run_in_lines
    from bagtag.parsers.records import Message

    remarks, tables = Remarks(), 0
    for item in run_in_lines(files, only=("messages",)):
        if isinstance(item, Lines):
            console.json_lines(item.text)
        elif isinstance(item, Message):
            console.json_line(item)
        elif isinstance(item, Issue):
            remarks.take(item)
        elif isinstance(item, Reconciled):
            tables += 1
    return tables, remarks


def _has_database(files: Files, remarks: Remarks) -> bool:
    """Whether the index names a message database after all; that it could not be read is then remarked."""
    from bagtag.extract.evidence import Issue
    from bagtag.extract.files import SMS_DB

    facts = files.facts(*SMS_DB)
    if facts is None:
        return False
    remarks.take(Issue(effect="lost", what=f"the message database could not be read: it is {facts.outcome}"))
    return True
