"""An evidence folder as far as custody sees it: a bag with its digest and its copy of the log, and the living log."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog

TAGS = b"0" * 64 + b"  bag-info.txt\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two lines that are sealed, and the one that names the bag digest."""
    dest = tmp_path / "evidence"
    (dest / "bag").mkdir(parents=True)
    (dest / "bag" / "tagmanifest-sha256.txt").write_bytes(TAGS)
    log = CustodyLog.open(dest / "custody.jsonl", host="bench")
    log.append("received", result="ok", actor="Ann Lee")
    log.append("sealed", result="ok", actor="Ann Lee")
    shutil.copy(log.path, dest / "bag" / "custody.jsonl")
    digest = hashlib.sha256(TAGS).hexdigest()
    log.append("stored", result="ok", actor="Ann Lee", outputs=[Artifact("tagmanifest-sha256.txt", len(TAGS), digest)])
    return dest
