"""Step 1, structure: what may lie in an evidence folder, by name and kind (public contract, "making a bundle").

    DEST/ README.txt custody.jsonl bag/ seal/statement.json (and what `seal_folder` names)
    bag/  bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt custody.jsonl profile.json
          schemas/*.json data/

BagIt itself tolerates unlisted tag files, empty folders, links and a `fetch.txt`; evidence does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from bagtag.custody.problem import Problem
from bagtag.reports.bundle import seal_folder
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.tree import KIND_WORDS, Kind, Node, shown

_FOLDER: Mapping[bytes, Kind] = {b"README.txt": "file", b"bag": "folder", b"custody.jsonl": "file", b"seal": "folder"}
_BAG: Mapping[bytes, Kind] = {
    b"bagit.txt": "file",
    b"bag-info.txt": "file",
    b"manifest-sha256.txt": "file",
    b"tagmanifest-sha256.txt": "file",
    b"custody.jsonl": "file",
    b"profile.json": "file",
    b"schemas": "folder",
    b"data": "folder",
}
_SEAL: Mapping[bytes, Kind] = {seal_folder.STATEMENT.encode(): "file"}


def problems(folder: EvidenceFolder) -> list[Problem]:
    """What is there and should not be, what should be there and is not, everywhere but below bag/data."""
    found = [*folder.faults, *_compare(folder, "", _FOLDER)]
    if folder.is_folder("bag"):
        found += _compare(folder, "bag", _BAG)
        if folder.is_folder("bag/schemas"):
            found += _schemas(folder)
    if folder.is_folder("seal"):
        found += _compare(folder, "seal", _SEAL)
    return found


def _compare(folder: EvidenceFolder, path: str, required: Mapping[bytes, Kind]) -> list[Problem]:
    below = f"{path}/".encode() if path else b""
    nodes = _nodes(folder, path)
    if isinstance(nodes, Problem):
        return [nodes]
    there = {node.path.removeprefix(below): node for node in nodes}
    found: list[Problem] = []
    for name, node in there.items():
        expected = required.get(name, "file" if _of_the_seal(path, name) else None)
        if expected is None:
            found.append(_not_listed(node))
        elif node.kind != expected:
            words = KIND_WORDS
            found.append(Problem(shown(node.path), f"is {words[node.kind]}", words[expected], words[node.kind]))
        elif node.kind == "file" and path != "bag" and name != b"custody.jsonl":
            found += _unreadable(folder, node)
    missing = [name for name in required if name not in there]
    found += [Problem(shown(below + name), "is missing", KIND_WORDS[required[name]], "nothing") for name in missing]
    return found


def _unreadable(folder: EvidenceFolder, node: Node) -> list[Problem]:
    """Later steps look into files outside the bag and say nothing of one that cannot be read: it is said here, once."""
    try:
        folder.hashed(os.fsdecode(node.path))
    except OSError as trouble:
        return [Problem(shown(node.path), f"cannot be read: {trouble.strerror or trouble}")]
    return []


def _of_the_seal(path: str, name: bytes) -> bool:
    return path == "seal" and seal_folder.belongs(shown(name))


def _not_listed(node: Node) -> Problem:
    what = f"is {KIND_WORDS[node.kind]} that belongs in no evidence folder"
    if node.path == b"bag/fetch.txt":
        what = "points to payload elsewhere: evidence is complete in itself"
    elif node.path.startswith(b"seal/"):
        what = f"is {KIND_WORDS[node.kind]} whose name is none of a signature, a key or a stamp"
    return Problem(shown(node.path), what, "nothing", KIND_WORDS[node.kind])


def _schemas(folder: EvidenceFolder) -> list[Problem]:
    nodes = _nodes(folder, "bag/schemas")
    if isinstance(nodes, Problem):
        return [nodes]
    if not nodes:
        return [Problem("bag/schemas", "is an empty folder", "JSON Schemas", "nothing")]
    return [_not_listed(node) for node in nodes if node.kind != "file" or not node.path.endswith(b".json")]


def _nodes(folder: EvidenceFolder, path: str) -> list[Node] | Problem:
    try:
        return folder.listing(path, f"{path}/".encode() if path else b"")
    except OSError as trouble:
        return Problem(path or ".", f"cannot be read: {trouble.strerror or trouble}")
