"""The signatures in a log: good ones, bad ones, and those nobody can check."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from bagtag.custody import signatures
from bagtag.custody.line import digest
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import PublicKey, Signer

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.create(tmp_path / "ann.key", "p")


@pytest.fixture
def log(signer: Signer, tmp_path: Path) -> CustodyLog:
    made = CustodyLog.open(tmp_path / "custody.jsonl")
    made.append("note", result="ok", actor="Ann Lee")
    made.append("note", result="ok", actor="Ann Lee", signer=signer)
    made.sign(signer)
    return made


def keys(*signers: Signer) -> dict[str, PublicKey]:
    return {signer.keyid: signer.public for signer in signers}


def test_a_good_signature_is_told_with_its_line_key_and_date(log: CustodyLog, signer: Signer) -> None:
    found = signatures.examine(log.path, keys(signer).get)
    assert found.good == {2: (1, signer.keyid), 3: (2, signer.keyid)}
    assert (found.unchecked, found.problems) == ({}, [])
    assert found.dated[2] == json.loads(log.path.read_bytes().splitlines()[2])["at"]


def test_a_key_that_is_not_at_hand_is_no_problem(log: CustodyLog, signer: Signer) -> None:
    found = signatures.examine(log.path, lambda keyid: None)
    assert found.unchecked == {2: signer.keyid, 3: signer.keyid}
    assert (found.good, found.problems) == ({}, [])


def test_a_line_with_its_signature_is_written_in_one_go_and_the_chain_holds(
    log: CustodyLog, signer: Signer, tmp_path: Path
) -> None:
    rows = [json.loads(row) for row in log.path.read_bytes().splitlines()]
    assert [row["event"] for row in rows] == ["note", "note", "signed", "signed"]
    assert rows[2]["of"] == rows[2]["prev"] == digest(log.path.read_bytes().splitlines()[1])


def test_every_change_of_the_signature_is_a_problem_even_of_bits_that_base64_does_not_use(
    log: CustodyLog, signer: Signer
) -> None:
    *before, last = log.path.read_bytes().splitlines(keepends=True)
    text = json.loads(last)["sig"]
    raw = base64.b64decode(text)
    changed = [
        base64.b64encode(bytes([raw[0] ^ 1, *raw[1:]])).decode(),
        text[:-2],
        "AA==",
    ]
    changed += [text[:85] + letter + "==" for letter in ALPHABET if letter != text[85]]
    for sig in changed:
        log.path.write_bytes(b"".join(before) + last.replace(text.encode(), sig.encode()))
        found = signatures.examine(log.path, keys(signer).get)
        assert 3 not in found.good, sig
        assert [problem.what.startswith("line 3: the signature") for problem in found.problems] == [True], sig


def test_a_signature_by_another_key_under_this_keys_name_is_a_problem(
    log: CustodyLog, signer: Signer, tmp_path: Path
) -> None:
    eve = Signer.create(tmp_path / "eve.key", "p")
    *before, _ = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(before))
    log.sign(eve)
    log.path.write_bytes(log.path.read_bytes().replace(eve.keyid.encode(), signer.keyid.encode()))
    found = signatures.examine(log.path, keys(signer, eve).get)
    assert len(found.problems) == 1
