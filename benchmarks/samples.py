"""Minted backups to measure on, each made in a process of its own, and the test whether all of one came out right.

A child's peak memory begins at that of the process that starts it, so the process that measures must stay small.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import open_index

from bagtag.sample_backups.make import mint

P = ParamSpec("P")
T = TypeVar("T")

PLACE = "AppDomain-com.example.bench"
CHUNK = open_index.CHUNK
Files = Sequence[tuple[str, str, int]]


@dataclass(frozen=True)
class Sample:
    """A minted backup, as far as a command needs to know it; `files` and `size` are those of what was added."""

    folder: Path
    passphrase: str
    messages: int
    files: int
    size: int

    @property
    def truth(self) -> Path:
        """Everything that is true of it."""
        return self.folder.parent / "truth.json"


def apart(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call a function of a module in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()


def minted(place: Path, *, encrypted: bool = True, files: Files = (), messages: int = 0) -> Sample:
    """A backup below `place`, apart."""
    return apart(_mint, place, encrypted=encrypted, files=files, messages=messages)


def _mint(place: Path, *, encrypted: bool, files: Files, messages: int) -> Sample:
    backup = mint(place, encrypted=encrypted, extra_files=files, extra_messages=messages)
    if files:
        _without_gaps(backup.folder, backup.passphrase or "")
    sizes = [size for _, _, size in files]
    said = len(backup.truth["messages"]) + messages
    return Sample(backup.folder, backup.passphrase or "", said, len(sizes), sum(sizes))


def _without_gaps(folder: Path, passphrase: str) -> None:
    """Take out of the index what has no blob: a message's attachment that the sample lost. Peers stop at such a row."""
    with open_index.changed(folder, passphrase) as manifest:
        names = [name for (name,) in manifest.execute("SELECT fileID FROM Files WHERE flags = 1")]
        lost = [(name,) for name in names if not (folder / name[:2] / name).is_file()]
        manifest.executemany("DELETE FROM Files WHERE fileID = ?", lost)


def large(scale: float, count: int = 4) -> Files:
    """`count` files of 1 GiB at full scale."""
    return [(PLACE, f"Documents/large-{number}.bin", round(2**30 * scale)) for number in range(count)]


def many(scale: float) -> Files:
    """50,000 files at full scale, of 1 to 64 KiB, 200 folders."""
    count = max(1, round(50_000 * scale))
    sizes = [1024 + (number * 7919) % (63 * 1024 + 1) for number in range(count)]
    return [(PLACE, f"Documents/{n % 200:03d}/{n:05d}.bin", size) for n, size in enumerate(sizes)]


def warm(folder: Path) -> None:
    """Read all of a backup once, so that it lies in the page cache for whoever comes next."""
    buffer = bytearray(CHUNK)
    for parent, _, names in os.walk(folder):
        for name in names:
            with Path(parent, name).open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def came_out(truth: Path, folder: Path) -> tuple[int, int]:
    """How many contents of a sample there are, and how many of them lie in `folder`, under whatever name; apart."""
    return apart(_came_out, truth, folder)


def _came_out(truth: Path, folder: Path) -> tuple[int, int]:
    rows = json.loads(truth.read_text(encoding="utf-8"))["manifest"]
    expected = {row["plain"]["sha256"] for row in rows if row["plain"]}
    found = set()
    for parent, _, names in os.walk(folder):
        for name in names:
            with Path(parent, name).open("rb") as file:
                found.add(hashlib.file_digest(file, "sha256").hexdigest())
    return len(expected), len(expected & found)
