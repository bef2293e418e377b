"""Faults of one stored blob: missing, cut, emptied, swapped, decrypted, lying where it should not.

Known from sets in the wild: interrupted and filtered backups, files that changed while they were captured, copies that
were cut, tools that decrypt in place, and attacks that put a link or a pipe where a file should be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bagtag.sample_backups import database
from bagtag.sample_backups.entry import DIRECTORY, Damage, Digest, Entry
from bagtag.sample_backups.faults.fault import BOTH, DOMAIN, Fault, document, other_id, text
from bagtag.sample_backups.plan import Plan

Apply = Callable[[Plan], None]


def _damaged(name: str, damage: Damage, outcome: str, findings: Sequence[str] = ()) -> Apply:
    def apply(plan: Plan) -> None:
        entry = document(name)
        entry.damage, entry.outcome, entry.findings = damage, outcome, list(findings)
        plan.entries.append(entry)

    return apply


def _cut(name: str, damage: Damage) -> Apply:
    """Without encryption nothing but its length says that a blob is not whole."""

    def apply(plan: Plan) -> None:
        outcome = "truncated" if plan.encrypted else "ok"
        _damaged(name, damage, outcome, ["size-mismatch"])(plan)

    return apply


def _unterminated(name: str, recorded_size: int | None) -> Apply:
    def apply(plan: Plan) -> None:
        entry = document(name)
        whole = text(name)
        entry.content = whole[: len(whole) // 16 * 16]
        entry.damage, entry.outcome, entry.recorded_size = "unterminated", "unterminated", recorded_size
        if recorded_size is not None:
            entry.findings = ["size-mismatch"]
        plan.entries.append(entry)

    return apply


def _sized(name: str, size: int | None) -> Apply:
    def apply(plan: Plan) -> None:
        entry = document(name)
        entry.recorded_size, entry.without_size = size, size is None
        entry.findings = ["missing-size" if size is None else "size-mismatch"]
        plan.entries.append(entry)

    return apply


def _empty(name: str, damage: Damage | None) -> Apply:
    def apply(plan: Plan) -> None:
        entry = document(name)
        entry.content, entry.damage = b"", damage
        entry.outcome = "missing" if damage == "missing" else "ok-empty"
        plan.entries.append(entry)

    return apply


def _aligned(plan: Plan) -> None:
    entry = document("aligned")
    entry.content = text("aligned")[:64]
    plan.entries.append(entry)


def _digest(name: str, digest_of: Digest, *findings: str) -> Apply:
    def apply(plan: Plan) -> None:
        entry = Entry("HomeDomain", f"Library/Faults/{name}.txt", content=text(name), digest_of=digest_of)
        entry.findings = list(findings) if plan.encrypted or digest_of != "content" else []
        plan.entries.append(entry)

    return apply


def _orphan(plan: Plan) -> None:
    plan.orphans.append((plan.era.blob_path(other_id("orphan")), text("orphan-blob")))


def _orphan_flat(plan: Plan) -> None:
    plan.orphans.append((other_id("orphan-flat"), text("orphan-flat")))


def _orphan_misplaced(plan: Plan) -> None:
    entry = document("orphan-misplaced")
    plan.entries.append(entry)
    shelf = "00" if entry.file_id[:2] != "00" else "01"
    plan.orphans.append((f"{shelf}/{entry.file_id}", text("another version of orphan-misplaced")))


def _folder_with_blob(plan: Plan) -> None:
    """The bytes are no file's: they are told, not interpreted."""
    entry = Entry(DOMAIN, "Documents/folder-with-blob", DIRECTORY, text("folder-with-blob"), protection_class=0)
    entry.recorded_size, entry.findings = 0, ["unexpected-blob"]
    plan.entries.append(entry)


def _companions(plan: Plan) -> None:
    """A database with a row that only its log holds, and the two other files SQLite keeps beside one."""
    before, after = database.two_states("CREATE TABLE note (words TEXT)", "INSERT INTO note VALUES ('only in the wal')")
    log = database.wal_between(before, after, b"bagtag!!")
    for ending, content in (("", before), ("-wal", log), ("-shm", bytes(32768)), ("-journal", bytes(512))):
        plan.entries.append(Entry(DOMAIN, f"Documents/companions.db{ending}", content=content))


