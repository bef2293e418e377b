"""No secret in any byte that a run leaves behind or says: markers are looked for in every form in which they could lie.

The passphrase of the backup, the key derived from it, the passphrase of the signing key and that key itself.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

BACKUP, SIGNER = "Quokka-backup-7f3a", "Numbat-signer-91c2"
LABEL = ("--case", "2024-0815", "--item", "7", "--examiner", "Ann Lee")


def forms(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """The ways in which a secret could stand in a file."""
    yield "raw", secret
    yield "hex", secret.hex().encode()
    yield "HEX", secret.hex().upper().encode()
    for shift in range(3):
        # Without the characters that what stands before and behind has a share in.
        coded = base64.b64encode(bytes(shift) + secret).rstrip(b"=")
        yield f"base64+{shift}", coded[-(-shift * 8 // 6) : -1]
        yield f"base64url+{shift}", coded[-(-shift * 8 // 6) : -1].replace(b"+", b"-").replace(b"/", b"_")
    if secret.isascii():
        yield "UTF-16", secret.decode("ascii").encode("utf-16-le")


def test_the_forms_are_found_where_they_stand() -> None:
    secret = b"Quokka-backup-7f3a"
    for before in (b"", b"x", b"xy", b"xyz"):
        for behind in (b"", b"x", b"xy"):
            coded = base64.b64encode(before + secret + behind)
            assert any(form in coded for name, form in forms(secret) if name.startswith("base64+")), (before, behind)


class Watch:
    """The command lines of all processes of this computer while something runs."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self.seen.add((process / "cmdline").read_bytes())
                except OSError:
                    continue  # it ended meanwhile
            time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.program("openssl")
def test_no_secret_is_left_anywhere_or_said(mint: Any, tmp_path: Path, authority: Any) -> None:
    backup = mint(passphrase=BACKUP)
    around = {
        **os.environ,
        "BAGTAG_PASSPHRASE": BACKUP,
        "BAGTAG_SIGNER_PASSPHRASE": SIGNER,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(tmp_path / "tmp"),
        "HOME": str(tmp_path / "home"),
    }
    for name in ("cache", "tmp", "home", "left"):
        (tmp_path / name).mkdir()
    said = b""

    def run(*arguments: object) -> int:
        nonlocal said
        command = [sys.executable, "-m", "bagtag.cli", *map(str, arguments)]
        done = subprocess.run(command, env=around, capture_output=True, check=False)
        said += done.stdout + done.stderr
        return done.returncode

    key, derived, dest = tmp_path / "lab.key", tmp_path / "derived.key", tmp_path / "left" / "out"
    with Watch() as watch:
        assert run("signer", "new", key) == 0
        assert run("unlock", backup.folder, "--save-key", derived) == 0
        assert run("bundle", backup.folder, dest, *LABEL, "--sign-key", key, "--tsa", authority.url) in {0, 1}
        assert run("extract", backup.folder, tmp_path / "left" / "files") in {0, 1}
        assert run("seal", dest, "--sign-key", key, "--tsa", "http://127.0.0.1:9/") == 5
        assert run("custody", "transfer", dest, "--from", "A", "--to", "B", "--sign-key", key) == 0
        record = (dest / "bag/data/records/messages.jsonl").read_bytes().partition(b'"id":"')[2].partition(b'"')[0]
        assert run("trace", dest, record.decode(), "--backup", backup.folder) == 0
        assert run("report", dest, "--kind", "certificate", "--out", tmp_path / "left" / "papers") == 0
        around["BAGTAG_SIGNER_PASSPHRASE"] = SIGNER + "x"
        assert run("seal", dest, "--sign-key", key) == 6
    private = load_pem_private_key(key.read_bytes(), SIGNER.encode()).private_bytes_raw()  # type: ignore[union-attr]
    secrets = {
        "the passphrase of the backup": BACKUP.encode(),
        "the derived key": bytes.fromhex(derived.read_text("ascii").strip()),
        "the passphrase of the signing key": SIGNER.encode(),
        "the signing key": private,
    }
    places = {"what was said": said, "command lines": b"\n".join(watch.seen)}
    for folder in ("cache", "tmp", "home", "left"):
        for path in (tmp_path / folder).rglob("*"):
            places[str(path)] = os.fsencode(path.name) + (path.read_bytes() if path.is_file() else b"")
    assert len(places) > 60
    found = [
        (name, form, place)
        for name, secret in secrets.items()
        for form, spelled in forms(secret)
        for place, content in places.items()
        if spelled in content
    ]
    assert found == []


@pytest.mark.slow
def test_no_secret_lies_in_what_a_killed_run_leaves(mint: Any, tmp_path: Path) -> None:
    backup = mint(passphrase=BACKUP)
    around = {
        **os.environ, "BAGTAG_PASSPHRASE": BACKUP, "BAGTAG_SIGNER_PASSPHRASE": SIGNER,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }  # fmt: skip
    key = tmp_path / "lab.key"
    bagtag = [sys.executable, "-m", "bagtag.cli"]
    subprocess.run([*bagtag, "signer", "new", key], env=around, check=True, capture_output=True)
    private = load_pem_private_key(key.read_bytes(), SIGNER.encode()).private_bytes_raw()  # type: ignore[union-attr]
    left = tmp_path / "left"
    left.mkdir()
    for pause in (0.6, 0.8, 1.0, 1.3):
        run = subprocess.Popen(
            [*bagtag, "bundle", backup.folder, left / f"out{pause}", *LABEL, "--sign-key", key], env=around,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(pause)
        run.kill()
        run.wait()
    content = b"\n".join(
        path.read_bytes() for root in (left, tmp_path / "cache") for path in root.rglob("*") if path.is_file()
    )
    for secret in (BACKUP.encode(), SIGNER.encode(), private):
        for form, spelled in forms(secret):
            assert spelled not in content, form
