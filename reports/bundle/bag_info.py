"""bag-info.txt: the label on the bag. One `Label: value` a line, UTF-8 (RFC 8493, section 2.2.2).

BagIt's reserved labels, and `Evidence-…` for what a lab asks of a label; `profile.json` declares them. The facts of the
run stand here and not in the payload, so that the payload stays the same from run to run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bagtag.custody.examination import Examination
from bagtag.reports.bundle import profile

MAX_SIZE = 1 << 20
_LABEL = re.compile(r"([A-Z][A-Za-z0-9-]*): (\S(?:.*\S)?)")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class BagInfo:
    """What the label says beyond what the bag itself shows.

    `bagged_on` is YYYY-MM-DD; `source_digest` the sha256 of source.sha256; `encryption` says how the backup was
    opened, never with what; `time_zone` is the zone that readable times are printed in.
    """

    examination: Examination
    bagged_on: str
    run_id: str
    software: str
    source_digest: str
    encryption: str
    second_reading: str
    time_zone: str = "UTC"
    source_device: str | None = None
    source_backup_id: str | None = None

    def labels(self, files: int, octets: int) -> list[tuple[str, str]]:
        """The labels in the order in which they are written; facts that are not known are left out."""
        case = self.examination
        wanted = [
            ("Source-Organization", case.agency),
            ("External-Description", "Logical data from a local backup of an iPhone or iPad"),
            ("External-Identifier", f"{case.case}/{case.item}/{self.run_id}"),
            ("Bagging-Date", self.bagged_on),
            ("Bag-Size", human_size(octets)),
            ("Payload-Oxum", f"{octets}.{files}"),
            ("Bag-Group-Identifier", case.case),
            ("Bag-Software-Agent", self.software),
            ("BagIt-Profile-Identifier", profile.IDENTIFIER),
            ("Evidence-Case-Number", case.case),
            ("Evidence-Item-Number", case.item),
            ("Evidence-Exhibit-Reference", case.exhibit),
            ("Evidence-Examiner", case.examiner),
            ("Evidence-Legal-Authority", case.authority),
            ("Evidence-Acquisition-Type", "logical/iTunes-backup"),
            ("Evidence-Source-Device", self.source_device),
            ("Evidence-Source-Backup-Id", self.source_backup_id),
            ("Evidence-Source-Digest", self.source_digest),
            ("Evidence-Encryption", self.encryption),
            ("Evidence-Second-Reading", self.second_reading),
            ("Evidence-Time-Zone-Policy", f"times are UTC; printed in {self.time_zone}"),
            ("Evidence-Run-Id", self.run_id),
        ]
        return [(label, text) for label, value in wanted if (text := one_line(value or ""))]


def one_line(text: str) -> str:
    """Text that can stand on one line: a device's name may hold anything."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.encode("utf-8", "replace").decode("utf-8").split())


def human_size(octets: int) -> str:
    """The size for people, in decimal units."""
    size = float(octets)
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{octets} B" if unit == "B" else f"{size:.1f} {unit}"


def render(labels: list[tuple[str, str]]) -> bytes:
    """The file's bytes."""
    return "".join(f"{label}: {value}\n" for label, value in labels).encode("utf-8")


def parse(raw: bytes) -> list[tuple[str, str]]:
    """The labels of a bag-info.txt that bagtag wrote. Raises ValueError for any other form."""
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError as trouble:
        raise ValueError("is no UTF-8") from trouble
    if lines.pop() != "":
        raise ValueError("does not end with a newline")
    labels: list[tuple[str, str]] = []
    for number, line in enumerate(lines, 1):
        found = _LABEL.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number} is no `Label: value`")
        labels.append((found[1], found[2]))
    return labels
