"""A message database in which every blob is damaged at random: no row is lost, and every blob is kept by its digest."""

from __future__ import annotations

import hashlib
import json
import plistlib
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bagtag.extract.evidence import Issue
from bagtag.extract.files import BareFiles
from bagtag.extract.workspace import Workspace
from bagtag.parsers.artifact import Reconciled, run
from bagtag.parsers.records import Message
from bagtag.sample_backups.typedstream import Number, Run, Url, attributed_string

NAMED = {
    "message": {"attributedBody", "payload_data", "message_summary_info"},
    "chat": {"properties"},
    "attachment": {"attribution_info", "user_info", "sticker_user_info"},
    "recoverable_message_part": {"part_text"},
}
"""Columns that hold a typedstream, an archive or a property list; whatever else is declared a blob is damaged too."""
MEMORY = 1024 * 1024 * 1024
"""Bytes of address space for the whole program; a bare interpreter takes a fifth of it."""
SMALL = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
except (ImportError, ValueError, OSError):
    pass  # a system that bounds no process: the rest is tested all the same
from bagtag.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def summary(*texts: str) -> bytes:
    """A message_summary_info of as many versions, the last part unsent."""
    events = [{"t": attributed_string([Run(text, {"part": 0})]), "d": 7e8} for text in texts]
    told = {"ec": {"0": events}, "ep": [0], "rp": [1], "otr": {"1": {"lo": 0, "le": 3}}, "ams": "“quoted”"}
    return plistlib.dumps(told, fmt=plistlib.FMT_BINARY)


SOUND = {
    "attributedBody": attributed_string(
        [Run("one 😀 ", {"__kIMMessagePartAttributeName": 0, "u": Url("x:y"), "q": Number(1 << 40, "q")}), Run("two")]
    ),
    "payload_data": plistlib.dumps(
        {"$top": {"root": plistlib.UID(1)}, "$objects": ["$null", {"URL": "x:y", "ldtext": "words"}],
         "$archiver": "NSKeyedArchiver", "$version": 100_000}, fmt=plistlib.FMT_BINARY
    ),
    "message_summary_info": summary("first", "second"),
    "properties": plistlib.dumps({"lastSeenMessageGuid": "G", "groupPhotoGuid": "at_0_G"}, fmt=plistlib.FMT_BINARY),
    "attribution_info": plistlib.dumps({"name": "App", "bundle-id": "com.example"}, fmt=plistlib.FMT_BINARY),
    "user_info": plistlib.dumps({"file-size": "12", "decryption-key": "00ff"}, fmt=plistlib.FMT_BINARY),
    "sticker_user_info": plistlib.dumps({"pid": "com.apple.messages.genmoji", "sid": "1"}, fmt=plistlib.FMT_BINARY),
    "part_text": attributed_string([Run("a part")]),
}  # fmt: skip
"""What is damaged where the sample has nothing."""


def damaged(sound: bytes, dice: random.Random) -> bytes:
    """The blob with bits flipped, cut off, overwritten with zeros or noise, or replaced as a whole."""
    blob = bytearray(sound)
    at = dice.randrange(len(blob))
    match dice.randrange(8):
        case 0:
            for _ in range(dice.randint(1, 16)):
                blob[dice.randrange(len(blob))] ^= 1 << dice.randrange(8)
        case 1:
            del blob[at:]
        case 2:
            del blob[at : at + dice.randint(1, 32)]
        case 3:
            length = dice.randint(1, 64)
            blob[at : at + length] = bytes(length)
        case 4:
            blob[at : at + 32] = dice.randbytes(32)
        case 5:
            blob[16:] = dice.randbytes(len(blob))
        case 6:
            blob[:] = dice.randbytes(dice.randint(0, 400))
        case 7:
            blob[at:at] = bytes([dice.choice([0x81, 0x82, 0x87, 0x84, 0x92, 0xFF])]) * dice.randint(1, 9)
    return bytes(blob)


