"""Evidence folders for the papers: a plain one, one whose log tells a long way, and one by a hostile hand.

Each is made with the writer of bags, with fixed times; the label is written as a hostile folder may hold it, without
what bagtag does to a label's text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import plistlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest

from bagtag.custody import durable
from bagtag.custody.examination import Examination
from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.custody.times import Moment
from bagtag.reports.bundle import readme, seal_folder, statement
from bagtag.reports.bundle.bag import BagWriter
from bagtag.reports.bundle.bag_info import BagInfo
from bagtag.reports.bundle.statement import Statement
from bagtag.reports.pdf.fonts import Typefaces

EXAMINATION = Examination(
    case="2024-0815", item="7", examiner="Ann Lee", agency="State Lab", exhibit="AL/1", authority="Warrant 12/24"
)
INFO = {
    "Device Name": "Ann's iPhone", "Product Name": "iPhone 15", "Product Type": "iPhone15,4", "Product Version": "17.4",
    "Serial Number": "F2LSAMPLE", "IMEI": "350000000000000", "Target Identifier": "00008120-0001",
    "iTunes Version": "12.13.1", "GUID": "BACKUP-GUID",
}  # fmt: skip
ISSUES = ("lost", "partial", "partial", "note")
OUTCOMES = ("ok", "ok", "ok", "missing", "directory")
HOSTILE = {
    "Evidence-Case-Number": "<script>alert(1)</script> #eval(\"x\") \\include",
    "Evidence-Item-Number": "evil\u202egnp.exe",
    "Evidence-Examiner": "Ann 👨‍👩‍👧 \ufffc שלום \ue000 漢字",
    "Evidence-Exhibit-Reference": "=cmd|' /C calc'!A1",
    "Source-Organization": "x" * 400,
    "Evidence-Source-Digest": "no digest at all \u202e",
    "Evidence-Source-Device": "مرحبا بالعالم {{ 7 * 7 }} $x^2$ *bold* _it_",
}  # fmt: skip
HOSTILE_NOTE = (
    "first\x00\x1b[2J\tline\n"
    + "w" * 400
    + "\n]] #panic() </style><script>alert(1)</script>\u202e\u2066 "
    + ("z" + "\u0301" * 60)
)


@dataclasses.dataclass(frozen=True)
class RawLabel:
    """A label as anybody may write it: bagtag's own, with some values replaced."""

    facts: BagInfo
    values: Mapping[str, str]

    def labels(self, files: int, octets: int) -> list[tuple[str, str]]:
        made = dict(self.facts.labels(files, octets))
        return list((made | dict(self.values)).items())


class Clock:
    """A clock that a test turns: a second a line, from a minute that it sets."""

    def __init__(self) -> None:
        self.minute, self.second = 0, -1

    def __call__(self) -> Moment:
        self.second += 1
        time = f"{self.minute:02}:{self.second % 60:02}.000"
        return Moment(f"2024-03-01T12:{time}Z", f"2024-03-01T13:{time}+01:00", "Europe/Berlin", "system")


def _jsonl(key: str, values: tuple[str, ...]) -> bytes:
    return b"".join(json.dumps({key: value, "findings": []}).encode() + b"\n" for value in values)