FAULTS = (
    Fault("aligned", "content of exactly four AES blocks", "ok: five blocks stored, four kept", _aligned, ios=BOTH),
    Fault(
        "already-plain-blob",
        "one blob of an encrypted set lies there decrypted",
        "already-plain",
        _damaged("already-plain-blob", "plain", "already-plain"),
        "encrypted",
        BOTH,
    ),
    Fault(
        "companions",
        "a database with a -wal (one row more), a -shm and a -journal",
        "four rows, all ok",
        _companions,
        ios=BOTH,
    ),
    Fault(
        "digest-mismatch",
        "Apple's Digest is twenty zero bytes",
        "ok, digest-mismatch",
        _digest("digest-mismatch", "false", "digest-mismatch"),
        ios=BOTH,
    ),
    Fault(
        "digest-of-content",
        "Apple's Digest is that of the content",
        "encrypted: ok, digest-of-content; plain: ok, it is the same",
        _digest("digest-of-content", "content", "digest-of-content"),
        ios=BOTH,
    ),
    Fault(
        "digest-short",
        "Apple's Digest has ten bytes",
        "ok, digest-unchecked",
        _digest("digest-short", "short", "digest-unchecked"),
        ios=BOTH,
    ),
    Fault(
        "empty-missing", "Size 0 and no blob", "missing: nothing shows it was empty", _empty("empty-missing", "missing")
    ),
    Fault(
        "empty-padding",
        "an empty file: one block of padding in an encrypted set",
        "ok-empty",
        _empty("empty-padding", None),
        ios=BOTH,
    ),
    Fault(
        "empty-without-padding",
        "an empty file stored as 0 bytes",
        "ok-empty",
        _empty("empty-without-padding", "emptied"),
        ios=BOTH,
    ),
    Fault(
        "fifo-blob",
        "a named pipe lies where the blob should",
        "not-a-regular-file, at once",
        _damaged("fifo-blob", "fifo", "not-a-regular-file"),
        ios=BOTH,
    ),
    Fault(
        "folder-blob",
        "a folder lies where the blob should",
        "not-a-regular-file",
        _damaged("folder-blob", "folder", "not-a-regular-file"),
        ios=BOTH,
    ),
    Fault(
        "folder-with-blob",
        "the row of a folder has a blob",
        "directory, unexpected-blob",
        _folder_with_blob,
    ),
    Fault(
        "mid-write",
        "whole blocks without padding, and Size says more",
        "unterminated, size-mismatch; all of it is kept",
        _unterminated("mid-write", 4096),
        "encrypted",
        BOTH,
    ),
    Fault("missing-blob", "no blob", "missing", _damaged("missing-blob", "missing", "missing"), ios=BOTH),
    Fault(
        "odd-length",
        "three bytes behind the last block",
        "encrypted: truncated, whole blocks are kept, size-mismatch; plain: ok, size-mismatch",
        _cut("odd-length", "appended"),
        ios=BOTH,
    ),
    Fault("orphan-blob", "a blob without a row", "orphan", _orphan, ios=BOTH),
    Fault("orphan-flat", "a blob without a row, in no shelf", "orphan", _orphan_flat),
    Fault("orphan-misplaced", "a second blob of a row, in another shelf", "ok, and an orphan", _orphan_misplaced),
    Fault("size-absent", "the record has no Size", "ok, missing-size", _sized("size-absent", None)),
    Fault("size-mismatch", "Size is too small", "ok, size-mismatch", _sized("size-mismatch", 10), ios=BOTH),
    Fault("size-too-big", "Size is too big", "ok, size-mismatch", _sized("size-too-big", 1 << 20), ios=BOTH),
    Fault(
        "symlinked-blob",
        "a link to /etc/hosts lies where the blob should",
        "not-a-regular-file, never followed",
        _damaged("symlinked-blob", "symlinked", "not-a-regular-file"),
        ios=BOTH,
    ),
    Fault(
        "truncated",
        "the blob has lost its last five bytes",
        "encrypted: truncated, whole blocks are kept, size-mismatch; plain: ok, size-mismatch",
        _cut("truncated", "truncated"),
        ios=BOTH,
    ),
    Fault(
        "unterminated",
        "whole blocks without padding",
        "unterminated; all of it is kept",
        _unterminated("unterminated", None),
        "encrypted",
        BOTH,
    ),
    Fault(
        "zero-byte",
        "0 bytes are left of a blob",
        "truncated, size-mismatch",
        _damaged("zero-byte", "zero-byte", "truncated", ["size-mismatch"]),
        ios=BOTH,
    ),
)
"""Faults of one blob; they can live together in one sample."""