def blob_columns(database: sqlite3.Connection) -> dict[str, list[str]]:
    """Every column that is declared a blob, by table."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = {
        table: [column[1] for column in database.execute(f"PRAGMA table_info({table})") if column[2] == "BLOB"]
        for table in tables
    }
    assert all(names <= set(found[table]) for table, names in NAMED.items())
    return {table: names for table, names in found.items() if names}


def damage(path: Path, seed: int) -> dict[int, dict[str, bytes]]:
    """Damage every blob of the database; the blobs of `message` by rowid and column."""
    dice = random.Random(seed)
    kept: dict[int, dict[str, bytes]] = {}
    with closing(sqlite3.connect(path)) as database:
        for table, columns in blob_columns(database).items():
            rows = database.execute(f"SELECT rowid, {', '.join(columns)} FROM {table} ORDER BY rowid").fetchall()
            for rowid, *cells in rows:
                made = [
                    damaged(cell or SOUND.get(name, SOUND["user_info"]), dice)
                    for name, cell in zip(columns, cells, strict=True)
                ]
                named = ", ".join(f"{name} = ?" for name in columns)
                database.execute(f"UPDATE {table} SET {named} WHERE rowid = ?", (*made, rowid))
                if table == "message":
                    kept[rowid] = dict(zip(columns, made, strict=True))
        database.commit()
    return kept


@pytest.fixture(scope="module")
def hurt(plain_backup: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], SimpleNamespace]:
    """The sample's message database, damaged as the seed says: its path, and what its blobs are now."""
    row = next(row for row in plain_backup.truth["manifest"] if row["relative_path"] == "Library/SMS/sms.db")
    sound = plain_backup.folder / row["file_id"][:2] / row["file_id"]

    def one(seed: int) -> SimpleNamespace:
        path = tmp_path_factory.mktemp("hurt") / "sms.db"
        shutil.copyfile(sound, path)
        return SimpleNamespace(path=path, blobs=damage(path, seed))

    return one


def kept(blob: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(blob).hexdigest(), "size": len(blob)}


@pytest.mark.parametrize("seed", range(8))
def test_every_row_is_a_record_or_an_issue_and_none_is_lost(
    hurt: Callable[[int], SimpleNamespace], seed: int, tmp_path: Path
) -> None:
    damaged_one = hurt(seed)
    with Workspace.inside(tmp_path) as workspace:
        found = list(run(BareFiles(damaged_one.path, workspace)))
    told = [each for each in found if isinstance(each, Reconciled)]
    assert {"message", "attachment", "handle", "chat"} <= {each.table for each in told}
    assert [each for each in told if each.rows != each.records + each.issues] == []
    messages = {each.rowid: each for each in found if isinstance(each, Message)}
    issues = [each for each in found if isinstance(each, Issue)]
    assert messages.keys() == damaged_one.blobs.keys()
    assert [each.what for each in issues if each.effect == "lost"] == []
    for rowid, message in messages.items():
        blobs = damaged_one.blobs[rowid]
        assert {name: message.raw[name] for name in blobs} == {name: kept(blob) for name, blob in blobs.items()}
    unread = {rowid for rowid, message in messages.items() if message.body.source != "attributedBody"}
    assert unread
    assert unread <= {each.where.rowid for each in issues if each.effect == "partial" and each.where is not None}


@pytest.mark.parametrize("seed", [100, 101])
def test_the_program_ends_with_1_in_bounded_memory_and_keeps_every_digest(
    hurt: Callable[[int], SimpleNamespace], seed: int
) -> None:
    damaged_one = hurt(seed)
    before = damaged_one.path.read_bytes()
    ended = subprocess.run(
        [sys.executable, "-c", SMALL, str(MEMORY), "messages", "--json", damaged_one.path],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    said = ended.stderr.decode()
    assert "Traceback" not in said
    assert ended.returncode == 1, said
    assert "partial: attributedBody cannot be decoded" in said
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["rowid"] for line in lines] == sorted(damaged_one.blobs)
    for line in lines:
        for name, blob in damaged_one.blobs[line["rowid"]].items():
            assert line["raw"][name] == kept(blob)
        assert line["body"]["sha256"] in (None, kept(damaged_one.blobs[line["rowid"]]["attributedBody"])["sha256"])
    assert damaged_one.path.read_bytes() == before
    assert [each.name for each in damaged_one.path.parent.iterdir()] == ["sms.db"]
