"""Orphans: blobs without a row. Old increments and interrupted backups leave them, and so does editing of the index.

A file is a blob by its name, 40 hex digits, wherever it lies in the backup folder. One that has a row, but lies where
nobody would look for that row's blob, is an orphan too (finding `misplaced`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from bagtag.extract.backup import Backup
from bagtag.extract.blob import Blobs, NotRegularError, Treatment, UnreadableError, gone
from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow, Stored

_BLOB_NAME = re.compile(r"[0-9a-fA-F]{40}")


def walk(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below a folder that is no folder, sorted bytewise by path: (path with `/`, its entry).

    Symbolic links are given, never followed; a folder that cannot be read is given itself. Memory holds one folder's
    names at a time, and those above it. Raises StoppedError when the folder itself cannot be read.
    """
    try:
        stack = [iter(_sorted(str(folder), ""))]
    except OSError as trouble:
        raise gone(str(folder)) from trouble
    while stack:
        for path, item in stack[-1]:
            if item.is_dir(follow_symlinks=False):
                try:
                    stack.append(iter(_sorted(item.path, f"{path}/")))
                except OSError:
                    yield path, item
                    continue
                break
            yield path, item
        else:
            stack.pop()


def orphans(backup: Backup, blobs: Blobs, claimed: Collection[str] = ()) -> Iterator[InventoryRow]:
    """One row for each orphan, sorted by path. `claimed` names blobs that a row with an unsafe fileID was given."""
    for path, item in walk(backup.folder):
        if not _BLOB_NAME.fullmatch(item.name) or item.name in claimed:
            continue
        entry = backup.manifest.get(item.name)
        if entry is not None and _is_found(backup, path, item.name):
            continue
        row = InventoryRow(file_id=item.name, outcome=Outcome.ORPHAN, findings=[])
        if entry is not None:
            row.findings.append("misplaced")
        try:
            blob = blobs.open_at(path)
            if blob is None:
                continue
            with blob:
                reading = blob.read(_leave)
            row.stored = Stored(path=path, size=reading.stored_size, sha256=reading.stored_sha256)
        except NotRegularError:
            row.findings.append("not-a-regular-file")
        except (OSError, UnreadableError):
            row.findings.append("read-error")
            row.stored = Stored(path=path, size=None, sha256=None)
        yield row


def _leave(_head: bytes, _length: int) -> Treatment:
    return "leave"


def _is_found(backup: Backup, path: str, name: str) -> bool:
    if path == f"{name[:2]}/{name}":
        return True
    found = backup.blob_path(name)
    return found is not None and found == backup.folder / path


def _sorted(folder: str, prefix: str) -> list[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as items:
        found = [(prefix + item.name, item) for item in items]
    # A folder's files sort by its name with the slash behind.
    found.sort(key=lambda pair: os.fsencode(pair[0]) + (b"/" if pair[1].is_dir(follow_symlinks=False) else b""))
    return found
