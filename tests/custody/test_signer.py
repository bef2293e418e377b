"""Signing keys: what openssl makes of them, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest

from bagtag.custody.errors import PassphraseError, UsageError
from bagtag.custody.log import CustodyLog, read
from bagtag.custody.signer import PublicKey, Signer

# RFC 8032, section 7.1, TEST 2: the public key, the message and the signature.
RFC8032_KEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC8032_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, section 10.1


def test_a_key_is_kept_under_its_passphrase_and_for_its_owner_alone(tmp_path: Path) -> None:
    made = Signer.create(tmp_path / "lab.key", "a long passphrase")
    raw = (tmp_path / "lab.key").read_bytes()
    assert raw.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "lab.key").stat().st_mode) == 0o600
    assert Signer.load(tmp_path / "lab.key", "a long passphrase").keyid == made.keyid
    with pytest.raises(PassphraseError):
        Signer.load(tmp_path / "lab.key", "another")


def test_a_key_is_never_written_over_and_never_without_a_passphrase(tmp_path: Path) -> None:
    (tmp_path / "lab.key").write_text("something")
    with pytest.raises(UsageError, match="exists"):
        Signer.create(tmp_path / "lab.key", "p")
    assert (tmp_path / "lab.key").read_text() == "something"
    with pytest.raises(PassphraseError):
        Signer.create(tmp_path / "new.key", "")
    assert not (tmp_path / "new.key").exists()


def test_the_published_vector_is_accepted_and_no_changed_byte_of_it() -> None:
    der = SPKI_PREFIX + RFC8032_KEY
    pem = pem_by_hand(der)
    key = PublicKey.from_pem(pem)
    assert key.keyid == hashlib.sha256(der).hexdigest()
    assert key.accepts(RFC8032_SIGNATURE, bytes.fromhex("72"))
    assert not key.accepts(RFC8032_SIGNATURE, bytes.fromhex("73"))
    for place in range(64):
        flipped = bytearray(RFC8032_SIGNATURE)
        flipped[place] ^= 1
        assert not key.accepts(bytes(flipped), bytes.fromhex("72"))


def pem_by_hand(der: bytes) -> bytes:
    """RFC 7468 by hand."""
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"


def test_a_public_key_in_another_form_is_refused(tmp_path: Path) -> None:
    pem = Signer.create(tmp_path / "k", "p").public.pem
    for odd in (pem + b"\n", pem.replace(b"\n", b"\r\n"), b" " + pem, b"", pem[:-10], b"x" * 100):
        with pytest.raises(ValueError, match=r"canonical|no public key"):
            PublicKey.from_pem(odd)


@pytest.mark.program("openssl")
def test_openssl_reads_the_key_and_accepts_the_signature(tmp_path: Path) -> None:
    made = Signer.create(tmp_path / "lab.key", "a long passphrase")
    (tmp_path / "pub.pem").write_bytes(made.public.pem)
    (tmp_path / "content").write_bytes(b"what is signed")
    (tmp_path / "sig").write_bytes(made.sign(b"what is signed"))
    der = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "lab.key", "-passin", "pass:a long passphrase", "-pubout",
         "-outform", "DER"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert hashlib.sha256(der).hexdigest() == made.keyid
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", tmp_path / "pub.pem",
         "-in", tmp_path / "content", "-sigfile", tmp_path / "sig"], check=False, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.program("openssl")
def test_keys_of_another_kind_or_without_a_passphrase_are_refused_with_the_reason(tmp_path: Path) -> None:
    run = subprocess.run
    run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "plain"], check=True, capture_output=True)
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:p",
         "-out", tmp_path / "ec"], check=True, capture_output=True)  # fmt: skip
    with pytest.raises(UsageError, match="without a passphrase"):
        Signer.load(tmp_path / "plain", "p")
    with pytest.raises(UsageError, match="no Ed25519"):
        Signer.load(tmp_path / "ec", "p")
    with pytest.raises(UsageError, match="cannot be read"):
        Signer.load(tmp_path / "none", "p")


def test_a_signed_line_is_over_the_bytes_of_the_line_before(tmp_path: Path) -> None:
    signer = Signer.create(tmp_path / "k", "p")
    log = CustodyLog.open(tmp_path / "custody.jsonl")
    log.append("note", result="ok", actor="A")
    line = log.sign(signer)
    entries = list(read(log.path))
    assert [entry.number for entry in entries] == [0, 1]
    assert line.of == line.prev == entries[0].sha256
    assert signer.public.accepts(base64.b64decode(line.sig), entries[0].raw)


def test_nothing_is_signed_where_no_whole_line_stands(tmp_path: Path) -> None:
    signer = Signer.create(tmp_path / "k", "p")
    log = CustodyLog.open(tmp_path / "custody.jsonl")
    with pytest.raises(UsageError):
        log.sign(signer)
    log.append("note", result="ok", actor="A")
    with log.path.open("ab") as file:
        file.write(b'{"seq":1')
    with pytest.raises(UsageError):
        log.sign(signer)
