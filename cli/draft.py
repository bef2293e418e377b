"""A draft as a person reads it on a terminal: what was typed and, as far as the backup tells, not sent.

It has no time of sending, so it stands behind all messages, with a headline that cannot pass for a message's. The time
of its file is the manifest's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from bagtag.cli.console import block, safe
from bagtag.cli.transcript import QUOTE, besides, clock, line
from bagtag.parsers.companion_records import Draft, DraftFile


def lines(draft: Draft, zone: tzinfo) -> Iterator[str]:
    """The lines of one draft."""
    yield f"DRAFT  not sent, as far as the backup tells  in {safe(_conversation(draft))}"
    if draft.subject:
        yield line("subject", draft.subject)
    if draft.text:
        yield block(draft.text, QUOTE)
    for file in draft.attachments:
        yield line("attachment", _file(file))
    yield line("file changed", clock(draft.modified_at, zone))
    told = {"text": draft.text, "subject": draft.subject}
    yield from besides("", {key: value for key, value in draft.raw.items() if not told.get(key)})
    for note in draft.notes:
        yield line("note", note)


def _conversation(draft: Draft) -> str:
    known = draft.chat_identifier or draft.chat_guid or f"no known conversation (folder {draft.folder})"
    return f"{' / '.join(draft.names)} <{known}>" if draft.names else known


def _file(file: DraftFile) -> str:
    if file.file_id is None:
        return f"{file.name}, named in the draft, not in the backup"
    size = "no bytes of it in the backup" if file.size is None else f"{file.size:,} bytes"
    return f"{file.name}, {size}" + ("" if file.sha256 is None else f", sha256 {file.sha256}")
