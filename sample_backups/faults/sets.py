"""Faults of the whole set: decrypted in place, interrupted, tampered with, mixed with what other tools leave.

Known from tools that decrypt where the backup lies, from interrupted runs that leave Snapshot/, from folders that hold
two indexes, and from links that lead out of the backup.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bagtag.sample_backups.entry import FILE, Entry
from bagtag.sample_backups.faults.fault import BOTH, DOMAIN, Fault, document, text
from bagtag.sample_backups.manifest import Row
from bagtag.sample_backups.mbdb import stored
from bagtag.sample_backups.plan import Plan

OUTSIDE = "outside"
"""The folder beside the backup that a link leads to."""


def _decrypted_in_place(plan: Plan) -> None:
    plan.plain_index = True
    for entry in plan.entries:
        _decrypt(entry)


def _decrypt(entry: Entry) -> None:
    if entry.flags == FILE and entry.damage is None:
        entry.damage = "plain"
        if len(entry.content) and entry.outcome is None:
            entry.outcome = "already-plain"


def _decrypted_index(plan: Plan) -> None:
    plan.plain_index = True
    plan.issue = ["Manifest.db"]


def _decrypted_some(plan: Plan) -> None:
    for entry in plan.entries:
        if entry.domain == "HomeDomain":
            _decrypt(entry)


def _into_snapshot(*names: str) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        def move(folder: Path) -> None:
            (folder / "Snapshot").mkdir()
            for name in names:
                path = folder / (plan.era.index if name == "index" else name)
                path.rename(folder / "Snapshot" / path.name)

        plan.afterwards.append(move)
        plan.issue = ["Snapshot"]

    return apply


def _both_indexes(plan: Plan) -> None:
    """An index of the old kind beside the new one; it tells of a file that is nowhere."""
    plan.beside("Manifest.mbdb", stored([Row(Entry(DOMAIN, "Documents/only in the mbdb.txt"), 1)]))
    plan.issue = ["Manifest.mbdb"]


def _linked_shelf(plan: Plan) -> None:
    """A file whose shelf is a link to a folder outside: what lies there is not of this backup."""
    entry = _alone_in_shelf(plan)
    entry.damage, entry.outcome = "missing", "not-a-regular-file"
    plan.entries.append(entry)

    def link(folder: Path) -> None:
        outside = folder.parent / OUTSIDE
        outside.mkdir()
        (outside / entry.file_id).write_bytes(text("outside"))
        shelf = folder / entry.file_id[:2]
        if shelf.is_dir():
            shelf.rmdir()
        shelf.symlink_to(Path("..") / OUTSIDE)

    plan.afterwards.append(link)


def _alone_in_shelf(plan: Plan) -> Entry:
    """A document whose shelf no other file of the set is in."""
    taken = {entry.blob_id[:2] for entry in plan.entries}
    names = (document(f"linked-shelf-{number}") for number in range(4096))
    return next(entry for entry in names if entry.file_id[:2] not in taken)


def _left_by_tools(plan: Plan) -> None:
    """What other programs leave in or beside a backup; none of it is a blob or an index."""
    plan.beside("_BackupExplorer/edits.json", b"{}\n")
    plan.beside("_unback_/HomeDomain.txt", b"unpacked\n")
    plan.beside(".DS_Store", b"\0\0\0\1Bud1")
    plan.beside("Manifest.plain.db", b"SQLite format 3\0 and nothing more")


def _linked_index(plan: Plan) -> None:
    """The index is a link to a file outside of the backup."""

    def link(folder: Path) -> None:
        path = folder / plan.era.index
        path.rename(folder.parent / f"{OUTSIDE}-index")
        path.symlink_to(Path("..") / f"{OUTSIDE}-index")

    plan.afterwards.append(link)
    plan.refuse(3)


FAULTS = (
    Fault(
        "both-indexes",
        "a Manifest.mbdb beside Manifest.db",
        "Manifest.db is read; the other is told",
        _both_indexes,
    ),
    Fault(
        "decrypted-in-place",
        "index and blobs are plain, IsEncrypted and the keys still say otherwise",
        "already-plain",
        _decrypted_in_place,
        "encrypted",
        BOTH,
    ),
    Fault(
        "decrypted-index",
        "Manifest.db alone is plain, ManifestKey is still there",
        "read as encrypted; told",
        _decrypted_index,
        "encrypted",
        double_kdf=True,
    ),
    Fault(
        "decrypted-some",
        "the blobs of HomeDomain are plain",
        "already-plain those, ok the rest",
        _decrypted_some,
        "encrypted",
        BOTH,
    ),
    Fault("left-by-tools", "files and folders of other programs", "no rows, no orphans", _left_by_tools, ios=BOTH),
    Fault("linked-index", "the index is a link to a file outside", "3, never followed", _linked_index, ios=BOTH),
    Fault(
        "linked-shelf",
        "a shelf is a link to a folder outside that holds a file of the right name",
        "not-a-regular-file, never followed",
        _linked_shelf,
    ),
    Fault(
        "snapshot-index",
        "the index lies in Snapshot/",
        "usable; Snapshot/ is told",
        _into_snapshot("index"),
        ios=BOTH,
    ),
    Fault(
        "snapshot-only",
        "index and Manifest.plist lie in Snapshot/",
        "usable; Snapshot/ is told",
        _into_snapshot("index", "Manifest.plist"),
        ios=BOTH,
    ),
)
"""Faults of the set; each needs a sample of its own."""
