"""A tiny evidence folder, made step by step with the writer: eight payload files, five custody lines, no backup.

And the same folder signed, stamped and handed over, by the conventions of the custody log.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import durable, stamp
from bagtag.custody.examination import Examination
from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.custody.times import Moment
from bagtag.reports.bundle import readme, seal_folder, statement
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


def _clock(day: str, minute: int) -> Callable[[], Moment]:
    ticks = iter(range(60))

    def tick() -> Moment:
        time = f"{minute:02}:{next(ticks):02}.000"
        return Moment(f"{day}T12:{time}Z", f"{day}T13:{time}+01:00", "CET", "system")

    return tick


def build(folder: Path, scratch: Path, payload: dict[str, bytes] | None = None, *, day: str = "2024-03-01") -> Path:
    """Make and seal an evidence folder, in the order that bag.py asks for."""
    payload = PAYLOAD if payload is None else payload
    bag = folder / "bag"
    log = CustodyLog.open(folder / "custody.jsonl", clock=_clock(day, 0), host="bench")
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
def build_folder(tmp_path: Path) -> Callable[..., Path]:
    """Build a folder with another payload than the usual one, or on another day than 2024-03-01."""

    def make(payload: dict[str, bytes] | None = None, *, day: str = "2024-03-01") -> Path:
        return build(tmp_path / "made", tmp_path / "made.db", payload, day=day)

    return make


class Lab:
    """Somebody who signs, stamps and hands over: by hand, as the conventions of the custody log have it."""

    def __init__(self, folder: Path, name: str = "Ann Lee", *, keep: str = "lab") -> None:
        self.name = name
        self.signer = Signer.create(folder / f"{keep}.key", "a passphrase")
        self.public = folder / f"{keep}.pub.pem"
        self.public.write_bytes(self.signer.public.pem)

    def log(self, dest: Path, minute: int = 10) -> CustodyLog:
        return CustodyLog.open(dest / "custody.jsonl", clock=_clock("2024-03-01", minute), host="bench")

    def sign(self, dest: Path, minute: int = 10) -> None:
        """A signature over the statement: the files, the line that names them, the signature over that line."""
        keyid, raw = self.signer.keyid, seal_folder.read(dest, seal_folder.STATEMENT)
        named = Artifact("seal/statement.json", len(raw), hashlib.sha256(raw).hexdigest())
        key = seal_folder.write(dest, f"{keyid}.pub.pem", self.signer.public.pem)
        made = seal_folder.write(dest, f"{keyid}.sig", self.signer.sign(raw))
        log = self.log(dest, minute)
        log.append("stored", result="ok", actor=self.name, outputs=[named, key, made])
        log.sign(self.signer)

    def stamp(self, dest: Path, answer: Callable[[bytes], bytes], chain: bytes | None = None, minute: int = 20) -> None:
        """A stamp over the statement; `answer` is the authority, `chain` what lies beside the stamp."""
        raw, number = seal_folder.read(dest, seal_folder.STATEMENT), len(list((dest / "seal").glob("*.tsq"))) + 1
        log = self.log(dest, minute)
        named = Artifact("seal/statement.json", len(raw), hashlib.sha256(raw).hexdigest())
        intent = log.begin("stamped", actor=self.name, inputs=[named], note="http://127.0.0.1")
        query = stamp.request(raw)
        kept = [
            seal_folder.write(dest, f"{number}.tsq", query), seal_folder.write(dest, f"{number}.tsr", answer(query))
        ]  # fmt: skip
        if chain is not None:
            kept.append(seal_folder.write(dest, f"{number}.chain.pem", chain))
        log.finish(intent, result="ok", outputs=kept)

    def hand_over(self, dest: Path, minute: int = 30, *, signed: bool = True) -> None:
        """A transfer, signed by whoever releases it."""
        log = self.log(dest, minute)
        log.append("transferred", result="ok", actor=self.name, note="released by Ann Lee to Ben Roe")
        if signed:
            log.sign(self.signer)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Ann Lee's."""
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Somebody whose key nobody trusts."""
    return Lab(tmp_path_factory.mktemp("stranger"), "Mallory")


@pytest.fixture(scope="session")
def signed_evidence(evidence: Path, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder signed (lines 5 and 6) and handed over (7 and 8). Read it, never change it."""
    dest = Path(shutil.copytree(evidence, tmp_path_factory.mktemp("signed") / "out"))
    lab.sign(dest)
    lab.hand_over(dest)
    return dest


@pytest.fixture
def signed(signed_evidence: Path, tmp_path: Path) -> Path:
    """A copy of the signed folder that a test may do anything to."""
    return Path(shutil.copytree(signed_evidence, tmp_path / "signed"))


@pytest.fixture(scope="session")
def stamped_evidence(evidence: Path, lab: Lab, authority: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder signed (lines 5 and 6), stamped (7 and 8) and handed over (9 and 10). Read it, never change it."""
    dest = Path(shutil.copytree(evidence, tmp_path_factory.mktemp("stamped") / "out"))
    lab.sign(dest)
    lab.stamp(dest, authority.stamp, authority.ca_pem)
    lab.hand_over(dest)
    return dest


@pytest.fixture
def stamped(stamped_evidence: Path, tmp_path: Path) -> Path:
    """A copy of that folder that a test may do anything to."""
    return Path(shutil.copytree(stamped_evidence, tmp_path / "stamped"))


@pytest.fixture(scope="session")
def payload() -> dict[str, bytes]:
    """The payload files of the folder, by their path in the bag."""
    return dict(PAYLOAD)
