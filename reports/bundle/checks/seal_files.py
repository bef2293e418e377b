"""Step 8, the files of seal/: each as a custody line names it, and each named by one.

A signature or stamp is written down in the living log when it is made, with the digests of its files. So a file that
was taken out of seal/ is missed, and one that was put in is told: it may be honest, but nobody wrote down that it came.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bagtag.custody.line import CustodyLine
from bagtag.custody.problem import Problem
from bagtag.reports.bundle import seal_folder
from bagtag.reports.bundle.checks.chains import LIVING, Logs
from bagtag.reports.bundle.checks.sealing import same
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.seal_folder import SealFolder
from bagtag.reports.bundle.tree import shown

_BELOW = f"{seal_folder.NAME}/"


@dataclass(slots=True)
class SealFiles:
    """The files there, sorted by what they are; `named` gives the first line that names each, by its path."""

    names: SealFolder
    named: dict[str, CustodyLine] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def named_at(self, path: str) -> str | None:
        """When the file came, as the log claims."""
        line = self.named.get(path)
        return None if line is None else line.at


def read(folder: EvidenceFolder, logs: Logs) -> SealFiles:
    """What lies in seal/, beside what the log says of it."""
    names = _names(folder)
    found = SealFiles(SealFolder.of(names))
    for number, line in logs.lines():
        for artifact in line.outputs:
            if not artifact.name.startswith(_BELOW) or not seal_folder.belongs(artifact.name.removeprefix(_BELOW)):
                continue
            found.named.setdefault(artifact.name, line)
            if artifact.name.removeprefix(_BELOW) in names:
                found.problems += same(folder, artifact.name, artifact, f"line {number} of {LIVING}")
            else:
                what = f"is named by line {number} of {LIVING} but is not there"
                found.problems.append(Problem(artifact.name, what, artifact.sha256, "no such file"))
    found.notes = [
        f"{_BELOW}{name}: no line of {LIVING} names it"
        for name in names
        if name != seal_folder.STATEMENT and seal_folder.belongs(name) and _BELOW + name not in found.named
    ]
    return found


def read_file(folder: EvidenceFolder, name: str) -> bytes | None:
    """The bytes of a file in seal/, None where step 1 says what is wrong. Raises ValueError when absurdly long."""
    try:
        with folder.open(_BELOW + name) as file:
            raw = file.read(seal_folder.MAX_SIZE + 1)
    except OSError:
        return None
    if len(raw) > seal_folder.MAX_SIZE:
        raise ValueError("is larger than anything that belongs here")
    return raw


def _names(folder: EvidenceFolder) -> list[str]:
    try:
        nodes = folder.listing(seal_folder.NAME, b"")
    except OSError:
        return []  # step 1 says so
    return [shown(node.path) for node in nodes if node.kind == "file"]
