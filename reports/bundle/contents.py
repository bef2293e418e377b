"""A manifest laid beside the tree that it lists: what is missing, what is there unlisted, what has another digest.

Both are read in the same order, so neither is held in memory; digests are computed in a few threads (hashing leaves
Python's lock).
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody import durable
from bagtag.custody.problem import Problem
from bagtag.custody.progress import Progress
from bagtag.reports.bundle.manifest import Listed, Unreadable, read
from bagtag.reports.bundle.tree import KIND_WORDS, Node, shown

_WORKERS = min(4, os.cpu_count() or 1)
_AHEAD = 64
_BLOCK = 1 << 20


@dataclass(slots=True)
class Contents:
    """What `compare` found. `files` and `octets` count what lies there; `ordered` is False for an odd manifest."""

    files: int = 0
    octets: int = 0
    ordered: bool = True
    problems: list[Problem] = field(default_factory=list)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a regular file. Raises OSError."""
    digest = hashlib.sha256()
    with durable.open_regular(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def pair(listed: Iterator[Listed], nodes: Iterator[Node]) -> Iterator[tuple[Listed | None, Node | None]]:
    """The two sorted rows side by side; None where one has nothing at that path."""
    wanted, there = next(listed, None), next(nodes, None)
    while wanted is not None or there is not None:
        if there is None or (wanted is not None and wanted.path < there.path):
            yield wanted, None
            wanted = next(listed, None)
        elif wanted is None or there.path < wanted.path:
            yield None, there
            there = next(nodes, None)
        else:
            yield wanted, there
            wanted, there = next(listed, None), next(nodes, None)


def compare(bag: Path, manifest: str, nodes: Iterator[Node], *, payload: bool, progress: Progress) -> Contents:
    """Compare the manifest of that name in `bag` with `nodes` (paths relative to the bag, in tree order)."""
    found = Contents()
    comparison = _Comparison(bag, manifest, payload=payload, progress=progress, found=found)
    try:
        comparison.run(nodes)
    except OSError as trouble:
        found.ordered = False
        found.problems.append(Problem(f"bag/{manifest}", f"cannot be read: {trouble.strerror or trouble}"))
    return found


class _Comparison:
    def __init__(self, bag: Path, manifest: str, *, payload: bool, progress: Progress, found: Contents) -> None:
        self.bag, self.manifest, self.payload, self.progress, self.found = bag, manifest, payload, progress, found
        self.displaced: dict[bytes, Listed] = {}
        self.unlisted: list[Node] = []
        self.pending: deque[tuple[Listed, Node, Future[str]]] = deque()

    def run(self, nodes: Iterator[Node]) -> None:
        with ThreadPoolExecutor(_WORKERS) as pool:
            for wanted, there in pair(self._in_order(), self._counted(nodes)):
                if there is None:
                    if wanted is not None:
                        self._missing(wanted)
                elif wanted is None:
                    self.unlisted.append(there)
                else:
                    self._both(pool, wanted, there)
            # Lines out of order were passed by; they are looked up now, so that one displaced line is one problem.
            for there in self.unlisted:
                displaced = self.displaced.pop(there.path, None)
                if displaced is None:
                    self._say(there.path, f"is {KIND_WORDS[there.kind]} that no manifest lists")
                else:
                    self._both(pool, displaced, there)
            for wanted in self.displaced.values():
                self._missing(wanted)
            while self.pending:
                self._settle()

    def _in_order(self) -> Iterator[Listed]:
        before = b""
        for line in read(self.bag / self.manifest):
            if isinstance(line, Unreadable):
                self._line(line.number, line.why)
            elif line.path.startswith(b"data/") != self.payload or line.path == b"tagmanifest-sha256.txt":
                self._line(line.number, f"names {shown(line.path)}, which belongs in no such manifest")
            elif line.path == before or line.path in self.displaced:
                self._line(line.number, f"names {shown(line.path)} a second time")
            elif line.path < before:
                self._line(line.number, f"is out of order ({shown(line.path)})")
                self.displaced[line.path] = line
            else:
                before = line.path
                yield line

    def _counted(self, nodes: Iterator[Node]) -> Iterator[Node]:
        for node in nodes:
            if node.kind == "file":
                self.found.files += 1
                self.found.octets += node.size
            yield node

    def _both(self, pool: ThreadPoolExecutor, wanted: Listed, there: Node) -> None:
        if there.kind != "file":
            self._say(wanted.path, f"is {KIND_WORDS[there.kind]}, not a file")
            return
        path = self.bag / os.fsdecode(wanted.path)
        self.pending.append((wanted, there, pool.submit(sha256_of, path)))
        if len(self.pending) > _AHEAD:
            self._settle()

    def _settle(self) -> None:
        wanted, there, future = self.pending.popleft()
        self.progress.advance(there.size)
        try:
            sha256 = future.result()
        except OSError as trouble:
            self._say(wanted.path, f"cannot be read: {trouble.strerror or trouble}")
            return
        if sha256 != wanted.sha256:
            self._say(wanted.path, "has other bytes than were sealed (sha256)", wanted.sha256, sha256)

    def _missing(self, wanted: Listed) -> None:
        self._say(wanted.path, f"is listed in {self.manifest} but is not there", wanted.sha256, "no such file")

    def _say(self, path: bytes, what: str, expected: str | None = None, found: str | None = None) -> None:
        self.found.problems.append(Problem(f"bag/{shown(path)}", what, expected, found))

    def _line(self, number: int, why: str) -> None:
        self.found.ordered = False
        self.found.problems.append(Problem(f"bag/{self.manifest}", f"line {number} {why}"))
