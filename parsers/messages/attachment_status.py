"""The status of an attachment: the file in the backup that its row means, or why there is none.

Every status other than `present` says what it rests on. `purged` and `never-downloaded` need the row's own evidence,
which is quoted: Apple's own index of purged attachments asks for not hidden, ck_sync_state 1 or 4 and transfer_state 0;
a file that was never downloaded has no filename. Absence alone is evidence of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagtag.extract.evidence import Outcome
from bagtag.extract.files import FileFacts, Files
from bagtag.parsers.cells import integer, text
from bagtag.parsers.messages.attachment_folder import AttachmentFolder
from bagtag.parsers.messages.attachment_paths import DOMAINS, forms, relative_path, tail
from bagtag.parsers.records import AttachmentStatus

READABLE = frozenset({Outcome.OK, Outcome.OK_EMPTY, Outcome.ALREADY_PLAIN})
_PURGED_SYNC_STATES = (1, 4)
_UNREADABLE: Mapping[Outcome, str] = {
    Outcome.TRUNCATED: "the stored file is cut short",
    Outcome.UNTERMINATED: "the stored file has no valid end",
    Outcome.KEY_UNAVAILABLE: "no key opens the stored file",
    Outcome.BAD_RECORD: "the manifest's record of the file cannot be read",
    Outcome.NOT_A_REGULAR_FILE: "what is stored is no regular file",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A status and its reason; `facts` of the file where there is one, `relative_path` where the row named it.

    `tail` is the end of the path by which a file that had moved was found.
    """

    status: AttachmentStatus
    reason: str | None
    facts: FileFacts | None = None
    relative_path: str | None = None
    tail: str | None = None


class Finder:
    """Finds the files of attachment rows; every call asks `files` for one row's file."""

    def __init__(self, files: Files, folder: AttachmentFolder) -> None:
        self._files = files
        self._folder = folder

    def find(self, filename: Any, transfer_state: Any, hide_attachment: Any, ck_sync_state: Any) -> Found:
        """The status of a row with these cells."""
        if self._files.bare:
            return Found("outside-backup", "a lone database was read: no files are at hand")
        named = text(filename)
        if not named:
            return _nameless(filename, transfer_state)
        path = relative_path(named)
        facts = self._facts(path) if path is not None else None
        if facts is None:
            moved = self._moved(named, path)
            if moved is not None:
                return moved
        if path is None:
            return Found("outside-backup", "filename names a place that is not backed up")
        if facts is not None and facts.outcome in READABLE:
            return Found("present", None, facts, path)
        if facts is None or facts.outcome is Outcome.MISSING:
            purged = _purged(transfer_state, hide_attachment, ck_sync_state)
            if purged is not None:
                return Found("purged", purged, facts, path)
            if facts is None:
                return Found("not-in-manifest", "no file row of the manifest has this path", None, path)
            return Found("missing-blob", "the manifest lists the file, its stored blob is missing", facts, path)
        return kept(facts, path)

    def _facts(self, path: str) -> FileFacts | None:
        for domain in DOMAINS:
            for form in forms(path):
                facts = self._files.facts(domain, form)
                if facts is not None:
                    return facts
        return None

    def _moved(self, named: str, path: str | None) -> Found | None:
        """The one file of the same last folder and name elsewhere that no row names, when its bytes are there."""
        place = self._folder.stray(named)
        facts = self._files.facts(*place) if place is not None else None
        if facts is None or facts.outcome not in READABLE:
            return None
        end = tail(named)
        why = f"no file has the path of filename; the only one that ends in {end} and that no row names was taken"
        return Found("present", why, facts, path, end)


def _nameless(filename: Any, transfer_state: Any) -> Found:
    state = integer(transfer_state)
    if filename is None or filename in ("", b""):
        shown = "NULL" if filename is None else "empty"
        return Found("never-downloaded", f"filename is {shown}, transfer_state is {state}")
    return Found("not-in-manifest", "filename holds bytes that are no text: no file can be looked for")


def _purged(transfer_state: Any, hide_attachment: Any, ck_sync_state: Any) -> str | None:
    hidden, synced, state = integer(hide_attachment), integer(ck_sync_state), integer(transfer_state)
    if hidden == 0 and synced in _PURGED_SYNC_STATES and state == 0:
        return f"offloaded to iCloud: hide_attachment is {hidden}, ck_sync_state is {synced}, transfer_state is {state}"
    return None


def kept(facts: FileFacts, path: str) -> Found:
    """The status of a file of which there is something, but not the whole."""
    if facts.outcome is Outcome.OUT_OF_SCOPE:
        return Found("outside-backup", "the file is outside the scope of this run", facts, path)
    return Found("damaged", _UNREADABLE.get(facts.outcome, f"outcome {facts.outcome}"), facts, path)
