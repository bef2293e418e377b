"""Signatures and stamps added to a closed folder: files in seal/, lines in the log, and what a crash leaves."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import chain, stamp
from bagtag.custody.errors import UsageError
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.reports.bundle import seal_folder
from bagtag.reports.bundle.seal import Authority, Seal


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer.create(tmp_path_factory.mktemp("keys") / "lab.key", "p")


@pytest.fixture
def seal(folder: Path) -> Seal:
    return Seal(folder, CustodyLog.open(folder / "custody.jsonl"), "Ann Lee")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "custody.jsonl").read_bytes().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "seal").iterdir())


def whole(folder: Path) -> bool:
    return not chain.problems(folder / "custody.jsonl")


def test_a_signature_leaves_its_files_and_a_line_that_names_them(seal: Seal, signer: Signer, folder: Path) -> None:
    before = len(lines(folder))
    assert seal.sign(signer, "Oracle Lab")
    assert names(folder) == sorted(["statement.json", f"{signer.keyid}.pub.pem", f"{signer.keyid}.sig"])
    (line,) = lines(folder)[before:]
    assert (line["event"], line["result"], line["actor"]) == ("stored", "ok", "Oracle Lab")
    assert [output["name"] for output in line["outputs"]] == [
        "seal/statement.json", f"seal/{signer.keyid}.pub.pem", f"seal/{signer.keyid}.sig",
    ]  # fmt: skip
    signature = (folder / f"seal/{signer.keyid}.sig").read_bytes()
    assert signer.public.accepts(signature, (folder / "seal/statement.json").read_bytes())
    assert whole(folder)


def test_the_same_key_signs_once_and_another_key_beside_it(seal: Seal, signer: Signer, folder: Path) -> None:
    assert seal.sign(signer, "Ann Lee")
    count = len(lines(folder))
    assert not seal.sign(signer, "Ann Lee")
    assert len(lines(folder)) == count
    reviewer = Signer.create(folder.parent / "reviewer.key", "p")
    assert seal.sign(reviewer, "A Reviewer")
    assert len(list((folder / "seal").glob("*.sig"))) == 2


def test_a_signature_that_a_killed_run_left_without_its_line_gets_the_line(
    seal: Seal, signer: Signer, folder: Path
) -> None:
    seal_folder.write(folder, f"{signer.keyid}.pub.pem", signer.public.pem)
    seal_folder.write(folder, f"{signer.keyid}.sig", signer.sign((folder / "seal/statement.json").read_bytes()))
    assert seal.sign(signer, "Ann Lee")
    assert not seal.sign(signer, "Ann Lee")


def test_covering_signs_the_last_line_once(seal: Seal, signer: Signer, folder: Path) -> None:
    line = seal.cover(signer)
    assert line is not None
    assert lines(folder)[-1]["event"] == "signed"
    assert seal.cover(signer) is None
    assert whole(folder)


@pytest.mark.program("openssl")
def test_a_stamp_leaves_request_response_and_the_certificates_that_were_given(
    seal: Seal, folder: Path, authority: Any
) -> None:
    done = seal.stamp(Authority.of(authority.url, authority.ca))
    assert done.failure is None
    assert names(folder) == ["1.chain.pem", "1.tsq", "1.tsr", "statement.json"]
    assert [line["result"] for line in lines(folder)[-2:]] == ["begun", "ok"]
    assert [output["name"] for output in lines(folder)[-1]["outputs"]] == [
        "seal/1.tsq", "seal/1.chain.pem", "seal/1.tsr",
    ]  # fmt: skip
    judged = subprocess.run(
        ["openssl", "ts", "-verify", "-data", folder / "seal/statement.json", "-in", folder / "seal/1.tsr",
         "-CAfile", folder / "seal/1.chain.pem"], capture_output=True, check=False,
    )  # fmt: skip
    assert b"Verification: OK" in judged.stdout + judged.stderr
    seal.stamp(Authority(authority.url))
    assert "2.tsr" in names(folder)
    assert seal.stamps == 2
    assert whole(folder)


@pytest.mark.parametrize("wrong", ["refused", "other-content", "other-nonce", "truncated", "http-500", "stranger"])
@pytest.mark.program("openssl")
def test_a_stamp_that_cannot_be_had_is_a_line_and_no_file(wrong: str, seal: Seal, folder: Path, authority: Any) -> None:
    done = seal.stamp(Authority.of(f"{authority.url}/{wrong}", authority.ca))
    assert done.failure is not None
    assert names(folder) == ["statement.json"]
    assert (lines(folder)[-1]["event"], lines(folder)[-1]["result"]) == ("stamped", "failed")
    assert lines(folder)[-1]["note"] == done.failure
    assert whole(folder)
    assert seal.stamp(Authority.of(authority.url, authority.ca)).outputs


def test_an_authority_that_nobody_answers_for_is_a_line(seal: Seal, folder: Path) -> None:
    done = seal.stamp(Authority("http://someone:hidden@127.0.0.1:9/"))
    assert done.failure is not None
    assert "hidden" not in done.failure
    assert "hidden" not in (folder / "custody.jsonl").read_text()


@pytest.mark.program("openssl")
def test_a_request_is_carried_out_and_its_response_back(
    seal: Seal, folder: Path, authority: Any, answer: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    request = seal.request()
    assert names(folder) == ["1.tsq", "statement.json"]
    assert lines(folder)[-1]["result"] == "begun"
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "seal/1.tsq").unlink()
    theirs = Seal(other, CustodyLog.open(other / "custody.jsonl"), "B").request()
    with pytest.raises(UsageError, match="nonce differs"):
        seal.receive(answer(theirs), ())
    done = seal.receive(answer(request), (authority.ca.read_bytes(),))
    assert [output.name for output in done.outputs] == ["seal/1.chain.pem", "seal/1.tsr"]
    assert chain.examine(folder / "custody.jsonl").notes == []
    with pytest.raises(UsageError, match="no request"):
        seal.receive(answer(request), ())


@pytest.fixture
def answer(authority: Any) -> Callable[[bytes], bytes]:
    """What the authority says to a request."""
    from bagtag.custody import tsa

    return lambda request: tsa.ask(authority.url, request)


@pytest.mark.program("openssl")
def test_what_a_killed_run_began_is_used_again_or_named(
    seal: Seal, folder: Path, authority: Any, answer: Callable[[bytes], bytes]
) -> None:
    content = (folder / "seal/statement.json").read_bytes()
    request = stamp.request(content)
    seal_folder.write(folder, "1.tsq", request)  # killed before the response was kept
    seal.stamp(Authority(authority.url))
    assert names(folder) == ["1.tsq", "1.tsr", "statement.json"]
    assert seal.mend() == ()
    request = stamp.request(content)
    seal_folder.write(folder, "2.tsq", request)
    seal_folder.write(folder, "2.tsr", answer(request))  # killed before the line was written
    assert [artifact.name for artifact in seal.mend()] == ["seal/2.tsq", "seal/2.tsr"]
    assert lines(folder)[-1]["result"] == "ok"
    assert seal.mend() == ()


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for path in (tmp_path / "ca.pem", tmp_path / "none.pem"):
        with pytest.raises(UsageError):
            Authority.of("http://127.0.0.1/", path)
