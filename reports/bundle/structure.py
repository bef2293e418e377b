"""What may lie in an evidence folder, by name and kind, and nothing else (public contract, "making a bundle").

    DEST/ README.txt custody.jsonl bag/ seal/statement.json
    bag/  bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt custody.jsonl profile.json
          schemas/*.json data/

BagIt itself tolerates unlisted tag files, empty folders, links and a `fetch.txt`; evidence does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bagtag.custody.problem import Problem
from bagtag.reports.bundle.tree import KIND_WORDS, Kind, Node, listing, shown

BAGIT_TXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

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
_SEAL: Mapping[bytes, Kind] = {b"statement.json": "file"}
_OF_THE_SEAL = (b".sig", b".pub.pem", b".tsq", b".tsr")


def problems(dest: Path) -> list[Problem]:
    """What is there and should not be, what should be there and is not, everywhere but below bag/data."""
    found = _compare(dest, b"", _FOLDER)
    if (dest / "bag").is_dir() and not (dest / "bag").is_symlink():
        found += _compare(dest / "bag", b"bag/", _BAG)
        if (dest / "bag/schemas").is_dir() and not (dest / "bag/schemas").is_symlink():
            found += _schemas(dest / "bag/schemas")
    if (dest / "seal").is_dir() and not (dest / "seal").is_symlink():
        found += _compare(dest / "seal", b"seal/", _SEAL)
    return found


def _compare(folder: Path, below: bytes, allowed: Mapping[bytes, Kind]) -> list[Problem]:
    nodes = _nodes(folder, below)
    if isinstance(nodes, Problem):
        return [nodes]
    there = {node.path.removeprefix(below): node for node in nodes}
    found: list[Problem] = []
    for name, node in there.items():
        if name not in allowed:
            found.append(_not_listed(node, below))
        elif node.kind != allowed[name]:
            words = KIND_WORDS
            found.append(Problem(shown(node.path), f"is {words[node.kind]}", words[allowed[name]], words[node.kind]))
    missing = [name for name in allowed if name not in there]
    found += [Problem(shown(below + name), "is missing", KIND_WORDS[allowed[name]], "nothing") for name in missing]
    return found


def _not_listed(node: Node, below: bytes) -> Problem:
    what = f"is {KIND_WORDS[node.kind]} that belongs in no evidence folder"
    if node.path == b"bag/fetch.txt":
        what = "points to payload elsewhere: evidence is complete in itself"
    elif below == b"seal/" and node.path.endswith(_OF_THE_SEAL):
        what = "is named like a signature or stamp; this version of bagtag checks none, so nothing vouches for it"
    return Problem(shown(node.path), what, "nothing", KIND_WORDS[node.kind])


def _schemas(folder: Path) -> list[Problem]:
    nodes = _nodes(folder, b"bag/schemas/")
    if isinstance(nodes, Problem):
        return [nodes]
    if not nodes:
        return [Problem("bag/schemas", "is an empty folder", "JSON Schemas", "nothing")]
    return [_not_listed(node, b"bag/") for node in nodes if node.kind != "file" or not node.path.endswith(b".json")]


def _nodes(folder: Path, below: bytes) -> list[Node] | Problem:
    try:
        return listing(folder, below)
    except OSError as trouble:
        return Problem(shown(below).rstrip("/") or ".", f"cannot be read: {trouble.strerror or trouble}")
