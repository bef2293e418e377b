"""data/records/: one JSON Lines file a kind of record, written as the parsers yield them.

Parsers yield each kind sorted by rowid, so the files are sorted without being held. Every file exists, empty or not: a
reader sees that a kind was looked for.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from bagtag.extract.crosscheck import SecondReading
from bagtag.extract.evidence import Effect, Issue
from bagtag.extract.inventory import InventoryRow
from bagtag.parsers.artifact import Reconciled
from bagtag.parsers.companion_records import Draft, MessageSetting
from bagtag.parsers.records import Chat, Contact, DeletionTrace, IssueRecord, Message, Record

FILES: dict[type[msgspec.Struct], str] = {
    Message: "messages.jsonl",
    Chat: "chats.jsonl",
    Contact: "contacts.jsonl",
    DeletionTrace: "deletion_traces.jsonl",
    Draft: "drafts.jsonl",
    MessageSetting: "message_settings.jsonl",
    Reconciled: "reconciliation.jsonl",
    IssueRecord: "issues.jsonl",
}
"""The files of data/records/ and what their lines are."""

SCHEMAS: dict[str, type[msgspec.Struct]] = {
    "message": Message,
    "chat": Chat,
    "contact": Contact,
    "deletion_trace": DeletionTrace,
    "draft": Draft,
    "message_setting": MessageSetting,
    "issue": IssueRecord,
    "reconciliation": Reconciled,
    "file": InventoryRow,
    "second-reading": SecondReading,
}
"""The published JSON Schemas, by the name of their file in schemas/."""


class RecordFiles:
    """The open record files of one evidence folder. Use as a context manager; counts what passes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self.effects: Counter[Effect] = Counter()
        self._encoder = msgspec.json.Encoder()
        self._files: dict[type[msgspec.Struct], IO[bytes]] = {
            kind: (folder / name).open("wb") for kind, name in FILES.items()
        }

    def write(self, record: Record | Reconciled) -> None:
        """Append a record to the file of its kind."""
        kind = type(record)
        self._files[kind].write(self._encoder.encode(record) + b"\n")
        self.counts[FILES[kind].removesuffix(".jsonl")] += 1

    def write_lines(self, kind: type[Record], lines: bytes) -> None:
        """Append finished lines of JSON to the file of their kind."""
        self._files[kind].write(lines)
        self.counts[FILES[kind].removesuffix(".jsonl")] += lines.count(b"\n")

    def issue(self, issue: Issue) -> None:
        """Number an issue and append it."""
        self.effects[issue.effect] += 1
        number = self.counts["issues"] + 1
        self.write(
            IssueRecord(
                id=f"issue/{number}", effect=issue.effect, what=issue.what, where=issue.where, raw=issue.raw
            )
        )  # fmt: skip

    def close(self) -> None:
        """Close every file."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def json_schema(kind: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one kind of line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:bagtag:schema:{name}:1",
        **msgspec.json.schema(kind),
    }
