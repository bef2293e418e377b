"""Orphans: blobs without a row. Old increments and interrupted backups leave them, and so does editing of the index.

A file is a blob by its name, 40 hex digits, wherever it lies in the backup folder. One that has a row, but lies where
nobody would look for that row's blob, is an orphan too (finding `misplaced`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice

from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow, Stored
from bagtag.extract.reading.blob import Blobs
from bagtag.extract.reading.treatment import Treatment
from bagtag.extract.stores.store import NotRegularError, RefusedError, UnreadableError

_LENGTH = 40
_AT_ONCE = 250
_BLOB_NAME = re.compile(r"[0-9a-fA-F]{40}")


def orphans(backup: Backup, blobs: Blobs, claimed: Collection[str] = ()) -> Iterator[InventoryRow]:
    """One row for each orphan, sorted by path. `claimed` names blobs that a row with an unsafe fileID was given."""
    for path, name, has_row in _stray(backup, claimed):
        row = InventoryRow(file_id=name, outcome=Outcome.ORPHAN, findings=[])
        if has_row:
            row.findings.append("misplaced")
        try:
            blob = blobs.open_at(path)
            if blob is None:
                continue
            with blob:
                reading = blob.read(_leave)
            row.stored = Stored(path=path, size=reading.stored_size, sha256=reading.stored_sha256)
            if blob.damage is not None:
                row.findings.append("damaged-member")
        except NotRegularError:
            row.findings.append("not-a-regular-file")
        except (OSError, UnreadableError) as trouble:
            row.findings.append("refused-member" if isinstance(trouble, RefusedError) else "read-error")
            row.stored = Stored(path=path, size=None, sha256=None)
        yield row


def _stray(backup: Backup, claimed: Collection[str]) -> Iterator[tuple[str, str, bool]]:
    """(path, name, whether a row has that name) of every file that is named as a blob and is no row's blob."""
    unexpected = _unexpected(backup, claimed)
    while some := list(islice(unexpected, _AT_ONCE)):
        known = backup.manifest.known([name for _, name in some])
        for path, name in some:
            if name not in known or backup.blob_path(name) != path:
                yield path, name, name in known


def _unexpected(backup: Backup, claimed: Collection[str]) -> Iterator[tuple[str, str]]:
    """(path, name) of the files named as blobs but those that lie in their shelf and are surely some row's.

    Shelves and fileIDs sort alike, so both are gone through side by side; what falls out of line is looked up.
    """
    file_ids = backup.manifest.file_ids()
    file_id = next(file_ids, None)
    for path in backup.store.paths():
        name = path.rpartition("/")[2]
        if len(name) != _LENGTH or not _BLOB_NAME.fullmatch(name) or name in claimed:
            continue
        while file_id is not None and file_id < name:
            file_id = next(file_ids, None)
        if file_id != name or path != f"{name[:2]}/{name}":
            yield path, name


def _leave(_head: bytes, _length: int) -> Treatment:
    return "leave"
