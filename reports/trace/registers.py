"""The two lists that every file of the bag is in: the inventory, and the list of the source with its digests.

Each is read once, line by line, for all the files that a trace asks about.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow, decode
from bagtag.extract.manifest import places
from bagtag.reports.trace.finding import INVENTORY
from bagtag.reports.trace.folder import Folder, Listed

SOURCE = "data/inventory/source.sha256"
_LONGEST_LINE = 1 << 24
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class Entered:
    """A line of the inventory, with its number, from 1."""

    line: int
    row: InventoryRow

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return f"bag/{INVENTORY}, line {self.line}"

    @property
    def stored_paths(self) -> tuple[str, ...]:
        """Where its blob lies in the backup, or may lie when the line does not tell."""
        return places(self.row.file_id) if self.row.stored is None else (self.row.stored.path,)


class _Name(msgspec.Struct):
    file_id: str
    domain: str | None = None
    relative_path: str | None = None


class Inventory:
    """The lines of those files that were asked for, by fileID and by name."""

    def __init__(self, folder: Folder, ids: set[str], names: set[tuple[str, str]]) -> None:
        """Read the inventory; what cannot be read of it is not there."""
        self._by_id: dict[str, Entered] = {}
        self._by_name: dict[tuple[str | None, str | None], Entered] = {}
        name_of = msgspec.json.Decoder(_Name).decode
        for number, raw in _lines(folder, INVENTORY):
            try:
                name = name_of(raw)
                called = name.domain, name.relative_path
                if name.file_id not in ids and called not in names:
                    continue
                entered = Entered(number, decode(raw))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue  # no line of the inventory: the file has none, and that is a difference
            self._by_id.setdefault(name.file_id, entered)
            if entered.row.outcome is not Outcome.OUT_OF_SCOPE:
                self._by_name.setdefault(called, entered)

    def of(self, file_id: str) -> Entered | None:
        """The line of that fileID."""
        return self._by_id.get(file_id)

    def named(self, domain: str | None, relative_path: str | None) -> Entered | None:
        """The line of that name, if it is in scope."""
        return self._by_name.get((domain, relative_path))

    def all(self) -> Iterator[Entered]:
        """All that were found."""
        yield from {entered.line: entered for entered in (*self._by_id.values(), *self._by_name.values())}.values()


class SourceList:
    """The digests of those files of the backup that were asked for, as `sha256sum` would have written them."""

    def __init__(self, folder: Folder, paths: set[str]) -> None:
        """Read the list; what cannot be read of it is not there."""
        self._exact: dict[str, Listed] = {}
        self._below: dict[str, Listed] = {}
        wanted = {os.fsencode(path.translate(_ESCAPES)): path for path in paths}
        for number, raw in _lines(folder, SOURCE):
            line = raw.removeprefix(b"\\")
            name = line[66:].removesuffix(b"\n")
            listed = Listed(number, line[:64].decode("ascii", "replace"))
            if name in wanted:
                self._exact.setdefault(wanted[name], listed)
                continue
            # Members of a zip or tar are listed with the folders that they lie in there.
            while b"/" in name:
                name = name.partition(b"/")[2]
                if name in wanted:
                    self._below.setdefault(wanted[name], listed)

    def of(self, *paths: str) -> tuple[str, Listed] | None:
        """The first of the paths that is listed, and its line."""
        for path in paths:
            listed = self._exact.get(path) or self._below.get(path)
            if listed is not None:
                return path, listed
        return None


def _lines(folder: Folder, file: str) -> Iterator[tuple[int, bytes]]:
    """Every line, numbered from 1; the file's digest is noted. Nothing when the file cannot be read."""
    digest, number = hashlib.sha256(), 0
    try:
        with folder.open(file) as lines:
            while raw := lines.readline(_LONGEST_LINE):
                number += 1
                digest.update(raw)
                yield number, raw
    except OSError:
        return
    folder.noted(file, digest.hexdigest())
