"""Step 2, completeness: a manifest beside the tree that it lists, both ways.

Both are read in the same order, so neither is held in memory. What is in both is handed on to step 3, the digests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bagtag.custody.problem import Problem
from bagtag.custody.progress import Progress
from bagtag.reports.bundle import manifest
from bagtag.reports.bundle.checks.digests import Digests
from bagtag.reports.bundle.contents import pair
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.manifest import Listed, Unreadable
from bagtag.reports.bundle.tree import KIND_WORDS, Node, shown
from bagtag.reports.bundle.twins import Twins


@dataclass(slots=True)
class Contents:
    """What `compare` found. `files` and `octets` count what lies there; `ordered` is False for an odd manifest."""

    files: int = 0
    octets: int = 0
    ordered: bool = True
    problems: list[Problem] = field(default_factory=list)


def compare(folder: EvidenceFolder, name: str, nodes: Iterator[Node], *, payload: bool, progress: Progress) -> Contents:
    """Compare the manifest of that name in the bag with `nodes` (paths relative to the bag, in tree order)."""
    found = Contents()
    with Digests(folder, found.problems, progress) as digests:
        comparison = _Comparison(name, digests, found, payload=payload)
        try:
            with folder.open(f"bag/{name}") as file:
                comparison.run(manifest.lines(file), nodes)
        except OSError as trouble:
            found.ordered = False
            found.problems.append(Problem(f"bag/{name}", f"cannot be read: {trouble.strerror or trouble}"))
    return found


class _Comparison:
    def __init__(self, name: str, digests: Digests, found: Contents, *, payload: bool) -> None:
        self.name, self.digests, self.found, self.payload = name, digests, found, payload
        self.displaced: dict[bytes, Listed] = {}
        self.unlisted: list[Node] = []

    def run(self, lines: Iterator[Listed | Unreadable], nodes: Iterator[Node]) -> None:
        for wanted, there in pair(self._in_order(lines), self._counted(nodes)):
            if there is None:
                if wanted is not None:
                    self._missing(wanted)
            elif wanted is None:
                self.unlisted.append(there)
            else:
                self._both(wanted, there)
        # Lines out of order were passed by; they are looked up now, so that one displaced line is one problem.
        for there in self.unlisted:
            displaced = self.displaced.pop(there.path, None)
            if displaced is None:
                self._say(there.path, f"is {KIND_WORDS[there.kind]} that no manifest lists")
            else:
                self._both(displaced, there)
        for wanted in self.displaced.values():
            self._missing(wanted)

    def _in_order(self, lines: Iterator[Listed | Unreadable]) -> Iterator[Listed]:
        before, twins = b"", Twins()
        for line in lines:
            if isinstance(line, Unreadable):
                self._line(line.number, line.why)
            elif line.path.startswith(b"data/") != self.payload or line.path == manifest.TAGS.encode():
                self._line(line.number, f"names {shown(line.path)}, which belongs in no such manifest")
            elif line.path == before or line.path in self.displaced:
                self._line(line.number, f"names {shown(line.path)} a second time")
            elif line.path < before:
                self._line(line.number, f"is out of order ({shown(line.path)})")
                self.displaced[line.path] = line
            else:
                before = line.path
                if (other := twins.of(line.path)) is not None:
                    self._say(line.path, f"is one name with {shown(other)} on some computers")
                yield line

    def _counted(self, nodes: Iterator[Node]) -> Iterator[Node]:
        for node in nodes:
            if node.kind == "file":
                self.found.files += 1
                self.found.octets += node.size
            yield node

    def _both(self, wanted: Listed, there: Node) -> None:
        if there.kind != "file":
            self._say(wanted.path, f"is {KIND_WORDS[there.kind]}, not a file")
        else:
            self.digests.add(wanted, there)

    def _missing(self, wanted: Listed) -> None:
        self._say(wanted.path, f"is listed in {self.name} but is not there", wanted.sha256, "no such file")

    def _say(self, path: bytes, what: str, expected: str | None = None, found: str | None = None) -> None:
        self.found.problems.append(Problem(f"bag/{shown(path)}", what, expected, found))

    def _line(self, number: int, why: str) -> None:
        self.found.ordered = False
        self.found.problems.append(Problem(f"bag/{self.name}", f"line {number} {why}"))
