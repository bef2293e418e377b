"""The main job from end to end, judged by tools that are not ours, and by what a crash leaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bagit
import bagit_profile
import pytest
from jsonschema import Draft202012Validator

from bagtag.custody.errors import PassphraseError, StoppedError, UsageError
from bagtag.custody.examination import Examination
from bagtag.extract.backup import Backup
from bagtag.parsers.messages import slices
from bagtag.reports.bundle.job import Job, Made
from bagtag.reports.bundle.make import make
from bagtag.reports.bundle.scope import Scope
from bagtag.reports.bundle.verify import verify

CASE = Examination(case="2024-0815", item="7", examiner="Ann Lee")


def made_of(minted: Any, dest: Path, **job: Any) -> Made:
    def unlock(backup: Backup) -> None:
        backup.unlock(passphrase=minted.passphrase)

    return make(Job(minted.folder, dest, CASE, **job), unlock=unlock, command=["bagtag", "bundle"])


def snapshot(folder: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_size if path.is_file() else 0,
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *folder.rglob("*")]
    }


def lines(dest: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (dest / "bag/data" / name).read_bytes().splitlines()]


@pytest.fixture(scope="module")
def folder(encrypted_backup: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished evidence folder of the encrypted sample."""
    dest = tmp_path_factory.mktemp("made") / "evidence"
    made_of(encrypted_backup, dest)
    return dest


def test_every_manifest_row_has_the_outcome_and_the_digest_of_the_truth(folder: Path, encrypted_backup: Any) -> None:
    told = {row["file_id"]: row for row in lines(folder, "inventory/files.jsonl")}
    assert len(told) == len(encrypted_backup.truth["manifest"])
    for fact in encrypted_backup.truth["manifest"]:
        row = told[fact["file_id"]]
        assert row["outcome"] == fact["outcome"]
        if fact["plain"]:
            assert row["plain"]["sha256"] == fact["plain"]["sha256"]
            kept = folder / "bag" / row["bag_path"]
            assert hashlib.sha256(kept.read_bytes()).hexdigest() == fact["plain"]["sha256"]


def test_every_table_that_is_read_is_reconciled(folder: Path) -> None:
    tables = lines(folder, "records/reconciliation.jsonl")
    assert {"message", "chat", "attachment", "ABPerson"} <= {row["table"] for row in tables}
    assert all(row["rows"] == row["records"] + row["issues"] for row in tables)


def test_two_runs_give_the_same_payload_and_other_bags(folder: Path, encrypted_backup: Any, tmp_path: Path) -> None:
    again = made_of(encrypted_backup, tmp_path / "again")
    assert again.payload_digest == hashlib.sha256((folder / "bag/manifest-sha256.txt").read_bytes()).hexdigest()
    assert again.bag_digest != hashlib.sha256((folder / "bag/tagmanifest-sha256.txt").read_bytes()).hexdigest()


def test_the_source_is_left_as_it_was(encrypted_backup: Any, tmp_path: Path) -> None:
    before = snapshot(encrypted_backup.folder)
    made_of(encrypted_backup, tmp_path / "evidence")
    assert snapshot(encrypted_backup.folder) == before


def test_the_second_tool_agrees_on_every_database(folder: Path) -> None:
    readings = lines(folder, "inventory/second-reading.jsonl")
    assert readings
    assert {row["verdict"] for row in readings} == {"agree"}


def test_every_record_keeps_to_its_published_schema(folder: Path) -> None:
    for name, schema in (("messages", "message"), ("chats", "chat"), ("contacts", "contact"), ("issues", "issue"),
                         ("deletion_traces", "deletion_trace"), ("reconciliation", "reconciliation")):  # fmt: skip
        checker = Draft202012Validator(json.loads((folder / f"bag/schemas/{schema}.json").read_text("utf-8")))
        records = lines(folder, f"records/{name}.jsonl")
        assert records, name
        for record in records:
            checker.validate(record)


def test_bagit_and_its_profile_accept_the_bag(folder: Path) -> None:
    bag = bagit.Bag(str(folder / "bag"))
    assert bag.validate()
    text = (folder / "bag/profile.json").read_text("utf-8")
    judge = bagit_profile.Profile(json.loads(text)["BagIt-Profile-Info"]["BagIt-Profile-Identifier"], profile=text)
    assert judge.validate(bag), judge.report


@pytest.mark.program("sha256sum")
def test_sha256sum_accepts_the_manifests_and_the_source_list(folder: Path, encrypted_backup: Any) -> None:
    for place, name in ((folder / "bag", "manifest-sha256.txt"), (folder / "bag", "tagmanifest-sha256.txt"),
                        (encrypted_backup.folder, folder / "bag/data/inventory/source.sha256")):  # fmt: skip
        subprocess.run(["sha256sum", "-c", "--quiet", "--strict", name], cwd=place, check=True)


