"""Step 6, sealing: the sealed log begins the living one; its last line and the line after it name the digests."""

from __future__ import annotations

from collections.abc import Sequence

from bagtag.custody.line import Artifact, CustodyLine
from bagtag.custody.log import Entry
from bagtag.custody.problem import Problem
from bagtag.reports.bundle import manifest, readme
from bagtag.reports.bundle.checks.chains import LIVING, SEALED, Logs, first_difference
from bagtag.reports.bundle.evidence_folder import EvidenceFolder, size_and_digest


def problems(folder: EvidenceFolder, logs: Logs) -> list[Problem]:
    """Everything that does not fit. Nothing where a log is missing: step 5 says so."""
    if logs.living is None or logs.sealed is None:
        return []
    found: list[Problem] = []
    if (number := first_difference(logs.sealed, logs.living)) is not None:
        found.append(Problem(LIVING, f"does not go on from {SEALED}: it differs from line {number} on"))
    found += _sealed_line(folder, logs.sealed)
    events = [line.event for _, line in logs.lines()]
    if events.count("sealed") != 1:
        found.append(Problem(LIVING, "is not sealed once", "1", str(events.count("sealed"))))
    count = len(logs.sealed)
    after = logs.living[count].line if count < len(logs.living) else None
    named = _named(after.outputs, manifest.TAGS) if isinstance(after, CustodyLine) else None
    if named is None:
        found.append(Problem(LIVING, f"line {count} does not name the bag digest", manifest.TAGS, "nothing"))
    else:
        found += same(folder, f"bag/{manifest.TAGS}", named, f"line {count} of {LIVING}")
    return found


def same(folder: EvidenceFolder, path: str, named: Artifact, by: str) -> list[Problem]:
    """The file, where it is there, has the digest and the size by which `by` names it."""
    there = size_and_digest(folder, path)
    found: list[Problem] = []
    if there is not None and there.sha256 != named.sha256:
        found.append(Problem(path, f"is not what {by} names (sha256)", named.sha256, there.sha256))
    if there is not None and there.size != named.size:
        found.append(Problem(path, f"is not what {by} names (size)", str(named.size), str(there.size)))
    return found


def _sealed_line(folder: EvidenceFolder, sealed: Sequence[Entry]) -> list[Problem]:
    last = sealed[-1].line if sealed else None
    if not isinstance(last, CustodyLine) or last.event != "sealed":
        return [Problem(SEALED, "does not end with a sealed line")]
    found: list[Problem] = []
    for name, path in ((manifest.PAYLOAD, f"bag/{manifest.PAYLOAD}"), (readme.NAME, readme.NAME)):
        named = _named(last.outputs, name)
        if named is None:
            found.append(Problem(SEALED, f"the sealed line does not name {name}", name, "nothing"))
        else:
            found += same(folder, path, named, "the sealed line")
    return found


def _named(outputs: Sequence[Artifact], name: str) -> Artifact | None:
    return next((output for output in outputs if output.name == name), None)
