"""`bagtag signer`: a key is made, its id and its line for the register are told, and its secret is not."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.allowed_signers import read
from bagtag.custody.signer import PublicKey, Signer

PASSPHRASE = "a long passphrase of the lab"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", PASSPHRASE)


def test_a_new_key_is_private_and_its_register_line_names_it(bagtag: Any, tmp_path: Path) -> None:
    ran = bagtag("signer", "new", tmp_path / "lab.key", "--name", "Ann Lee")
    assert ran.code == 0
    key = tmp_path / "lab.key"
    assert key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    keyid = Signer.load(key, PASSPHRASE).keyid
    assert f"key id        {keyid}\n" in ran.out
    (tmp_path / "register").write_text(ran.out.splitlines()[-1] + "\n")
    (entry,) = read(tmp_path / "register")
    assert (entry.names, entry.key.keyid) == (("Ann Lee",), keyid)
    assert PASSPHRASE not in ran.out + ran.err


def test_json_gives_the_same(bagtag: Any, tmp_path: Path) -> None:
    (made,) = bagtag("signer", "new", tmp_path / "k", "--name", "ann@lab.example", "--name", "Ann Lee", "--json").rows
    assert set(made) == {"file", "keyid", "names", "register"}
    assert made["names"] == ["ann@lab.example", "Ann Lee"]
    (shown,) = bagtag("signer", "show", tmp_path / "k", "--name", "ann@lab.example", "--name", "Ann Lee", "--json").rows
    assert (shown["keyid"], shown["register"]) == (made["keyid"], made["register"])
    assert PublicKey.from_pem(shown["public"].encode()).keyid == made["keyid"]


def test_without_a_name_the_account_is_named(bagtag: Any, tmp_path: Path) -> None:
    (made,) = bagtag("signer", "new", tmp_path / "k", "--json").rows
    assert len(made["names"]) == 1
    assert made["register"].split(" ssh-ed25519 ")[0].strip('"') == made["names"][0]


def test_nothing_is_written_over_and_a_name_is_refused_before_a_key_is_made(bagtag: Any, tmp_path: Path) -> None:
    assert bagtag("signer", "new", tmp_path / "k", "--name", "Lee, Ann").code == 2
    assert not (tmp_path / "k").exists()
    assert bagtag("signer", "new", tmp_path / "k").code == 0
    before = (tmp_path / "k").read_bytes()
    ran = bagtag("signer", "new", tmp_path / "k")
    assert (ran.code, ran.out, (tmp_path / "k").read_bytes()) == (2, "", before)
    for _ in range(2):
        ran = bagtag("signer", "show", tmp_path / "k", "--public", tmp_path / "pub.pem")
    assert ran.code == 2
    assert (
        PublicKey.from_pem((tmp_path / "pub.pem").read_bytes()).keyid == Signer.load(tmp_path / "k", PASSPHRASE).keyid
    )


def test_the_public_key_is_shown_without_a_passphrase(
    bagtag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bagtag("signer", "new", tmp_path / "k")
    bagtag("signer", "show", tmp_path / "k", "--public", tmp_path / "pub.pem")
    monkeypatch.delenv("BAGTAG_SIGNER_PASSPHRASE")
    ran = bagtag("signer", "show", tmp_path / "pub.pem")
    assert ran.code == 0
    assert (tmp_path / "pub.pem").read_text() in ran.out
    assert bagtag("signer", "show", tmp_path / "k").code == 6
    assert bagtag("signer", "new", tmp_path / "k2").code == 6
    assert not (tmp_path / "k2").exists()


def test_what_is_no_key_is_a_wrong_call_and_a_wrong_passphrase_ends_with_6(
    bagtag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("nothing")
    for name in ("text", "absent", "."):
        assert bagtag("signer", "show", tmp_path / name).code == 2
    assert bagtag("signer", "new", tmp_path / "nowhere" / "k").code == 2
    bagtag("signer", "new", tmp_path / "k")
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "another one")
    ran = bagtag("signer", "show", tmp_path / "k")
    assert (ran.code, ran.out) == (6, "")
    assert "another one" not in ran.err


def test_the_secret_stands_nowhere_but_in_the_key_file(bagtag: Any, tmp_path: Path) -> None:
    bagtag("signer", "new", tmp_path / "k")
    bagtag("signer", "show", tmp_path / "k", "--public", tmp_path / "pub.pem")
    secret = PASSPHRASE.encode()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            for form in (secret, secret.hex().encode(), base64.b64encode(secret)[:-3]):
                assert form not in raw, path


@pytest.mark.program("openssl")
def test_openssl_takes_the_public_key_and_finds_the_same_id(bagtag: Any, tmp_path: Path) -> None:
    (made,) = bagtag("signer", "new", tmp_path / "k", "--json").rows
    bagtag("signer", "show", tmp_path / "k", "--public", tmp_path / "pub.pem")
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", tmp_path / "pub.pem", "-outform", "DER"], check=True, capture_output=True
    ).stdout
    assert hashlib.sha256(der).hexdigest() == made["keyid"]
