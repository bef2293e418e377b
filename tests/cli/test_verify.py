"""`bagtag verify`: three verdicts, their exit codes, and the word that stands for one of them alone."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.reports.bundle import seal_folder

SMS_DB = "bag/data/files/HomeDomain/Library/SMS/sms.db"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_folder_that_agrees_with_itself_is_intact_and_not_verified(bagtag: Any, demo: Path) -> None:
    ran = bagtag("verify", demo / "evidence")
    assert ran.code == 0
    assert "intact" in ran.out
    assert "verified" not in (ran.out + ran.err).lower()
    assert digest(demo / "evidence/bag/manifest-sha256.txt") in ran.out
    assert digest(demo / "evidence/bag/tagmanifest-sha256.txt") in ran.out
    assert "lines 0" in ran.out.lower()


def test_with_its_bag_digest_from_elsewhere_it_is_authentic(bagtag: Any, demo: Path) -> None:
    given = digest(demo / "evidence/bag/tagmanifest-sha256.txt")
    ran = bagtag("verify", demo / "evidence", "--expect", given)
    assert ran.code == 0
    assert "verified: authentic" in ran.out
    (facts,) = bagtag("verify", demo / "evidence", "--expect", given, "--json").rows
    assert (facts["verdict"], facts["problems"], facts["bag_digest"]) == ("authentic", [], given)


def test_another_bag_digest_breaks_it(bagtag: Any, demo: Path) -> None:
    ran = bagtag("verify", demo / "evidence", "--expect", "0" * 64)
    assert ran.code == 4
    assert "broken" in ran.out
    assert "verified" not in (ran.out + ran.err).lower()


def test_an_anchor_that_is_no_digest_ends_with_2(bagtag: Any, demo: Path) -> None:
    assert bagtag("verify", demo / "evidence", "--expect", "abc").code == 2


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (SMS_DB, _flip),
        ("README.txt", _flip),
        ("custody.jsonl", _flip),
        (SMS_DB, Path.unlink),
        ("bag/data/files/planted.txt", lambda path: path.write_text("planted")),
    ],
)
def test_what_was_changed_is_named_and_ends_with_4(
    path: str, change: Callable[[Path], object], bagtag: Any, evidence: Path
) -> None:
    change(evidence / path)
    ran = bagtag("verify", evidence)
    assert ran.code == 4
    assert f"problem         {path}" in ran.out
    assert "verdict         broken" in ran.out


def test_every_problem_is_listed(bagtag: Any, evidence: Path) -> None:
    _flip(evidence / SMS_DB)
    _flip(evidence / "bag/data/scope.json")
    (evidence / "stray").write_text("x")
    (facts,) = bagtag("verify", evidence, "--json").rows
    paths = {problem["path"] for problem in facts["problems"]}
    assert {SMS_DB, "bag/data/scope.json", "stray"} <= paths


def test_a_planted_name_cannot_steer_the_terminal(bagtag: Any, evidence: Path) -> None:
    (evidence / "\x1b[2J\nverdict         verified: authentic").write_text("x")
    for extra in ((), ("--json",)):
        ran = bagtag("verify", evidence, *extra)
        assert ran.code == 4
        assert "\x1b" not in ran.out
        assert "\nverdict         verified" not in ran.out


def test_nothing_is_written(bagtag: Any, evidence: Path) -> None:
    def state() -> list[tuple[str, int, int]]:
        paths = [evidence, *sorted(evidence.rglob("*"))]
        return [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]

    before = state()
    bagtag("verify", evidence)
    assert state() == before


def test_the_verdict_stays_the_exit_code_when_nobody_reads_it(program: Any, evidence: Path) -> None:
    _flip(evidence / SMS_DB)
    process = program("verify", evidence)
    process.stdout.close()
    assert process.wait(timeout=60) == 4


# -- signatures, stamps, zips ----------------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path) -> Any:
    """A signer, whose public key lies in `lab.pub.pem`."""
    signer = Signer.create(tmp_path / "lab.key", "a passphrase")
    (tmp_path / "lab.pub.pem").write_bytes(signer.public.pem)
    return signer


@pytest.fixture
def signed(evidence: Path, key: Signer) -> Path:
    """The demo's folder with a signature over its statement."""
    raw = seal_folder.read(evidence, seal_folder.STATEMENT)
    log = CustodyLog.open(evidence / "custody.jsonl")
    files = [
        seal_folder.write(evidence, f"{key.keyid}.pub.pem", key.public.pem),
        seal_folder.write(evidence, f"{key.keyid}.sig", key.sign(raw)),
    ]
    log.append("stored", result="ok", actor="Ann Lee", outputs=files)
    log.sign(key)
    return evidence


def test_the_signers_key_makes_it_authentic_and_another_breaks_it(bagtag: Any, signed: Path, tmp_path: Path) -> None:
    Signer.create(tmp_path / "other.key", "p")
    (tmp_path / "other.pub.pem").write_bytes(Signer.load(tmp_path / "other.key", "p").public.pem)
    ran = bagtag("verify", signed)
    assert ran.code == 0
    assert "signature       good, key " in ran.out
    assert "verified" not in ran.out
    ran = bagtag("verify", signed, "--trust", tmp_path / "other.pub.pem")
    assert ran.code == 4
    assert "holds no signature over the statement by a trusted key" in ran.out
    ran = bagtag("verify", signed, "--trust", tmp_path / "other.pub.pem", "--trust", tmp_path / "lab.pub.pem")
    assert ran.code == 0
    assert "signature       trusted, key " in ran.out
    assert "verified: authentic" in ran.out
    assert "are covered by a trusted signature (key " in ran.out


