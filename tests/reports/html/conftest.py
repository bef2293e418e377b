"""A small bag to report on, written as the public contract says: records, inventory, files."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bagtag.extract.evidence import Provenance
from bagtag.parsers.records import (
    AttachmentRef,
    Body,
    Chat,
    ChatRef,
    Contact,
    ContactValue,
    DeletionTrace,
    Handle,
    IssueRecord,
    Member,
    Message,
    OwnerIdentity,
    Part,
    Party,
    Recipients,
)
from bagtag.reports.html.view import BundleView, CaseFacts, DeviceFacts, SecondReadingTotals

SMS_DB = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"
)
ANN = Party(role="other", handle="+15551234567", handle_rowid=3, names=["Ann Lee"], name_source="backup-contacts")
OWNER = Party(role="owner", handle=None, handle_rowid=None)
DIRECT = ChatRef(
    rowid=1,
    guid="iMessage;-;+15551234567",
    identifier="+15551234567",
    service="iMessage",
    name=None,
    is_group=False,
)


class Row(msgspec.Struct):
    artifact: str
    table: str
    rows: int
    records: int
    issues: int


def _provenance(table: str, rowid: int | None) -> Provenance:
    return Provenance(
        file_id=SMS_DB,
        domain="HomeDomain",
        relative_path="Library/SMS/sms.db",
        sha256="ab" * 32,
        table=table,
        rowid=rowid,
    )


@pytest.fixture
def provenance() -> Callable[[str, int | None], Provenance]:
    return _provenance


@pytest.fixture
def message() -> Callable[..., Message]:
    """A message record from Ann in chat 1; every field can be set."""

    def make(rowid: int, text: str | None = "Hello", **fields: Any) -> Message:
        own = fields.get("direction") == "outgoing"
        given: dict[str, Any] = {
            "id": f"message/3d0d7e5f/message/{rowid}",
            "guid": f"GUID-{rowid}",
            "rowid": rowid,
            "type": "message",
            "state": "live",
            "provenance": _provenance("message", rowid),
            "chats": [DIRECT],
            "service": "iMessage",
            "direction": "incoming",
            "sender": OWNER if own else ANN,
            "owner_identity": OwnerIdentity(destination_caller_id="+14155550100"),
            "recipients": Recipients(basis="handle_id", handles=[Handle(handle="+15551234567", names=["Ann Lee"])])
            if own
            else Recipients(basis="none"),
            "sent_at": f"2024-03-01T{12 + rowid // 3600 % 12:02d}:{rowid // 60 % 60:02d}:{rowid % 60:02d}.000000000Z",
            "raw": {"date": str(730_990_800_000_000_000 + rowid * 10**9)},
            "units": {"date": "ns"},
            "text": text,
            "subject": None,
            "body": Body(source="attributedBody"),
            "parts": [Part(index=0, kind="text", text=text, start16=0)] if text else [],
            "flags": {},
        }
        return Message(**{**given, **fields})

    return make


@pytest.fixture
def chat() -> Callable[..., Chat]:
    def make(rowid: int = 1, **fields: Any) -> Chat:
        given: dict[str, Any] = {
            "id": f"chat/3d0d7e5f/chat/{rowid}",
            "rowid": rowid,
            "guid": "iMessage;-;+15551234567",
            "identifier": "+15551234567",
            "service": "iMessage",
            "is_group": False,
            "name": None,
            "members": [Member(handle="+15551234567", names=["Ann Lee"], basis="now")],
            "messages": 0,
            "provenance": _provenance("chat", rowid),
            "raw": {},
        }
        return Chat(**{**given, **fields})

    return make


@pytest.fixture
def attachment() -> Callable[..., AttachmentRef]:
    def make(path: str = "HomeDomain/Library/SMS/Attachments/ab/IMG 1.png", **fields: Any) -> AttachmentRef:
        given: dict[str, Any] = {
            "rowid": 1,
            "guid": "at_0_GUID-1",
            "name": path.rpartition("/")[2],
            "mime": "image/png",
            "size": 70,
            "sha256": "cd" * 32,
            "bag_path": f"data/files/{path}",
            "status": "present",
        }
        return AttachmentRef(**{**given, **fields})

    return make


class Bag:
    """A folder laid out like a bag; what is not given is empty."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.report = self.data / "report"
        self.records = self.data / "records"
        self.work = folder / "work"
        for part in (self.records, self.data / "inventory", self.work):
            part.mkdir(parents=True)
        self.view = BundleView(
            records=self.records,
            inventory=self.data / "inventory" / "files.jsonl",
            work=self.work,
            version="0.1.0",
            case=CaseFacts(case="2024-17", item="3", examiner="R. Roe"),
            device=DeviceFacts(
                name="Jordan’s iPhone", model="iPhone16,2", ios="18.5", backup_at="2025-06-12T18:04:07Z"
            ),
            source_digest="ef" * 32,
            second_reading=SecondReadingTotals(agree=4, tool="iphone-backup-decrypt", version="0.11.2"),
            reconciliation=(Row("messages", "message", 3, 2, 1),),
            counts={"messages": 2},
        )

    def put(self, name: str, *records: Any) -> None:
        lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        (self.records / f"{name}.jsonl").write_bytes(lines)

    def list_files(self, *rows: dict[str, Any]) -> None:
        self.view.inventory.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))

    def file(self, path: str, content: bytes = PIXEL) -> None:
        target = self.data / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def change(self, **fields: Any) -> None:
        self.view = replace(self.view, **fields)


@pytest.fixture
def new_bag(tmp_path: Path) -> Callable[[str], Bag]:
    return lambda name: Bag(tmp_path / name)


@pytest.fixture
def bag(tmp_path: Path) -> Bag:
    return Bag(tmp_path / "bag")


@pytest.fixture
def issue() -> Callable[..., IssueRecord]:
    def make(number: int, effect: str = "lost", what: str = "a row could not be read", rowid: int | None = 7) -> Any:
        return IssueRecord(id=f"issue/{number}", effect=effect, what=what, where=_provenance("message", rowid))  # type: ignore[arg-type]

    return make


@pytest.fixture
def trace() -> Callable[..., DeletionTrace]:
    def make(**fields: Any) -> DeletionTrace:
        given: dict[str, Any] = {
            "id": "trace/3d0d7e5f/message/4",
            "kind": "gap",
            "table": "message",
            "rowids": [(4, 6)],
            "explanations": ["rows were deleted", "numbers were never used"],
            "provenance": _provenance("message", None),
        }
        return DeletionTrace(**{**given, **fields})

    return make


@pytest.fixture
def contact() -> Callable[..., Contact]:
    def make(**fields: Any) -> Contact:
        given: dict[str, Any] = {
            "id": "contact/31bb7ba8/ABPerson/1",
            "rowid": 1,
            "display_name": "Ann Lee",
            "phones": [ContactValue(rowid=1, label="mobile", value="+1 (555) 123-4567")],
            "provenance": _provenance("ABPerson", 1),
            "raw": {},
        }
        return Contact(**{**given, **fields})

    return make
