"""A tiny evidence folder, made step by step with the writer: eight payload files, five custody lines, no backup."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bagtag.custody import durable
from bagtag.custody.examination import Examination
from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog
from bagtag.custody.times import Moment
from bagtag.reports.bundle import readme, statement
from bagtag.reports.bundle.bag import BagWriter
from bagtag.reports.bundle.bag_info import BagInfo
from bagtag.reports.bundle.statement import Statement

EXAMINATION = Examination(case="2024-0815", item="7", examiner="Ann Lee", agency="Lab")
SMS = b"SQLite format 3\0 and so on"
SMS_SHA256 = hashlib.sha256(SMS).hexdigest()


def _line(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


PAYLOAD = {
    "data/scope.json": b"{}\n",
    "data/source/Info.plist": b"<plist/>",
    # Sorted by whole paths, "a.b" lies before "a/b" and "a-b" before both: the walk must agree with the manifest.
    "data/files/HomeDomain/Library/SMS/sms.db": SMS,
    "data/files/HomeDomain/Library/SMS.old": b"x",
    "data/files/HomeDomain/Library/SMS-old": "Grüße".encode(),
    "data/files/HomeDomain/Library/Stra\u00dfe \U0001f600.txt": b"",
    "data/inventory/files.jsonl": _line(
        file_id="3d0d", outcome="ok", plain={"size": len(SMS), "sha256": SMS_SHA256},
        bag_path="data/files/HomeDomain/Library/SMS/sms.db",
    ),
    "data/records/messages.jsonl": _line(schema=1, kind="message", id="message/3d0d7e5f/message/1", attachments=[]),
}  # fmt: skip
SCHEMAS = {
    "message": {
        "$ref": "#/$defs/Message",
        "$defs": {
            "Message": {
                "type": "object",
                "properties": {"schema": {"enum": [1]}, "id": {"type": "string"}, "attachments": {"type": "array"}},
                "required": ["id"],
            }
        },
    },
    "file": {"type": "object", "properties": {"file_id": {"type": "string"}}, "required": ["file_id", "bag_path"]},
}


def _clock() -> Callable[[], Moment]:
    ticks = iter(range(60))

    def tick() -> Moment:
        second = next(ticks)
        return Moment(f"2024-03-01T12:00:{second:02}.000Z", f"2024-03-01T13:00:{second:02}.000+01:00", "CET", "system")

    return tick


def build(folder: Path, scratch: Path, payload: dict[str, bytes] | None = None) -> Path:
    """Make and seal an evidence folder, in the order that bag.py asks for."""
    payload = PAYLOAD if payload is None else payload
    bag = folder / "bag"
    log = CustodyLog.open(folder / "custody.jsonl", clock=_clock(), host="bench")
    for name, content in payload.items():
        (bag / name).parent.mkdir(parents=True, exist_ok=True)
        (bag / name).write_bytes(content)
    log.append("received", result="ok", actor="Ann Lee", note="backup on a disk")
    intent = log.begin("decrypted", actor="Ann Lee", command=["bagtag", "bundle"])
    log.finish(intent, result="ok")
    with BagWriter(bag, scratch) as writer:
        for name, content in payload.items():
            writer.add(name, hashlib.sha256(content).hexdigest(), len(content))
        manifest = writer.write_manifest()
        writer.write_labels(
            BagInfo(
                examination=EXAMINATION, bagged_on="2024-03-01", run_id="r1", software="bagtag 0", encryption="none",
                source_digest="0" * 64, second_reading="not covered: plain", source_device="Ann\u2019s\n iPhone",
            )
        )  # fmt: skip
        writer.write_schemas({name: json.dumps(schema).encode() for name, schema in SCHEMAS.items()})
        page = readme.render(EXAMINATION, "0", manifest, writer.files, writer.octets)
        durable.write(folder / "README.txt", page)
        named = Artifact("README.txt", len(page), hashlib.sha256(page).hexdigest())
        log.append("sealed", result="ok", actor="Ann Lee", outputs=[manifest, named])
        writer.write_custody(folder / "custody.jsonl")
        tags = writer.write_tagmanifest()
    line = log.append("stored", result="ok", actor="Ann Lee", outputs=[tags])
    (folder / "seal").mkdir()
    facts = Statement(tags.sha256, manifest.sha256, log.head, line.seq)
    durable.write(folder / "seal/statement.json", statement.render(facts))
    return folder


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, shared by all tests: read it, never change it."""
    root = tmp_path_factory.mktemp("evidence")
    return build(root / "out", root / "payload.db")


@pytest.fixture
def folder(evidence: Path, tmp_path: Path) -> Path:
    """A copy of the folder that a test may do anything to."""
    return shutil.copytree(evidence, tmp_path / "copy")


@pytest.fixture
def build_folder(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Build a folder with another payload than the usual one."""

    def make(payload: dict[str, bytes]) -> Path:
        return build(tmp_path / "made", tmp_path / "made.db", payload)

    return make


@pytest.fixture(scope="session")
def payload() -> dict[str, bytes]:
    """The payload files of the folder, by their path in the bag."""
    return dict(PAYLOAD)
