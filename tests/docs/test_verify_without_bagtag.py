"""Checking a folder as the page says, without bagtag: nothing on a whole folder, something on a changed one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "verify-without-bagtag.md"
BLOCKS = re.findall(r"^## (.+?)\n|^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
pytestmark = [
    pytest.mark.program(name) for name in ("bash", "find", "sha256sum", "sha1sum", "cmp", "openssl", "sqlite3", "jq")
]


def sections() -> list[tuple[str, str]]:
    """Every block with the heading that it stands under."""
    found: list[tuple[str, str]] = []
    heading = ""
    for title, block in BLOCKS:
        heading = title or heading
        if block:
            found.append((heading, block))
    return found


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, encrypted_backup: Any, authority: Any) -> Path:
    """A folder as an examiner hands it over: signed by one key, stamped by an authority. Read it, never change it."""
    root = tmp_path_factory.mktemp("handed-over")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BAGTAG_SIGNER_PASSPHRASE", "signing")
        environment.setenv("BAGTAG_PASSPHRASE", encrypted_backup.passphrase)
        assert main(["signer", "new", str(root / "lab.key")]) == 0
        assert main(
            ["bundle", str(encrypted_backup.folder), str(root / "out"), "--case", "2024-0815", "--item", "7",
             "--examiner", "Ann Lee", "--sign-key", str(root / "lab.key"), "--tsa", authority.url,
             "--tsa-ca", str(authority.ca)]
        ) in (0, 1)  # fmt: skip
        assert sorted(path.suffix for path in (root / "out" / "seal").iterdir()) == [
            ".json", ".pem", ".pem", ".sig", ".tsq", ".tsr"
        ]  # fmt: skip
    return root / "out"


@pytest.fixture(scope="module")
def check(authority: Any, encrypted_backup: Any) -> Callable[[str, Path], subprocess.CompletedProcess[str]]:
    """Run one block in a folder, as a reader of the page would."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    around = {"PATH": tools, "CA": str(authority.ca), "BACKUP": str(encrypted_backup.folder), "LC_ALL": "C.UTF-8"}

    def run(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", block], cwd=folder, env=around, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    return run


def test_the_page_has_its_blocks() -> None:
    assert len(sections()) >= 14


@pytest.mark.parametrize(("heading", "block"), sections(), ids=[heading for heading, _ in sections()])
def test_a_block_finds_nothing_wrong_with_a_whole_folder(
    heading: str, block: str, signed: Path, check: Callable[[str, Path], subprocess.CompletedProcess[str]]
) -> None:
    done = check(block, signed)
    assert done.returncode == 0, (heading, done.stdout, done.stderr)


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def last_line_changed(folder: Path) -> None:
    """The line that the last signature is over."""
    path = folder / "custody.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-2] = lines[-2].replace(b'"result":"ok"', b'"result":"issues"')
    path.write_bytes(b"".join(lines))


TAMPERING: dict[str, Callable[[Path], object]] = {
    "a byte of a payload file": lambda folder: flip(folder / "bag/data/records/messages.jsonl", 100),
    "a payload file taken out": lambda folder: (folder / "bag/data/source/Info.plist").unlink(),
    "a payload file put in": lambda folder: (folder / "bag/data/files/planted").write_text("x"),
    "an empty folder put in": lambda folder: (folder / "bag/data/files/empty").mkdir(),
    "a link put in": lambda folder: (folder / "bag/data/files/link").symlink_to("/etc/passwd"),
    "fetch.txt put in": lambda folder: (folder / "bag/fetch.txt").write_text("http://x 1 data/x\n"),
    "the label changed": lambda folder: flip(folder / "bag/bag-info.txt", 30),
    "the tag manifest taken out": lambda folder: (folder / "bag/tagmanifest-sha256.txt").unlink(),
    "the sealed log changed": lambda folder: flip(folder / "bag/custody.jsonl", 60),
    "the living log changed": lambda folder: flip(folder / "custody.jsonl", 60),
    "the signed line changed": last_line_changed,
    "README.txt changed": lambda folder: flip(folder / "README.txt", 100),
    "the statement changed": lambda folder: flip(folder / "seal/statement.json", 20),
    "the signature changed": lambda folder: flip(next((folder / "seal").glob("*.sig")), 10),
    "the key exchanged": lambda folder: flip(next((folder / "seal").glob("*.pub.pem")), 60),
    "the stamp changed": lambda folder: flip(folder / "seal/1.tsr", -10),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_some_block_notices_that_a_folder_was_tampered_with(
    what: str, signed: Path, tmp_path: Path, check: Callable[[str, Path], subprocess.CompletedProcess[str]]
) -> None:
    copy = shutil.copytree(signed, tmp_path / "copy", symlinks=True)
    TAMPERING[what](copy)
    assert any(check(block, copy).returncode for _, block in sections()), what
