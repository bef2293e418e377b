"""No paper is made of what was tampered with: what is printed is compared with what was sealed first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from bagtag.custody.errors import EvidenceError, VerificationError
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.reports.paper import folder as reading


def test_the_facts_are_those_of_the_label_the_log_and_the_property_lists(plain_folder: Path) -> None:
    facts = reading.read(plain_folder)
    assert (facts.case, facts.item, facts.log_count) == ("2024-0815", "7", 5)
    assert (facts.sealed.number, facts.named.number) == (3, 4)
    assert facts.device.serial == "F2LSAMPLE"
    assert facts.signatures == ()
    assert facts.last_at == "2024-03-01T12:00:04.000Z"


def test_outcomes_findings_and_issues_are_counted(plain_folder: Path) -> None:
    counts = reading.count(plain_folder)
    assert counts.outcomes == {"ok": 3, "missing": 1, "directory": 1}
    assert counts.effects == {"lost": 1, "partial": 2, "note": 1}


def test_a_signature_that_the_key_made_is_named(folder: Path, signer: Signer, seal_with: Callable[..., None]) -> None:
    seal_with(folder, signer)
    assert reading.read(folder).signatures == (signer.keyid,)


def test_a_folder_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no evidence folder"):
        reading.read(tmp_path)


def _replace(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(dest: Path) -> None:
        content = (dest / name).read_bytes()
        assert old in content
        (dest / name).write_bytes(content.replace(old, new, 1))

    return change


def _cut(dest: Path) -> None:
    path = dest / "custody.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _resealed(dest: Path) -> None:
    """The label and the tag manifest changed together: only the log and the statement tell."""
    _replace("bag/bag-info.txt", b"Ann Lee", b"Eve Lee")(dest)
    old = (dest / "bag/tagmanifest-sha256.txt").read_bytes()
    lines = [line for line in old.splitlines(keepends=True) if not line.endswith(b"bag-info.txt\n")]
    digest = sha256((dest / "bag/bag-info.txt").read_bytes()).hexdigest().encode()
    lines = sorted([*lines, digest + b"  bag-info.txt\n"], key=lambda line: line[66:])
    (dest / "bag/tagmanifest-sha256.txt").write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_replace("bag/bag-info.txt", b"Ann Lee", b"Eve Lee"), "bag-info.txt"),
        (_resealed, "tagmanifest-sha256.txt"),
        (_replace("bag/manifest-sha256.txt", b"data/scope", b"data/Scope"), "manifest-sha256.txt"),
        (_replace("custody.jsonl", b"on a disk", b"in a boat"), "custody.jsonl"),
        (_replace("bag/custody.jsonl", b"on a disk", b"in a boat"), "custody.jsonl"),
        (_cut, "custody.jsonl"),
        (_replace("seal/statement.json", b'"custodySeq":4', b'"custodySeq":3'), "statement.json"),
        (_replace("bag/data/source/Info.plist", b"F2LSAMPLE", b"F2LSIMPLE"), "Info.plist"),
    ],
    ids=["label", "label and tag manifest", "manifest", "log", "sealed log", "end of the log", "statement", "plist"],
)
def test_a_folder_that_was_changed_is_refused(change: Callable[[Path], None], named: str, folder: Path) -> None:
    change(folder)
    with pytest.raises(VerificationError, match=named):
        reading.read(folder)


def test_records_that_were_changed_are_not_counted(folder: Path) -> None:
    path = folder / "bag/data/records/issues.jsonl"
    path.write_bytes(path.read_bytes() + json.dumps({"effect": "note"}).encode() + b"\n")
    with pytest.raises(VerificationError, match=r"issues\.jsonl"):
        reading.count(folder)


def test_a_signature_by_another_key_is_refused(
    folder: Path, signer: Signer, seal_with: Callable[..., None], tmp_path: Path
) -> None:
    seal_with(folder, signer)
    other = Signer.create(tmp_path / "other.key", "a passphrase")
    (folder / f"seal/{signer.keyid}.sig").write_bytes(other.sign(b"something else"))
    with pytest.raises(VerificationError, match=signer.keyid):
        reading.read(folder)


def test_a_line_signed_by_a_key_in_the_folder_is_checked_and_one_of_another_key_is_said_to_be_not(
    folder: Path, signer: Signer, seal_with: Callable[..., None], log_of: Callable[..., CustodyLog], tmp_path: Path
) -> None:
    seal_with(folder, signer)
    log = log_of(folder, 5)
    log.sign(signer)
    log.append("note", result="ok", actor="Ben Roe", note="seen")
    stranger = Signer.create(tmp_path / "other.key", "a passphrase")
    log.sign(stranger)
    lines = {one.number: one for one in reading.read(folder).lines}
    assert lines[5].signed == (signer.keyid,)
    assert lines[7].unchecked == (stranger.keyid,)


def test_a_last_line_that_a_crash_cut_short_does_not_stop_the_paper(folder: Path) -> None:
    with (folder / "custody.jsonl").open("ab") as log:
        log.write(b'{"seq":5,"event":"no')
    assert reading.read(folder).log_count == 6


def test_a_log_that_goes_on_elsewhere_is_the_one_that_is_read(
    folder: Path, log_of: Callable[..., CustodyLog], tmp_path: Path
) -> None:
    before = shutil.copytree(folder, tmp_path / "disc")
    log_of(folder, 9).append("returned", result="ok", actor="Ann Lee", note="to the owner")
    facts = reading.read(Path(before), folder / "custody.jsonl")
    assert facts.lines[-1].line.event == "returned"
