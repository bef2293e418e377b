"""From a manifest row and its blob to a line of the inventory: every row gets an outcome, and one read tells all.

What can go wrong with a blob, and what it means, is known from the outcomes seen in real sets: rows without a blob,
blobs that were cut or captured while being written, sets that another tool decrypted in place, stale sizes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bagtag.extract.backup import Backup
from bagtag.extract.blob import Blob, Blobs, Reading, Sink
from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow, Plain, Stored, describe
from bagtag.extract.manifest import DIRECTORY, FILE, SYMLINK, FileEntry
from bagtag.extract.mbfile import BadRecordError, FileMetadata
from bagtag.extract.naming import Place, is_unsafe
from bagtag.extract.stores.store import NotRegularError, UnreadableError
from bagtag.extract.treatment import Choice, Treatment, choose

BAG_PREFIX = "data/files/"
"""What stands before a place in `bag_path`, in a bag."""

_SHA1_LENGTH = 20
_WITHOUT_BLOB = {DIRECTORY: Outcome.DIRECTORY, SYMLINK: Outcome.SYMLINK}


@dataclass(slots=True)
class Read:
    """An inventory row and what the pass saw besides: the first 16 bytes of the content."""

    row: InventoryRow
    head: bytes = b""


class _Chooser:
    """Chooses what to do with the blob of a regular file once its first bytes are known, and remembers it."""

    def __init__(self, backup: Backup, metadata: FileMetadata | None) -> None:
        self._backup = backup
        self._metadata = metadata
        self.chosen = Choice("leave")

    def __call__(self, head: bytes, length: int) -> Treatment:
        self.chosen = choose(self._backup, self._metadata, head, length)
        return self.chosen.treatment


class EntryReader:
    """Reads the rows of one backup. Safe to use from several threads.

    `also` names further digests of the content; `prefix` stands before places in `bag_path`.
    """

    def __init__(self, backup: Backup, blobs: Blobs, *, also: Collection[str] = (), prefix: str = BAG_PREFIX) -> None:
        self._backup = backup
        self._blobs = blobs
        self._also = tuple(also)
        self._prefix = prefix

    def read(
        self,
        entry: FileEntry,
        place: Place | None,
        sink: Callable[[FileMetadata | None], Sink] | None = None,
        blob_id: str | None = None,
    ) -> Read:
        """Read one row. `blob_id` names the blob where the row's own fileID cannot. Raises StoppedError."""
        metadata, damaged = self._metadata(entry)
        row = describe(entry, metadata, hashlib.sha256(entry.record).hexdigest() if entry.record is not None else None)
        row.findings += _mismatches(entry, metadata)
        result = Read(row)
        regular = entry.flags == FILE
        try:
            blob = self._blobs.open(blob_id or entry.file_id)
        except (NotRegularError, UnreadableError) as trouble:
            row.outcome = _refused(row, trouble)
        else:
            if blob is None:
                row.outcome = Outcome.MISSING
            else:
                with blob:
                    self._take(blob, row, result, metadata, sink if regular else None, regular=regular)
        self._settle(entry, row, place, damaged=damaged)
        return result

    def _metadata(self, entry: FileEntry) -> tuple[FileMetadata | None, bool]:
        """The decoded record, and whether a row that should have one has none."""
        if entry.record is None and entry.flags not in {FILE, DIRECTORY, SYMLINK}:
            return None, False
        try:
            return entry.metadata(), False
        except BadRecordError:
            return None, True

    def _take(
        self,
        blob: Blob,
        row: InventoryRow,
        result: Read,
        metadata: FileMetadata | None,
        sink: Callable[[FileMetadata | None], Sink] | None,
        *,
        regular: bool,
    ) -> None:
        """Read the blob and write what it gave into the row."""
        chooser = _Chooser(self._backup, metadata)
        digest = metadata.digest if metadata is not None and regular else None
        try:
            reading = blob.read(
                chooser if regular else _only_hash,
                sink(metadata) if sink is not None else None,
                sha1=digest is not None,
                also=self._also,
            )
        except OSError:
            row.stored = Stored(path=blob.path, size=blob.size, sha256=None)
            row.outcome = _refused(row, self._blobs.failed(blob.path))
            return
        self._blobs.succeeded()
        row.stored = Stored(path=blob.path, size=reading.stored_size, sha256=reading.stored_sha256)
        if chooser.chosen.finding is not None:
            row.findings.append(chooser.chosen.finding)
        row.outcome = _outcome(chooser.chosen.outcome, reading)
        if reading.plain is not None and reading.plain_size is not None:
            row.plain = Plain(size=reading.plain_size, **reading.plain)
            result.head = reading.head
            if metadata is not None and metadata.size not in {None, reading.plain_size}:
                row.findings.append("size-mismatch")
        if digest is not None:
            row.findings += _digest_findings(digest, reading, row.outcome)

    def _settle(self, entry: FileEntry, row: InventoryRow, place: Place | None, *, damaged: bool) -> None:
        """Which of several truths is the outcome: the name's danger, the record's damage, then the blob's."""
        found, regular = row.outcome, entry.flags == FILE
        if entry.flags not in {FILE, DIRECTORY, SYMLINK}:
            row.outcome = Outcome.OTHER_FLAGS
        elif place.unsafe if place is not None else is_unsafe(entry):
            row.outcome = Outcome.UNSAFE_PATH
            if damaged:
                row.findings.append(Outcome.BAD_RECORD.value)
        elif damaged:
            row.outcome = Outcome.BAD_RECORD
        elif not regular:
            row.outcome = _WITHOUT_BLOB[entry.flags or 0]
        if not regular:
            if row.stored is not None or found is Outcome.NOT_A_REGULAR_FILE:
                row.findings.append("unexpected-blob")
        elif row.outcome is not found and found not in {Outcome.OK, Outcome.OK_EMPTY}:
            row.findings.append(found.value)
        if row.plain is not None and place is not None:
            row.bag_path = self._prefix + place.path
            row.name_changed = place.renamed