def build(
    dest: Path,
    *,
    label: Mapping[str, str] | None = None,
    info: Mapping[str, str] | None = None,
    note: str = "on a disk",
) -> Path:
    """An evidence folder of six lines in `dest`, a new folder."""
    bag, clock = dest / "bag", Clock()
    payload = {
        "data/scope.json": b"{}\n",
        "data/source/Info.plist": plistlib.dumps(INFO if info is None else dict(info)),
        "data/inventory/files.jsonl": _jsonl("outcome", OUTCOMES),
        "data/records/issues.jsonl": _jsonl("effect", ISSUES),
    }
    log = CustodyLog.open(dest / "custody.jsonl", clock=clock, host="bench")
    dest.mkdir()
    intent = log.begin("received", actor="Ann Lee", reason="case work", authority="Warrant 12/24")
    log.finish(intent, result="ok", note=note)
    with BagWriter(bag, dest.with_name(dest.name + ".db")) as writer:
        for name, content in payload.items():
            (bag / name).parent.mkdir(parents=True, exist_ok=True)
            (bag / name).write_bytes(content)
            writer.add(name, hashlib.sha256(content).hexdigest(), len(content))
        log.append("examined", result="issues", actor="Ann Lee", note="source compared with what it was: size, mtime")
        manifest = writer.write_manifest()
        facts = BagInfo(
            examination=EXAMINATION, bagged_on="2024-03-01", run_id="run-1", software="bagtag 9.9",
            encryption="not encrypted", source_digest="ab" * 32, second_reading="3 agree",
            source_device="iPhone15,4, 17.4", source_backup_id="BACKUP-GUID",
        )  # fmt: skip
        writer.write_labels(cast("BagInfo", RawLabel(facts, label or {})))
        writer.write_schemas({"issue": b"{}\n"})
        page = readme.render(EXAMINATION, "9.9", manifest, writer.files, writer.octets)
        durable.write(dest / "README.txt", page)
        named = Artifact("README.txt", len(page), hashlib.sha256(page).hexdigest())
        log.append("sealed", result="ok", actor="Ann Lee", outputs=[manifest, named])
        writer.write_custody(log.path)
        tags = writer.write_tagmanifest()
    line = log.append("stored", result="ok", actor="Ann Lee", outputs=[tags])
    (dest / "seal").mkdir()
    stated = Statement(tags.sha256, manifest.sha256, log.head, line.seq)
    durable.write(dest / "seal/statement.json", statement.render(stated))
    return dest


def sign(dest: Path, signer: Signer) -> None:
    """A signature over the statement, as `bagtag seal` leaves it."""
    raw = seal_folder.read(dest, seal_folder.STATEMENT)
    key = seal_folder.write(dest, f"{signer.keyid}.pub.pem", signer.public.pem)
    made = seal_folder.write(dest, f"{signer.keyid}.sig", signer.sign(raw))
    clock = Clock()
    clock.minute = 2
    log = CustodyLog.open(dest / "custody.jsonl", clock=clock, host="bench")
    log.append("stored", result="ok", actor="Ann Lee", outputs=[key, made])


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """The lab's key."""
    return Signer.create(tmp_path_factory.mktemp("lab") / "lab.key", "a passphrase")


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six lines, unsigned. Read it, never change it."""
    return build(tmp_path_factory.mktemp("plain") / "evidence")


@pytest.fixture
def folder(plain_folder: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may do anything to."""
    return Path(shutil.copytree(plain_folder, tmp_path / "evidence"))


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names, notes and a device by somebody who wants the pages to break. Read it, never change it."""
    info = INFO | {"Device Name": "🏴\u202e" + "d" * 200, "Product Name": "<img src=x onerror=alert(1)>"}
    return build(tmp_path_factory.mktemp("hostile") / "evidence", label=HOSTILE, info=info, note=HOSTILE_NOTE)


@pytest.fixture(scope="session")
def hostile_label() -> dict[str, str]:
    """The label of the hostile folder."""
    return dict(HOSTILE)


@pytest.fixture(scope="session")
def typefaces() -> Typefaces:
    """The fonts of the wheel."""
    return Typefaces.load()


@pytest.fixture
def log_of() -> Callable[[Path, int], CustodyLog]:
    """The living log of a folder, on a clock that stands at that minute of the hour."""

    def opened(dest: Path, minute: int) -> CustodyLog:
        clock = Clock()
        clock.minute = minute
        return CustodyLog.open(dest / "custody.jsonl", clock=clock, host="desk")

    return opened


@pytest.fixture
def seal_with() -> Callable[[Path, Signer], None]:
    """Sign the statement of a folder."""
    return sign
