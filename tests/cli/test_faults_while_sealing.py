"""Every write, flush and rename of `seal`, and of the closing of a signed bundle, fails once, or the run is killed.

No line of the log is lost or doubled, its chain is whole after the next command, and the same command, given again,
ends with a folder that agrees with itself and holds the signature once.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import chain
from bagtag.sample_backups.make import Minted

LABEL = (
    "--case",
    "2024-0815",
    "--item",
    "7",
    "--examiner",
    "Ann Lee",
    "--domain",
    "HomeDomain",
    "--glob",
    "*AddressBook*",
)
DONE, ISSUES, STOPPED = 0, 1, 5


class Killed(BaseException):
    """The process is gone."""


class Disk:
    """Counts the calls that reach the disk and fails at one of them; a killed process makes no further one."""

    def __init__(self, patched: pytest.MonkeyPatch, failure: OSError | Killed | None = None, at: int = 0) -> None:
        self.calls, self._failure, self._at = 0, failure, at
        for name in ("write", "fsync", "replace", "rename"):
            patched.setattr(os, name, self._watched(getattr(os, name)))
        for name in ("unlink", "rmdir", "ftruncate"):
            patched.setattr(os, name, self._ended(getattr(os, name)))

    @property
    def dead(self) -> bool:
        return isinstance(self._failure, Killed) and self.calls >= self._at > 0

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if self.dead:
                raise Killed
            self.calls += 1
            if self.calls == self._at and self._failure is not None:
                raise self._failure
            return real(*arguments, **options)

        return called

    def _ended(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if self.dead:
                raise Killed
            return real(*arguments, **options)

        return called


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bagtag.custody.signer import Signer

    path = tmp_path_factory.mktemp("key") / "lab.key"
    Signer.create(path, "signing")
    return path


@pytest.fixture
def closed(bagtag: Any, plain_backup: Minted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An unsigned folder."""
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "signing")
    ran = bagtag("bundle", plain_backup.folder, *LABEL, tmp_path / "closed")
    assert ran.code in {DONE, ISSUES}, ran.err
    return tmp_path / "closed"


def whole_lines(dest: Path) -> bytes:
    raw = (dest / "custody.jsonl").read_bytes()
    return raw[: raw.rfind(b"\n") + 1]


def is_sealed_once(bagtag: Any, dest: Path, before: bytes, why: object) -> None:
    log = (dest / "custody.jsonl").read_bytes()
    assert log.startswith(before), why
    assert chain.problems(dest / "custody.jsonl") == [], why
    lines = [json.loads(line) for line in log.splitlines()]
    named = Counter(output["name"] for line in lines for output in line.get("outputs", ()))
    kept = {f"seal/{path.name}" for path in (dest / "seal").iterdir()} - {"seal/statement.json"}
    assert {name: named[name] for name in kept} == dict.fromkeys(kept, 1), why
    assert sum(name.endswith(".sig") for name in kept) == 1, why
    assert any(name.endswith(".tsr") for name in kept), why
    assert lines[-1]["event"] == "signed", why
    ran = bagtag("verify", dest)
    assert ran.code == DONE, (why, ran.out)


FAILURES: dict[str, Callable[[], OSError | Killed]] = {
    "killed": Killed,
    "full": lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "gone": lambda: OSError(errno.EIO, os.strerror(errno.EIO)),
}


def fails(ran: Callable[[], Any], failure: OSError | Killed, at: int) -> Disk:
    with pytest.MonkeyPatch.context() as patched:
        disk = Disk(patched, failure, at)
        if isinstance(failure, Killed):
            with pytest.raises(Killed):
                ran()
        else:
            code = ran().code
            assert code in {STOPPED, DONE, ISSUES}, (at, code)
    return disk


@pytest.mark.program("openssl")
@pytest.mark.parametrize("kind", FAILURES)
def test_seal_survives_every_failure(
    kind: str, closed: Path, key: Path, authority: Any, bagtag: Any, tmp_path: Path
) -> None:
    dest = tmp_path / "trial"
    command = (
        "seal",
        dest,
        "--sign-key",
        key,
        "--signer",
        "Oracle Lab",
        "--tsa",
        authority.url,
        "--tsa-ca",
        authority.ca,
    )

    def fresh() -> None:
        shutil.rmtree(dest, ignore_errors=True)
        shutil.copytree(closed, dest)

    fresh()
    with pytest.MonkeyPatch.context() as patched:
        disk = Disk(patched)
        assert bagtag(*command).code == DONE
    is_sealed_once(bagtag, dest, whole_lines(closed), "undisturbed")
    assert disk.calls > 20
    for at in range(1, disk.calls + 1):
        fresh()
        fails(lambda: bagtag(*command), FAILURES[kind](), at)
        kept = whole_lines(dest)
        ran = bagtag(*command)
        assert ran.code == DONE, (kind, at, ran.err)
        is_sealed_once(bagtag, dest, kept, (kind, at))


@pytest.mark.slow
@pytest.mark.program("openssl")
@pytest.mark.parametrize("kind", FAILURES)
def test_a_signed_bundle_survives_every_failure_from_its_sealing_on(
    kind: str, plain_backup: Minted, key: Path, authority: Any, bagtag: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "signing")
    dest, partial = tmp_path / "out", tmp_path / "out.partial"
    command = (
        "bundle", plain_backup.folder, *LABEL, dest, "--sign-key", key, "--signer", "Oracle Lab",
        "--tsa", authority.url, "--tsa-ca", authority.ca,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patched:
        disk = Disk(patched)
        assert bagtag(*command).code in {DONE, ISSUES}
    shutil.rmtree(dest)
    for at in range(max(1, disk.calls - 60), disk.calls + 1):
        fails(lambda: bagtag(*command), FAILURES[kind](), at)
        place = partial if partial.exists() else dest
        kept = whole_lines(place)
        if place is partial:
            ran = bagtag(*command)
            assert ran.code in {DONE, ISSUES}, (kind, at, ran.err)
        assert not partial.exists()
        is_sealed_once(bagtag, dest, kept, (kind, at))
        shutil.rmtree(dest)