def test_no_secret_is_in_anything_that_was_written(folder: Path, encrypted_backup: Any) -> None:
    secrets = (encrypted_backup.passphrase.encode(), encrypted_backup.kek.encode(), bytes.fromhex(encrypted_backup.kek))
    for path in folder.rglob("*"):
        if path.is_file():
            assert not any(secret in path.read_bytes() for secret in secrets), path


def test_a_wrong_passphrase_leaves_nothing_behind(encrypted_backup: Any, tmp_path: Path) -> None:
    with pytest.raises(PassphraseError):
        make(
            Job(encrypted_backup.folder, tmp_path / "evidence", CASE),
            unlock=lambda backup: backup.unlock(passphrase="wrong"),
            command=[],
        )
    assert not list(tmp_path.iterdir())


class _StopAt:
    """A progress that stops the run when the named step begins."""

    def __init__(self, title: str) -> None:
        self.title = title

    def step(self, title: str, total: int | None = None) -> None:
        if title == self.title:
            raise StoppedError("stopped")

    def advance(self, amount: int = 1) -> None:
        pass


STEPS = ["Decrypting", "Listing the source", "Reading records", "Second reading", "Comparing the source",
         "Writing the report", "Reading back"]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_stopped_anywhere_is_continued_to_the_same_payload(
    step: str, folder: Path, encrypted_backup: Any, tmp_path: Path
) -> None:
    job = Job(encrypted_backup.folder, tmp_path / "evidence", CASE)

    def unlock(backup: Backup) -> None:
        backup.unlock(passphrase=encrypted_backup.passphrase)

    with pytest.raises(StoppedError):
        make(job, unlock=unlock, command=[], progress=_StopAt(step))
    assert (tmp_path / "evidence.partial").is_dir()
    made = make(job, unlock=unlock, command=[])
    assert made.continued
    assert made.payload_digest == hashlib.sha256((folder / "bag/manifest-sha256.txt").read_bytes()).hexdigest()
    assert verify(made.dest).verdict == "intact"
    assert not (tmp_path / "evidence.partial").exists()


def test_a_finished_file_that_was_changed_meanwhile_is_made_again_and_not_counted_as_taken_over(
    folder: Path, encrypted_backup: Any, tmp_path: Path
) -> None:
    job = Job(encrypted_backup.folder, tmp_path / "evidence", CASE)

    def unlock(backup: Backup) -> None:
        backup.unlock(passphrase=encrypted_backup.passphrase)

    with pytest.raises(StoppedError):
        make(job, unlock=unlock, command=[], progress=_StopAt("Reading records"))
    files = tmp_path / "evidence.partial/bag/data/files"
    kept = sum(1 for path in files.rglob("*") if path.is_file())
    (files / "HomeDomain/Library/SMS/sms.db").write_bytes(b"changed")
    made = make(job, unlock=unlock, command=[])
    assert made.payload_digest == hashlib.sha256((folder / "bag/manifest-sha256.txt").read_bytes()).hexdigest()
    assert f"; {kept - 1} files taken over" in (made.dest / "custody.jsonl").read_text("utf-8")


def test_other_options_do_not_continue_a_run(encrypted_backup: Any, tmp_path: Path) -> None:
    def unlock(backup: Backup) -> None:
        backup.unlock(passphrase=encrypted_backup.passphrase)

    job = Job(encrypted_backup.folder, tmp_path / "evidence", CASE)
    with pytest.raises(StoppedError):
        make(job, unlock=unlock, command=[], progress=_StopAt("Reading records"))
    with pytest.raises(UsageError, match="other options: also"):
        make(Job(encrypted_backup.folder, tmp_path / "evidence", CASE, also=("md5",)), unlock=unlock, command=[])


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_run_is_continued_to_the_same_payload(mint: Any, tmp_path: Path) -> None:
    files = [("AppDomain-com.example.kill", f"Documents/{number}.bin", 20_000) for number in range(1500)]
    backup = mint(extra_files=files)
    expected = made_of(backup, tmp_path / "undisturbed").payload_digest
    command = [sys.executable, "-m", "bagtag.cli", "bundle", str(backup.folder), "DEST"]
    command += ["--case", "2024-0815", "--item", "7", "--examiner", "Ann Lee"]
    environment = {**os.environ, "BAGTAG_PASSPHRASE": backup.passphrase}
    for delay in (0.6, 0.9, 1.3, 1.8):
        dest = tmp_path / f"killed-{delay}"
        call = [str(dest) if word == "DEST" else word for word in command]
        process = subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if not dest.exists():
            done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 1, done.stderr  # the sample lacks a blob
        digest = hashlib.sha256((dest / "bag/manifest-sha256.txt").read_bytes()).hexdigest()
        assert digest == expected, delay
        assert verify(dest).verdict == "intact"


