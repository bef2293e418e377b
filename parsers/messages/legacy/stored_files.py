"""The files of old messages: pictures of MMS and attachments of iMessage, as the backup holds them.

iMessage names its file in `madrid_attachment.filename`. A piece of an MMS names none: the phone kept its bytes in the
row, or in `Library/SMS/Parts/xx/yy/<message rowid>-<part>.<ending>`, seen in backups of such phones; found that way,
the record says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bagtag.extract.evidence import Outcome
from bagtag.extract.files import FileFacts, Files
from bagtag.parsers.messages.attachment_paths import DOMAINS, ROOT
from bagtag.parsers.messages.attachment_status import READABLE, kept
from bagtag.parsers.records import AttachmentStatus

_PARTS = "Library/SMS/Parts/"
_PART_NAME = re.compile(r"([0-9]{1,18})-([0-9]{1,18})(?:\.[^/]*)?\Z")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a file is, or why there is none; `reason` is None only for one that is present."""

    status: AttachmentStatus
    reason: str | None
    relative_path: str | None = None
    facts: FileFacts | None = None

    def fields(self) -> dict[str, Any]:
        """The fields of an attachment record that tell of the file."""
        facts = self.facts
        has_bytes = facts is not None and self.status in ("present", "damaged")
        return {
            "size": facts.size if facts is not None and has_bytes else None,
            "sha256": facts.sha256 if facts is not None and has_bytes else None,
            "file_id": facts.file_id if facts is not None else None,
            "domain": facts.domain if facts is not None else DOMAINS[0] if self.relative_path else None,
            "relative_path": facts.relative_path if facts is not None else self.relative_path,
            "bag_path": facts.bag_path if facts is not None else None,
            "status": self.status,
            "reason": self.reason,
        }


class StoredFiles:
    """Looks up the files of messages in the evidence."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._parts: dict[tuple[int, int], str] | None = None

    def named(self, filename: str | None) -> StoredFile:
        """The file of a path of the phone (`/var/mobile/Library/SMS/…`, `~/Library/SMS/…`)."""
        if self._files.bare:
            return StoredFile("outside-backup", "a lone database was read: no files are at hand")
        if filename is None:
            return StoredFile("never-downloaded", "filename is NULL")
        at = filename.find(ROOT)
        if at < 0:
            return StoredFile("outside-backup", "filename names a place that is not backed up")
        return self._found(filename[at:])

    def part(self, message: int, part: int | None) -> StoredFile:
        """The file of a piece of a message, by its name."""
        if self._files.bare:
            return StoredFile("outside-backup", "a lone database was read: no files are at hand")
        path = self._part_paths().get((message, part)) if part is not None else None
        if path is None:
            what = f"the row holds no bytes, and no file of the backup is named {message}-{part}"
            return StoredFile("not-in-manifest", what)
        return self._found(path)

    def _part_paths(self) -> dict[tuple[int, int], str]:
        if self._parts is None:
            self._parts = {}
            for domain in DOMAINS:
                for facts in self._files.under(domain, _PARTS):
                    path = facts.relative_path or ""
                    name = _PART_NAME.fullmatch(path.rpartition("/")[2])
                    if name is not None:
                        self._parts.setdefault((int(name[1]), int(name[2])), path)
        return self._parts

    def _found(self, path: str) -> StoredFile:
        facts = next((found for domain in DOMAINS if (found := self._files.facts(domain, path)) is not None), None)
        if facts is None:
            return StoredFile("not-in-manifest", "no row of the manifest has this path", path)
        if facts.outcome in READABLE:
            return StoredFile("present", None, path, facts)
        if facts.outcome is Outcome.MISSING:
            return StoredFile("missing-blob", "the manifest lists the file, its stored blob is missing", path, facts)
        less = kept(facts, path)
        return StoredFile(less.status, less.reason, path, facts)
