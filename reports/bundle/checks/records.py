"""Steps 11 and 12 in one reading: each line of the records and the inventory against its schema and the manifest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from bagtag.custody.problem import Problem
from bagtag.reports.bundle import manifest
from bagtag.reports.bundle.checks import references, shapes
from bagtag.reports.bundle.checks.completeness import Contents
from bagtag.reports.bundle.checks.shapes import Shape
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.manifest import Lookup
from bagtag.reports.bundle.tree import shown

_MAX_LINE = 1 << 26
_FOLDERS = ("data/records", "data/inventory")


def problems(folder: EvidenceFolder, payload: Contents) -> list[Problem]:
    """Everything that is wrong with the records and the inventory.

    Left out where the manifest is none or out of order: nothing could be looked up, and earlier steps say so.
    """
    if not payload.ordered or not folder.is_folder("bag/data") or not folder.is_folder("bag/schemas"):
        return []
    try:
        known, found = shapes.read(folder)
        with folder.open(f"bag/{manifest.PAYLOAD}") as file:
            lookup = Lookup(file)
        with lookup as sealed:
            for parent in _FOLDERS:
                if not folder.is_folder(f"bag/{parent}"):
                    found.append(Problem(f"bag/{parent}", "is missing", "a folder", "nothing"))
                    continue
                for node in folder.listing(f"bag/{parent}", f"{parent}/".encode()):
                    if node.kind == "file" and node.path.endswith(b".jsonl"):
                        found += _of_file(folder, shown(node.path), known, sealed)
    except OSError as trouble:
        return [Problem("bag", f"the records cannot be read: {trouble.strerror or trouble}")]
    return found


def _of_file(folder: EvidenceFolder, name: str, known: dict[str, Shape], sealed: Lookup) -> list[Problem]:
    """The first fault of the file in full and the number of the others: one fault of the writer is on every line."""
    stem = name.rpartition("/")[2].removesuffix(".jsonl")
    fits = known.get(stem, known.get(stem.removesuffix("s")))
    if fits is None:
        return [Problem(f"bag/{name}", "is of a kind that no schema in the bag describes", f"schemas/{stem}.json")]
    first: str | None = None
    others = 0
    with folder.open(f"bag/{name}") as file:
        for number, record in _lines(file):
            trouble = record if isinstance(record, str) else fits.trouble(record) or references.astray(record, sealed)
            if trouble is not None:
                first, others = (f"line {number} {trouble}", others) if first is None else (first, others + 1)
    if first is None:
        return []
    return [Problem(f"bag/{name}", first + (f"; so or otherwise are {others} more lines" if others else ""))]


def _lines(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Each line as an object, or the sentence that says why it is none."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    number = 0
    while raw := file.readline(_MAX_LINE):
        number += 1
        try:
            yield number, decode(raw) if raw.endswith(b"\n") else "does not end with a newline"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield number, "is no JSON object"