def test_a_file_scope_lists_what_is_outside_by_fileid_alone(plain_backup: Any, tmp_path: Path) -> None:
    made = made_of(plain_backup, tmp_path / "evidence", scope=Scope(preset="messages"))
    rows = lines(made.dest, "inventory/files.jsonl")
    outside = [row for row in rows if row["outcome"] == "out-of-scope"]
    assert outside
    for row in outside:
        assert set(row) == {"file_id", "outcome"}
    assert (made.dest / "bag/data/files/HomeDomain/Library/SMS/sms.db").is_file()


def test_a_record_scope_hands_over_nothing_but_its_records(plain_backup: Any, tmp_path: Path) -> None:
    chat = next(chat for chat in plain_backup.truth["chats"] if not chat["is_group"])
    whole = made_of(plain_backup, tmp_path / "whole")
    made = made_of(plain_backup, tmp_path / "evidence", scope=Scope(chat=chat["guid"]))
    every = lines(whole.dest, "records/messages.jsonl")
    wanted = [row["guid"] for row in every if chat["guid"] in [one["guid"] for one in row["chats"]]]
    assert [row["guid"] for row in lines(made.dest, "records/messages.jsonl")] == wanted
    facts = json.loads((made.dest / "bag/data/scope.json").read_text("utf-8"))
    assert facts["records_left_out"]["message"] == len(every) - len(wanted)
    assert "HomeDomain/Library/SMS/sms.db" in facts["databases_read_but_not_carried"]
    assert not list((made.dest / "bag").rglob("*.db"))
    others = [row["text"] for row in every if row["guid"] not in wanted and row["text"] and len(row["text"]) > 20]
    written = b"".join(path.read_bytes() for path in (made.dest / "bag/data/records").iterdir())
    assert not [text for text in others if text.encode() in written and text not in json.dumps(
        [row for row in every if row["guid"] in wanted], ensure_ascii=False)]  # fmt: skip
    issues = (made.dest / "bag/data/records/issues.jsonl").read_text("utf-8")
    assert not [row["guid"] for row in every if row["guid"] not in wanted and row["guid"] in issues]
    assert verify(made.dest).verdict == "intact"


def test_without_the_key_bag_its_file_is_left_out_and_its_digest_kept(encrypted_backup: Any, tmp_path: Path) -> None:
    made = made_of(encrypted_backup, tmp_path / "evidence", without_key_bag=True)
    original = (encrypted_backup.folder / "Manifest.plist").read_bytes()
    assert not list((made.dest / "bag").rglob("Manifest.plist"))
    facts = json.loads((made.dest / "bag/data/scope.json").read_text("utf-8"))
    assert facts["without_key_bag"]["manifest_plist_sha256"] == hashlib.sha256(original).hexdigest()


@pytest.mark.parametrize("more", [{}, {"features": True}, {"faults": ["damaged-row-message", "missing-blob"]}])
def test_several_processes_write_the_same_bag_as_one(
    more: dict[str, Any], mint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minted = mint(encrypted=True, ios="18.5", extra_messages=200, **more)
    monkeypatch.setattr(slices, "MANY", 10)
    monkeypatch.setattr(slices, "ROWS", 7)
    asked: list[int] = []
    standing = slices._standing

    def counted(setup: Any, count: int) -> Any:
        asked.append(count)
        return standing(setup, count)

    monkeypatch.setattr(slices, "_standing", counted)
    for cores in (1, 3):
        monkeypatch.setattr(slices, "usable_cores", lambda cores=cores: cores)
        made_of(minted, tmp_path / f"{cores} cores")
    assert asked == [3]
    one, three = ((tmp_path / f"{cores} cores/bag/data") for cores in (1, 3))
    names = sorted(path.name for path in (one / "records").iterdir())
    assert len(lines(tmp_path / "1 cores", "records/messages.jsonl")) > 200
    assert [(three / "records" / name).read_bytes() for name in names] == [
        (one / "records" / name).read_bytes() for name in names
    ]
    digests = [(tmp_path / f"{cores} cores/bag/manifest-sha256.txt").read_bytes() for cores in (1, 3)]
    assert digests[0] == digests[1]


def test_a_scope_of_records_is_read_by_one_process(mint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_setup: Any, _count: int) -> Any:
        raise AssertionError("several processes were asked for")

    minted = mint(encrypted=False, ios="18.5", extra_messages=50)
    monkeypatch.setattr(slices, "MANY", 10)
    monkeypatch.setattr(slices, "usable_cores", lambda: 3)
    monkeypatch.setattr(slices, "_standing", never)
    assert made_of(minted, tmp_path / "e", scope=Scope(handle="+12025550171")).records["messages"]
