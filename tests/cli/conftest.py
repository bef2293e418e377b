"""The command line as tests call it: in this process with captured output, or as a real program."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bagtag.cli.main import main
from bagtag.custody.line import Artifact
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON Lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


Bagtag = Callable[..., Ran]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of its own for every test: no passphrase in the environment, and an empty cache folder."""
    place = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("BAGTAG_PASSPHRASE", raising=False)
    monkeypatch.delenv("BAGTAG_SIGNER_PASSPHRASE", raising=False)
    return place


@pytest.fixture
def bagtag(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bagtag:
    """Run one command line in this process: `bagtag("files", folder, passphrase="…")`."""

    def run(*arguments: object, passphrase: str | None = None) -> Ran:
        with monkeypatch.context() as environment:
            if passphrase is not None:
                environment.setenv("BAGTAG_PASSPHRASE", passphrase)
            capfd.readouterr()
            code = main([str(argument) for argument in arguments])
            sys.stdout.flush()
            said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def program() -> Callable[..., subprocess.Popen[bytes]]:
    """Start the real program, in an environment of its own."""

    def start(*arguments: object, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "bagtag.cli", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )

    return start


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """An evidence folder as far as custody sees it: a bag digest, the sealed log, and one line after it."""
    dest = tmp_path / "sealed"
    (dest / "bag").mkdir(parents=True)
    tags = b"0" * 64 + b"  bag-info.txt\n"
    (dest / "bag/tagmanifest-sha256.txt").write_bytes(tags)
    log = CustodyLog.open(dest / "custody.jsonl", host="bench")
    log.append("received", result="ok", actor="Ann Lee", note="a backup on a disk")
    log.append("sealed", result="ok", actor="Ann Lee")
    shutil.copy(log.path, dest / "bag/custody.jsonl")
    digest = hashlib.sha256(tags).hexdigest()
    log.append("stored", result="ok", actor="Ann Lee", outputs=[Artifact("tagmanifest-sha256.txt", len(tags), digest)])
    return dest


@pytest.fixture
def signing_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Make a signing key of that name; the environment holds the passphrase of all of them."""
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "a long passphrase of the lab")

    def make(name: str) -> Path:
        Signer.create(tmp_path / f"{name}.key", "a long passphrase of the lab")
        return tmp_path / f"{name}.key"

    return make


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `bagtag demo` makes: a backup and an evidence folder. Shared by all tests: read it, never change it."""
    place: Path = tmp_path_factory.mktemp("demo") / "bagtag-demo"
    assert main(["demo", str(place)]) == 0
    return place


@pytest.fixture
def evidence(demo: Path, tmp_path: Path) -> Path:
    """A copy of that evidence folder that a test may damage."""
    return Path(shutil.copytree(demo / "evidence", tmp_path / "evidence"))
