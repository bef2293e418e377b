"""From a manifest row and its blob to a line of the inventory: every row gets an outcome, and one read tells all.

What can go wrong with a blob, and what it means, is known from the outcomes seen in real sets: rows without a blob,
blobs that were cut or captured while being written, sets that another tool decrypted in place, stale sizes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bagtag.extract.evidence import Outcome
from bagtag.extract.index.mbfile import BadRecordError, FileMetadata
from bagtag.extract.inventory import InventoryRow, Plain, Stored, describe, encode
from bagtag.extract.manifest import DIRECTORY, FILE, SYMLINK, FileEntry
from bagtag.extract.naming import Place, is_unsafe
from bagtag.extract.reading.aside import Aside
from bagtag.extract.reading.blob import Blob, Blobs, Choose, Reading, Sink
from bagtag.extract.reading.treatment import Choice, Keys, Treatment, choose
from bagtag.extract.stores.store import NotRegularError, RefusedError, UnreadableError

BAG_PREFIX = "data/files/"
"""What stands before a place in `bag_path`, in a bag."""

_SHA1_LENGTH = 20
_WITHOUT_BLOB = {DIRECTORY: Outcome.DIRECTORY, SYMLINK: Outcome.SYMLINK}


@dataclass(slots=True)
class Read:
    """An inventory row and what the pass saw besides: the first 16 bytes of the content, when the blob was modified.

    `modified` are nanoseconds, known where a blob was read. `finished_before`: an earlier run did it.
    """

    row: InventoryRow
    head: bytes = b""
    modified: int | None = None
    encoded: bytes | None = None
    finished_before: bool = False

    @property
    def line(self) -> bytes:
        """The row's line of the inventory."""
        if self.encoded is None:
            self.encoded = encode(self.row)
        return self.encoded


class LargeBlobError(Exception):
    """The blob is longer than the caller wants to wait for; nothing was read."""


class _Chooser:
    """Chooses what to do with the blob of a regular file once its first bytes are known, and remembers it."""

    def __init__(self, keys: Keys, metadata: FileMetadata | None) -> None:
        self._keys = keys
        self._metadata = metadata
        self.chosen = Choice("leave")

    def __call__(self, head: bytes, length: int) -> Treatment:
        self.chosen = choose(self._keys, self._metadata, head, length)
        return self.chosen.treatment


class EntryReader:
    """Reads the rows of one backup. Safe to use from several threads.

    `also` names further digests of the content; `prefix` stands before places in `bag_path`. Blobs of more bytes than
    `longest` are refused.
    """

    def __init__(
        self,
        keys: Keys,
        blobs: Blobs,
        *,
        also: Collection[str] = (),
        prefix: str = BAG_PREFIX,
        longest: int | None = None,
    ) -> None:
        self._keys = keys
        self._blobs = blobs
        self._also = tuple(also)
        self._prefix = prefix
        self._longest = longest

    def read(
        self,
        entry: FileEntry,
        place: Place | None,
        sink: Callable[[FileMetadata | None], Sink] | None = None,
        blob_id: str | None = None,
        aside: Aside | None = None,
    ) -> Read:
        """Read one row. `blob_id` names the blob where the row's own fileID cannot.

        Raises StoppedError, LargeBlobError.
        """
        blob: Blob | None = None
        trouble: Exception | None = None
        try:
            blob = self._blobs.open(blob_id or entry.file_id)
        except (NotRegularError, RefusedError, UnreadableError) as refused:
            # A link in the place of a shelf hides nothing of a row that has no blob.
            if entry.flags == FILE or self._blobs.modified(str(refused)) is not None:
                trouble = refused
        if blob is not None and self._longest is not None and blob.size > self._longest:
            blob.close()
            raise LargeBlobError
        metadata, damaged = self._metadata(entry)
        row = describe(entry, metadata, hashlib.sha256(entry.record).hexdigest() if entry.record is not None else None)
        row.findings += _mismatches(entry, metadata)
        result = Read(row)
        if blob is None:
            row.outcome = Outcome.MISSING if trouble is None else _refused(row, trouble)
        else:
            with blob:
                result.modified = blob.modified or self._blobs.modified(blob.path)
                if entry.flags == FILE:
                    self._take(blob, result, metadata, None if sink is None else sink(metadata), aside)
                else:
                    self._only_hash(blob, row, aside)
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
        self, blob: Blob, result: Read, metadata: FileMetadata | None, sink: Sink | None, aside: Aside | None
    ) -> None:
        """Read the blob of a regular file and write what it gave into the row."""
        row = result.row
        chooser = _Chooser(self._keys, metadata)
        digest = None if metadata is None else metadata.digest
        reading = self._reading(blob, row, chooser, sink, aside, sha1=digest is not None)
        if reading is None:
            return
        if chooser.chosen.finding is not None:
            row.findings.append(chooser.chosen.finding)
        row.outcome = _outcome(chooser.chosen.outcome, reading)
        if reading.plain is not None and reading.plain_size is not None:
            row.plain = Plain(size=reading.plain_size, **reading.plain)
            result.head = reading.head
            if row.outcome is Outcome.UNTERMINATED and chooser.chosen.doubtful:
                row.findings.append("maybe-plain")
            if metadata is not None and metadata.size not in {None, reading.plain_size}:
                row.findings.append("size-mismatch")
        if digest is not None:
            row.findings += _digest_findings(digest, reading, row.outcome)

    def _only_hash(self, blob: Blob, row: InventoryRow, aside: Aside | None) -> None:
        """A blob where none should be: its content is not interpreted."""
        reading = self._reading(blob, row, _leave, None, aside, sha1=False)
        if reading is not None:
            row.outcome = _outcome(Outcome.OK, reading)

    def _reading(
        self, blob: Blob, row: InventoryRow, choosing: Choose, sink: Sink | None, aside: Aside | None, *, sha1: bool
    ) -> Reading | None:
        """Read the blob to its end; None when it breaks off, which the row tells then. Raises StoppedError."""
        try:
            reading = blob.read(choosing, sink, sha1=sha1, also=self._also, aside=aside)
        except OSError:
            row.stored = Stored(path=blob.path, size=blob.size, sha256=None)
            row.outcome = _refused(row, self._blobs.failed(blob.path))
            return None
        self._blobs.succeeded()
        if blob.damage is not None:
            row.findings.append("damaged-member")
        row.stored = Stored(path=blob.path, size=reading.stored_size, sha256=reading.stored_sha256)
        return reading

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


def _leave(_head: bytes, _length: int) -> Treatment:
    return "leave"


def _refused(row: InventoryRow, trouble: Exception) -> Outcome:
    if isinstance(trouble, NotRegularError):
        return Outcome.NOT_A_REGULAR_FILE
    row.findings.append("refused-member" if isinstance(trouble, RefusedError) else "read-error")
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