def _only_hash(_head: bytes, _length: int) -> Treatment:
    return "leave"


def _refused(row: InventoryRow, trouble: Exception) -> Outcome:
    if isinstance(trouble, NotRegularError):
        return Outcome.NOT_A_REGULAR_FILE
    row.findings.append("read-error")
    return Outcome.MISSING


def _outcome(chosen: Outcome, reading: Reading) -> Outcome:
    if chosen is not Outcome.OK:
        return chosen
    if reading.ending != "whole":
        return Outcome(reading.ending)
    return Outcome.OK_EMPTY if reading.plain_size == 0 else Outcome.OK


def _mismatches(entry: FileEntry, metadata: FileMetadata | None) -> list[str]:
    """Where the row contradicts itself: signs of editing or damage, or of a size that the device did not know."""
    findings = []
    if entry.expected_file_id not in {None, entry.file_id}:
        findings.append("fileid-mismatch")
    if metadata is None:
        return findings
    if metadata.relative_path is not None and metadata.relative_path != entry.relative_path:
        findings.append("path-mismatch")
    if entry.flags == FILE and metadata.size is None:
        findings.append("missing-size")
    wrapped, declared = metadata.encryption_key, metadata.protection_class
    # The wrapped key begins with the class it needs, little-endian: that one counts, not the declared one.
    if wrapped is not None and declared is not None and int.from_bytes(wrapped[:4], "little") != declared:
        findings.append("class-mismatch")
    return findings


def _digest_findings(digest: bytes, reading: Reading, outcome: Outcome) -> list[str]:
    """Apple's Digest is SHA-1 over the bytes as sent to the host; over the content where only that fits."""
    expected = digest.hex()
    if reading.stored_sha1 == expected:
        return []
    if reading.plain_sha1 == expected:
        return ["digest-of-content"]
    # Of a blob that stays closed the content is not at hand. In a set decrypted in place the stored bytes are not those
    # that the device digested, so a mismatch is what one expects there; it is told all the same.
    unchecked = len(digest) != _SHA1_LENGTH or outcome is Outcome.KEY_UNAVAILABLE
    return ["digest-unchecked" if unchecked else "digest-mismatch"]
