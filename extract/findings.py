"""What an inventory row means for the result: issues that say what was lost, what is in part, and what is only odd.

Harmful effects (lost, partial) end a command with exit code 1. A stale size, an orphan, a row that never had a blob by
its own evidence and a blob that another tool decrypted in place take nothing from the evidence: notes, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from bagtag.extract.evidence import Effect, Issue, Outcome, Provenance
from bagtag.extract.inventory import InventoryRow

_OUTCOMES: dict[str, tuple[Effect, str]] = {
    "missing": ("lost", "the index has a row for this file, but the backup holds no blob of it"),
    "truncated": ("partial", "the blob was cut: what could be decrypted is kept"),
    "unterminated": (
        "partial",
        "the blob does not end in valid padding: it was captured while being written, or damaged; all of it is kept",
    ),
    "key-unavailable": ("lost", "the key of this file cannot be had from the key bag: its content stays closed"),
    "not-a-regular-file": ("lost", "where the blob should be lies a link, a folder or a device: it was not read"),
    "other-flags": ("note", "the row is neither a file nor a directory nor a symbolic link"),
    "orphan": ("note", "a blob without a row in the index: old increments and interrupted backups leave them"),
}
_BAD_RECORD = "the row's record cannot be read"
_UNSAFE = "the row's path leads out of the folder or cannot be decoded, or its fileID is no fileID"
_FINDINGS: dict[str, tuple[Effect, str]] = {
    "size-mismatch": ("note", "the content is not as long as the index says: common for databases that were in use"),
    "missing-size": ("note", "the row tells no size"),
    "digest-mismatch": (
        "note",
        "Apple's SHA-1 digest fits neither the stored bytes nor the content; usual in a set decrypted in place",
    ),
    "digest-unchecked": ("note", "Apple's SHA-1 digest could not be checked: the bytes it was made of are not at hand"),
    "path-mismatch": ("note", "the record names another path than the row: damaged or edited"),
    "fileid-mismatch": ("note", "the fileID is not the SHA-1 of domain and path: damaged or edited"),
    "class-mismatch": ("note", "the wrapped key needs another protection class than the record declares"),
    "no-key": ("note", "a file without a key in an encrypted backup: its blob was taken as it is"),
    "unexpected-blob": ("partial", "a row that is no file has a blob: it was hashed, its content not interpreted"),
    "maybe-plain": (
        "note",
        "the blob is as long as the file should be: if it was decrypted in place before, it is the content itself",
    ),
    "read-error": ("lost", "the operating system could not read the blob"),
    "refused-member": ("lost", "the blob lies in the zip or tar, but as a member that cannot be read"),
    "damaged-member": (
        "partial",
        "the zip or tar says that this member is damaged (checksum, size or compressed stream); all that came is kept",
    ),
    "second-reader-refused": ("lost", "iphone-backup-decrypt, which was asked to extract, refused this file"),
    "second-reader-differs": ("partial", "iphone-backup-decrypt, which extracted, reads other content than bagtag"),
    "misplaced": ("note", "the blob of this name lies where no reader would look for it"),
}


def issues_of(row: InventoryRow) -> Iterator[Issue]:
    """The issues of one row, the outcome's first. None for a row that is as it should be, or out of scope."""
    effect, what = _judged(row)
    if what:
        yield _issue(row, effect, what, row.outcome.value)
    for finding in row.findings:
        found = _FINDINGS.get(finding) or (_OUTCOMES.get(finding) if finding != row.outcome else None)
        if found is not None:
            yield _issue(row, *found, finding)


def _judged(row: InventoryRow) -> tuple[Effect, str]:
    regular = row.flags == 1
    if row.outcome is Outcome.BAD_RECORD:
        return ("partial", f"{_BAD_RECORD}; the blob is kept as it is") if row.plain else (
            ("lost", f"{_BAD_RECORD}, so its blob cannot be decrypted") if regular else ("partial", _BAD_RECORD)
        )  # fmt: skip
    if row.outcome is Outcome.UNSAFE_PATH:
        if not regular:
            return "note", _UNSAFE
        return ("note", f"{_UNSAFE}; its content is kept under another name") if row.plain else ("lost", _UNSAFE)
    return _OUTCOMES.get(row.outcome.value, ("note", ""))


def _issue(row: InventoryRow, effect: Effect, what: str, word: str) -> Issue:
    where = Provenance(
        file_id=row.file_id,
        domain=row.domain,
        relative_path=row.relative_path,
        sha256=row.plain.sha256 if row.plain is not None else None,
    )
    return Issue(effect=effect, what=f"{word}: {what}", where=where)
