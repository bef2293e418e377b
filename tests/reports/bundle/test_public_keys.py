"""The public keys in a seal folder: found only when they are what their names say, and never written over."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bagtag.custody.errors import VerificationError
from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog, read
from bagtag.custody.signer import Signer
from bagtag.reports.bundle import public_keys


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.create(tmp_path / "ann.key", "p")


def test_a_key_is_kept_once_under_its_id_and_found_again(signer: Signer, tmp_path: Path) -> None:
    assert public_keys.find(tmp_path, signer.keyid) is None
    kept = public_keys.keep(tmp_path, signer.public)
    path = tmp_path / kept.name
    assert (kept.name, kept.size) == (f"seal/{signer.keyid}.pub.pem", len(signer.public.pem))
    assert kept.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    written = path.stat().st_mtime_ns
    assert public_keys.keep(tmp_path, signer.public) == kept == public_keys.artifact(signer.public)
    assert path.stat().st_mtime_ns == written
    assert public_keys.find(tmp_path, signer.keyid) == signer.public


def test_what_is_not_the_key_of_its_name_is_not_found_and_not_replaced(signer: Signer, tmp_path: Path) -> None:
    other = Signer.create(tmp_path / "eve.key", "p")
    path = tmp_path / public_keys.keep(tmp_path, signer.public).name
    for content in (other.public.pem, signer.public.pem.replace(b"\n", b"\r\n"), b"", b"x" * ((1 << 20) + 1)):
        path.write_bytes(content)
        assert public_keys.find(tmp_path, signer.keyid) is None
        with pytest.raises(VerificationError):
            public_keys.keep(tmp_path, signer.public)
        assert path.read_bytes() == content


def test_whose_key_it_is_stands_in_the_line_that_stored_it(signer: Signer, tmp_path: Path) -> None:
    log = CustodyLog.open(tmp_path / "custody.jsonl")
    for number, (name, actor) in enumerate(
        ((f"seal/{signer.keyid}.sig", "Ann Lee"), (f"seal/{'0' * 64}.pub.pem", "Cy Poe"),
         ("seal/statement.json", "Eve"), (f"seal/{'1' * 64}.pem", "Eve"), (f"other/seal/{'2' * 64}.sig", "Eve"))
    ):  # fmt: skip
        log.append("stored", result="ok", actor=actor, outputs=[Artifact(name, number, "ab" * 32)])
    log.sign(signer)
    assert public_keys.holders(entry.line for entry in read(log.path)) == {signer.keyid: "Ann Lee", "0" * 64: "Cy Poe"}
