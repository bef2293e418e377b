"""The bag digest on the disk beside the one that the log names."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from bagtag.custody import bag_digest
from bagtag.custody.errors import EvidenceError, VerificationError
from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog


def test_the_line_after_the_sealing_names_it_and_no_other_line_does(folder: Path) -> None:
    log = CustodyLog.open(folder / "custody.jsonl")
    log.append("note", result="ok", actor="Eve", outputs=[Artifact("tagmanifest-sha256.txt", 1, "ab" * 32)])
    raw = (folder / "bag" / "tagmanifest-sha256.txt").read_bytes()
    wanted = Artifact("tagmanifest-sha256.txt", len(raw), hashlib.sha256(raw).hexdigest())
    assert bag_digest.named(log.path) == bag_digest.compared(folder, log.path) == wanted


def test_a_signature_between_the_two_lines_makes_no_difference_to_what_is_named(folder: Path) -> None:
    assert bag_digest.named(folder / "bag" / "custody.jsonl") is None  # ends with the sealing


def test_another_digest_than_the_logs_is_refused_with_both(folder: Path) -> None:
    path = folder / "bag" / "tagmanifest-sha256.txt"
    named = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(VerificationError) as refused:
        bag_digest.compared(folder, folder / "custody.jsonl")
    assert named in refused.value.message
    assert found in refused.value.message


def test_a_log_that_names_none_is_refused_and_so_is_a_folder_without_the_file(folder: Path) -> None:
    shutil.copy(folder / "bag" / "custody.jsonl", folder / "custody.jsonl")
    with pytest.raises(VerificationError, match="names none"):
        bag_digest.compared(folder, folder / "custody.jsonl")
    (folder / "bag" / "tagmanifest-sha256.txt").unlink()
    with pytest.raises(EvidenceError):
        bag_digest.compared(folder, folder / "custody.jsonl")
