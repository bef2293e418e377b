"""Step 4, tag files: completeness and digests of the files beside the payload; the label and its profile."""

from __future__ import annotations

from bagtag.custody.problem import Problem
from bagtag.custody.progress import Silent
from bagtag.reports.bundle import bag_info, declaration, manifest, profile
from bagtag.reports.bundle.checks.completeness import Contents, compare
from bagtag.reports.bundle.evidence_folder import EvidenceFolder

_LABEL = "bag/bag-info.txt"


def problems(folder: EvidenceFolder, payload: Contents) -> list[Problem]:
    """Everything that is wrong with the tag files. `payload` is what steps 2 and 3 counted."""
    if not folder.is_folder("bag"):
        return []
    skip = frozenset({b"data", manifest.TAGS.encode()})
    found = compare(
        folder, manifest.TAGS, folder.walk("bag", b"", skip=skip), payload=False, progress=Silent()
    ).problems
    for name, expected in ((declaration.NAME, declaration.TEXT), ("profile.json", profile.text())):
        try:
            with folder.open(f"bag/{name}") as file:
                if file.read(len(expected) + 1) != expected:
                    found.append(Problem(f"bag/{name}", "is not byte for byte what bagtag writes there"))
        except OSError:
            continue  # step 1 says so
    try:
        labels = _labels(folder)
    except OSError:
        return found  # step 1 says so
    except ValueError as trouble:
        return [*found, Problem(_LABEL, str(trouble))]
    found += profile.problems(labels)
    declared, oxum = dict(labels).get("Payload-Oxum"), f"{payload.octets}.{payload.files}"
    if declared != oxum:
        found.append(Problem(_LABEL, "Payload-Oxum is not that of the payload", declared, oxum))
    return found


def declared_octets(folder: EvidenceFolder) -> int | None:
    """The bytes of the payload as the label gives them, for those who watch; None when it does not."""
    try:
        oxum = dict(_labels(folder)).get("Payload-Oxum", "")
    except (OSError, ValueError):
        return None  # step 4 says so
    octets = oxum.partition(".")[0]
    return int(octets) if octets.isascii() and octets.isdigit() and len(octets) < 20 else None


def _labels(folder: EvidenceFolder) -> list[tuple[str, str]]:
    """Raises OSError, or ValueError with what is wrong with the file."""
    with folder.open(_LABEL) as file:
        return bag_info.parse(file.read(bag_info.MAX_SIZE))