def test_the_result_as_json_names_signatures_and_stamps(bagtag: Any, signed: Path, key: Signer) -> None:
    (facts,) = bagtag("verify", signed, "--json").rows
    assert facts["stamps"] == []
    assert [(each["keyid"], each["verdict"]) for each in facts["signatures"]] == [(key.keyid, "good")] * 2


@pytest.mark.parametrize("option", ["--trust", "--tsa-ca", "--other-log"])
def test_an_anchor_that_is_no_file_ends_with_2(bagtag: Any, demo: Path, option: str) -> None:
    assert bagtag("verify", demo / "evidence", option, demo / "nowhere").code == 2


def test_a_zip_is_judged_like_its_folder(bagtag: Any, signed: Path, tmp_path: Path) -> None:
    container = shutil.make_archive(str(tmp_path / "e"), "zip", signed.parent, signed.name)
    ran = bagtag("verify", container, "--trust", tmp_path / "lab.pub.pem")
    assert ran.code == 0
    assert ran.out == bagtag("verify", signed, "--trust", tmp_path / "lab.pub.pem").out


# -- --log -----------------------------------------------------------------------------------------------------------


def last(path: Path) -> Any:
    return json.loads(path.read_bytes().splitlines()[-1])


@pytest.mark.parametrize("words", [["DEST", "--log"], ["DEST", "--log", "--json"], ["DEST", "--log="]])
def test_a_lone_log_writes_the_result_into_the_folders_own(bagtag: Any, evidence: Path, words: list[str]) -> None:
    before = (evidence / "custody.jsonl").read_bytes()
    ran = bagtag("verify", *(evidence if word == "DEST" else word for word in words))
    assert ran.code == 0
    raw = (evidence / "custody.jsonl").read_bytes()
    assert raw.startswith(before)
    assert raw.count(b"\n") == before.count(b"\n") + 1
    line = last(evidence / "custody.jsonl")
    assert (line["event"], line["result"], line["note"]) == ("verified", "ok", "intact")
    assert line["inputs"][0]["sha256"] == digest(evidence / "bag/tagmanifest-sha256.txt")
    assert "written into" in ran.err
    assert bagtag("verify", evidence).code == 0


def test_the_actor_is_named_and_a_failure_is_written_too(bagtag: Any, evidence: Path) -> None:
    _flip(evidence / SMS_DB)
    assert bagtag("verify", evidence, "--actor", "Ann Lee", "--log").code == 4
    line = last(evidence / "custody.jsonl")
    assert (line["actor"], line["result"], line["note"]) == ("Ann Lee", "failed", "broken (1 problem)")


@pytest.mark.parametrize("words", [["DEST", "--log", "FILE"], ["DEST", "--log=FILE"], ["--log", "FILE", "DEST"]])
def test_a_log_elsewhere_goes_on_from_the_folders_own_which_stays_as_it_is(
    bagtag: Any, evidence: Path, tmp_path: Path, words: list[str]
) -> None:
    file, own = tmp_path / "on.jsonl", (evidence / "custody.jsonl").read_bytes()

    def run() -> Any:
        return bagtag("verify", *(word.replace("DEST", str(evidence)).replace("FILE", str(file)) for word in words))

    assert run().code == 0
    assert (evidence / "custody.jsonl").read_bytes() == own
    assert file.read_bytes().startswith(own)
    assert last(file)["event"] == "verified"
    assert run().code == 0
    assert file.read_bytes().count(b"\n") == own.count(b"\n") + 2
    file.write_bytes(b'{"seq":0}\n')
    assert run().code == 2
    assert file.read_bytes() == b'{"seq":0}\n'


def test_of_a_zip_the_result_goes_elsewhere(bagtag: Any, evidence: Path, tmp_path: Path) -> None:
    container = Path(shutil.make_archive(str(tmp_path / "e"), "zip", evidence.parent, evidence.name))
    before = container.read_bytes()
    ran = bagtag("verify", container, "--log")
    assert ran.code == 2
    assert "never written to" in ran.err
    assert bagtag("verify", container, "--log", tmp_path / "on.jsonl").code == 0
    assert bagtag("verify", container, "--log", tmp_path / "on.jsonl").code == 0
    own = (evidence / "custody.jsonl").read_bytes()
    assert (tmp_path / "on.jsonl").read_bytes().startswith(own)
    assert (tmp_path / "on.jsonl").read_bytes().count(b"\n") == own.count(b"\n") + 2
    assert container.read_bytes() == before


def test_nothing_is_written_behind_a_chain_that_is_broken(bagtag: Any, evidence: Path) -> None:
    path = evidence / "custody.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"seq":1', b'"seq":7', 1))
    before = path.read_bytes()
    ran = bagtag("verify", evidence, "--log")
    assert ran.code == 4
    assert "nothing is written to it" in ran.err
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [["--actor", "Ann Lee"], ["--log", "nowhere/at/all.jsonl"]])
def test_what_cannot_be_written_is_said_before_the_check(bagtag: Any, evidence: Path, words: list[str]) -> None:
    ran = bagtag("verify", evidence, *words)
    assert (ran.code, ran.out) == (2, "")


def test_where_nothing_is_judged_nothing_is_written(bagtag: Any, tmp_path: Path) -> None:
    assert bagtag("verify", tmp_path, "--log", tmp_path / "on.jsonl").code == 3
    assert not (tmp_path / "on.jsonl").exists()
