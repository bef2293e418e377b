"""A bag that is no evidence folder, checked strictly by RFC 8493 and the drafts before it: complete, and valid.

Its manifests are held in memory. What a bag alone cannot show is said: no log tells where it came from, and nobody
signed it. An evidence folder is asked for much more than this.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bagtag.custody import durable
from bagtag.custody.problem import Problem
from bagtag.custody.progress import Progress, Silent
from bagtag.reports.bundle import bare_tags, declaration, manifest
from bagtag.reports.bundle.bare_tags import V1, Declared, Lines
from bagtag.reports.bundle.contents import sha256_of
from bagtag.reports.bundle.tree import KIND_WORDS, Kind, listing, walk
from bagtag.reports.bundle.verdict import Verification

_MANIFEST = re.compile(r"(tag)?manifest-([A-Za-z0-9-]{1,32})\.txt")
_ALGORITHMS = {
    "md5": "md5", "sha1": "sha1", "sha224": "sha224", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512",
    "sha3224": "sha3_224", "sha3256": "sha3_256", "sha3384": "sha3_384", "sha3512": "sha3_512", "blake2b": "blake2b",
    "blake2s": "blake2s",
}  # fmt: skip
_MAX_TAG_FILE = 1 << 28
_BLOCK = 1 << 20
_WORKERS = max(2, os.cpu_count() or 1)
_OXUM = re.compile(r"(\d{1,20})\.(\d{1,20})")
_FALLBACK = Declared(V1, "utf-8")
_WHAT_IT_IS = "a bare bag, checked by RFC 8493 alone: it holds no custody log and no seal, and anybody can make one"

Wanted = dict[str, dict[str, str]]
"""Digests by algorithm, by path."""
_Reader = Callable[[bytes, Declared], Lines]


def is_one(path: Path) -> bool:
    """Whether that folder is a bag by itself: it has a bagit.txt, and no evidence folder lies in or round it."""
    if not (path / declaration.NAME).is_file():
        return False
    inside = any((path / sign).exists() for sign in ("bag/bagit.txt", "seal/statement.json"))
    above = path.absolute().parent
    around = path.absolute().name == "bag" and any(
        (above / sign).exists() for sign in ("custody.jsonl", "seal/statement.json")
    )
    return not inside and not around


def verify(bag: Path, progress: Progress) -> Verification:
    """Check it and say so: intact or broken, never authentic."""
    problems, notes = examine(bag, progress)
    return Verification(
        verdict="broken" if problems else "intact",
        problems=tuple(dict.fromkeys(problems)),
        payload_digest=_digest(bag / manifest.PAYLOAD),
        bag_digest=_digest(bag / manifest.TAGS),
        anchored="there is none in a bare bag.",
        notes=(_WHAT_IT_IS, *dict.fromkeys(notes)),
    )


def examine(bag: Path, progress: Progress | None = None) -> tuple[list[Problem], list[str]]:
    """Everything that RFC 8493 finds wrong with the folder as a bag, and what it merely frowns on. Never raises."""
    check = _Check(bag, progress or Silent())
    check.run()
    return check.problems, check.notes


class _Check:
    def __init__(self, bag: Path, progress: Progress) -> None:
        self.bag, self.progress = bag, progress
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.files: dict[str, int] = {}
        self.said = _FALLBACK

    def run(self) -> None:
        try:
            top = {os.fsdecode(node.path): node.kind for node in listing(self.bag)}
        except OSError as trouble:
            self._say(".", f"cannot be read: {trouble.strerror or trouble}")
            return
        self._declaration()
        self._payload(top)
        wanted: Wanted = defaultdict(dict)
        self._payload_manifests(top, wanted)
        self._tag_manifests(top, wanted)
        self._label(top)
        if "fetch.txt" in top:
            self._fetch(wanted)
        self._digests(wanted)

    def _declaration(self) -> None:
        try:
            with durable.open_regular(self.bag / declaration.NAME) as file:
                self.said = bare_tags.declared(file.read(4096))
        except OSError as trouble:
            self._say(declaration.NAME, f"cannot be read: {trouble.strerror or trouble}")
        except ValueError as trouble:
            self._say(declaration.NAME, str(trouble))

    def _payload(self, top: dict[str, Kind]) -> None:
        if top.get("data") != "folder":
            there = KIND_WORDS[top["data"]] if "data" in top else "nothing"
            self._say("data", "is missing: a bag has a payload folder", "a folder", there)
            return
        for node in walk(self.bag / "data", b"data/"):
            path = os.fsdecode(node.path)
            if node.kind == "file":
                self.files[path] = node.size
            elif node.kind == "empty-folder":
                self.notes.append(f"{path}: is an empty folder, which no manifest can list")
            else:
                self._say(path, f"is {KIND_WORDS[node.kind]}, which no bag can carry")

    def _payload_manifests(self, top: dict[str, Kind], wanted: Wanted) -> None:
        listed: dict[str, set[str]] = {}
        for name, algorithm in self._manifests(top, tags=False):
            found = self._read(name, bare_tags.manifest)
            self._complain(name, found)
            paths = listed[name] = self._entries(name, found, algorithm, wanted)
            for path in sorted(path for path in paths if not path.startswith("data/")):
                what = f"lists {path}, which is no file of the payload"
                if self.said.version >= V1:
                    self._say(name, what)
                else:
                    self.notes.append(f"{name}: {what}")
        if not listed:
            self._say("manifest-sha256.txt", "is missing: a bag has a payload manifest by a digest that is known here")
        for path in self.files:
            without = [name for name, paths in listed.items() if path not in paths]
            if listed and (len(without) == len(listed) or (without and self.said.version >= V1)):
                self._say(path, f"is not listed in {', '.join(without)}")

    def _tag_manifests(self, top: dict[str, Kind], wanted: Wanted) -> None:
        listed: set[str] = set()
        for name, algorithm in self._manifests(top, tags=True):
            found = self._read(name, bare_tags.manifest)
            for entry in found.entries:
                if entry.path.startswith(("data/", "tagmanifest-")):
                    found.problems.append(f"line {entry.number} lists {entry.path}, which is no file for it to list")
            found.entries = [entry for entry in found.entries if not entry.path.startswith(("data/", "tagmanifest-"))]
            listed |= self._entries(name, found, algorithm, wanted)
            self._complain(name, found)
        for node in walk(self.bag, skip=frozenset({b"data"})) if listed else ():
            path = os.fsdecode(node.path)
            if node.kind == "file" and path not in listed and not path.startswith("tagmanifest-"):
                self.notes.append(f"{path}: no tag manifest lists it, so nothing shows a change of it")

    def _manifests(self, top: dict[str, Kind], *, tags: bool) -> list[tuple[str, str]]:
        found = []
        for name, kind in sorted(top.items()):
            matched = _MANIFEST.fullmatch(name)
            if matched is None or bool(matched[1]) != tags:
                continue
            algorithm = _ALGORITHMS.get(re.sub(r"[^a-z0-9]", "", matched[2].lower()))
            if algorithm is None:
                self.notes.append(f"{name}: its digest is not known here, so it was not compared")
            elif kind != "file":
                self._say(name, f"is {KIND_WORDS[kind]}, not a file")
            else:
                found.append((name, algorithm))
        return found

    def _entries(self, name: str, found: Lines, algorithm: str, wanted: Wanted) -> set[str]:
        """Take over the entries; the paths that this manifest lists, as they lie on the disk."""
        size = 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size
        paths: dict[str, str] = {}
        for entry in found.entries:
            path = self._as_it_lies(name, entry.path)
            if len(entry.digest) != size:
                self._say(name, f"line {entry.number} has no digest of this kind ({size} digits)", None, entry.digest)
                continue
            before = paths.get(path)
            if before is not None:
                what = f"line {entry.number} lists {path} a second time"
                if before != entry.digest or self.said.version >= V1:
                    self._say(name, what, before, entry.digest)
                else:
                    self.notes.append(f"{name}: {what}")
            paths[path] = entry.digest
            wanted[path][algorithm] = entry.digest
        return set(paths)

    def _as_it_lies(self, name: str, path: str) -> str:
        """The path on the disk: file systems may compose characters in another way than who wrote the manifest."""
        if path in self.files or not path.startswith("data/") or path.isascii():
            return path
        plain = unicodedata.normalize("NFC", path)
        same = [other for other in self.files if unicodedata.normalize("NFC", other) == plain]
        if len(same) != 1:
            return path
        self.notes.append(f"{name}: {path} lies there with its characters composed in another way")
        return same[0]

    def _label(self, top: dict[str, Kind]) -> None:
        name = "bag-info.txt" if self.said.version >= (0, 96) else "package-info.txt"
        if name not in top:
            return
        found = self._read(name, bare_tags.bag_info)
        self._complain(name, found)
        oxums = [value for label, value in found.labels if label.lower() == "payload-oxum"]
        if len(oxums) > 1:
            self._say(name, "has Payload-Oxum more than once", "1", str(len(oxums)))
        for oxum in oxums[:1]:
            matched = _OXUM.fullmatch(oxum)
            there = f"{sum(self.files.values())}.{len(self.files)}"
            if matched is None or f"{int(matched[1])}.{int(matched[2])}" != there:
                self._say(name, "Payload-Oxum is not that of the payload", oxum, there)

    def _fetch(self, wanted: Wanted) -> None:
        found = self._read("fetch.txt", bare_tags.fetch)
        for entry in found.entries:
            if entry.path not in wanted:
                what = f"line {entry.number} names {entry.path}, which no manifest lists"
                (found.problems if self.said.version >= V1 else found.notes).append(what)
        self._complain("fetch.txt", found)

    def _digests(self, wanted: Wanted) -> None:
        self.progress.step("checking the bag", sum(self.files.values()))
        with ThreadPoolExecutor(_WORKERS) as pool:
            for path, found in zip(wanted, pool.map(self._hashed, wanted.items()), strict=True):
                self.progress.advance(self.files.get(path, 0))
                if isinstance(found, OSError):
                    missing = isinstance(found, FileNotFoundError)
                    what = "is listed but is not there" if missing else f"cannot be read: {found.strerror or found}"
                    self._say(path, what)
                    continue
                for algorithm, digest in wanted[path].items():
                    if found[algorithm] != digest:
                        self._say(
                            path, f"has other bytes than a manifest lists ({algorithm})", digest, found[algorithm]
                        )

    def _hashed(self, item: tuple[str, dict[str, str]]) -> dict[str, str] | OSError:
        path, digests = item
        hashes = {algorithm: hashlib.new(algorithm, usedforsecurity=False) for algorithm in digests}
        try:
            with durable.open_regular(self._place(path)) as file:
                while block := file.read(_BLOCK):
                    for each in hashes.values():
                        each.update(block)
        except (OSError, ValueError) as trouble:
            return trouble if isinstance(trouble, OSError) else OSError(str(trouble))
        return {algorithm: each.hexdigest() for algorithm, each in hashes.items()}

    def _place(self, path: str) -> Path:
        """Where the file lies. Raises OSError when a link leads there from outside the bag."""
        place = self.bag / path
        if not place.resolve().is_relative_to(self.bag.resolve()):
            raise OSError("lies behind a link")
        return place

    def _read(self, name: str, reader: _Reader) -> Lines:
        try:
            with durable.open_regular(self.bag / name) as file:
                raw = file.read(_MAX_TAG_FILE + 1)
        except OSError as trouble:
            self._say(name, f"cannot be read: {trouble.strerror or trouble}")
            return Lines()
        if len(raw) > _MAX_TAG_FILE:
            self._say(name, "is larger than memory should hold")
            return Lines()
        return reader(raw, self.said)

    def _complain(self, name: str, found: Lines) -> None:
        self.problems += [Problem(name, what) for what in found.problems]
        self.notes += [f"{name}: {what}" for what in found.notes]

    def _say(self, path: str, what: str, expected: str | None = None, found: str | None = None) -> None:
        self.problems.append(Problem(path, what, expected, found))


def _digest(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None
