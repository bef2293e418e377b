"""Backup: the folder that iTunes or Finder made. It is only ever read.

How it is stored is told by structure, never by a version string: is there a ManifestKey, does Manifest.db begin as an
SQLite file, do rows carry keys although their blobs are readable?
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from bagtag.custody.errors import EvidenceError, PassphraseError
from bagtag.extract import keybag
from bagtag.extract.cipher import BLOCK, decryptor, padding_length
from bagtag.extract.device import Device, contradictions, device
from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.keybag import ClassKeys, KeyBag, KeyUnavailableError
from bagtag.extract.manifest import MAGIC, FileEntry, Manifest
from bagtag.extract.mbfile import BadRecordError
from bagtag.extract.plists import Plists
from bagtag.extract.workspace import Workspace

State = Literal["encrypted", "plain", "already-plain"]

FILE_ID = re.compile(r"[0-9a-f]{40}")
_CHUNK = 4 * 1024 * 1024
_SAMPLE = 400
_KNOWN_STARTS = (MAGIC, b"bplist00", b"<?xml", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-", b"PK\x03\x04")


class Backup:
    """An opened backup folder. Use as a context manager.

    `state` is `encrypted` (blobs need keys), `plain`, or `already-plain`: rows carry keys, but another tool decrypted
    the blobs in place. `issues` are contradictions and damage seen while opening.
    """

    def __init__(self, folder: Path, plists: Plists, index: Path, workspace: Workspace) -> None:
        self.folder = folder
        self.plists = plists
        self.index = index
        self.issues: list[Issue] = [*plists.issues, *contradictions(plists)]
        self.device: Device = device(plists)
        self.key_bag: KeyBag | None = None
        self.key_bag_sha256: str | None = None
        self._workspace = workspace
        self._manifest: Manifest | None = None
        self._class_keys: ClassKeys | None = None
        self._key: bytes | None = None
        bag = plists.manifest.values.get("BackupKeyBag")
        if isinstance(bag, bytes):
            self.key_bag = keybag.parse(bag)
            self.key_bag_sha256 = keybag.digest(bag)
        self.index_encrypted = not _starts_as_sqlite(index)
        self.state: State = self._state()

    @classmethod
    def open(cls, path: Path, workspace: Workspace) -> Backup:
        """Open the backup folder `path` (what `bagtag.extract.discover.locate` found).

        Raises EvidenceError when the folder holds no index that this version reads.
        """
        folder = path.resolve()
        plists = Plists.read(folder)
        for place in (folder, folder / "Snapshot"):
            index = place / "Manifest.db"
            if index.is_file() and not index.is_symlink() and index.stat().st_size:
                backup = cls(folder, plists, index, workspace)
                if place != folder:
                    backup.note("Manifest.db was read from Snapshot/: the backup was interrupted", "partial")
                return backup
        raise _no_index(folder)

    @property
    def udid(self) -> str | None:
        """The device's UDID as the property lists tell it."""
        return self.device.udid

    @property
    def locked(self) -> bool:
        """True while something in the set still needs the passphrase."""
        return self.state == "encrypted" and self._class_keys is None

    @property
    def manifest(self) -> Manifest:
        """The index. Raises PassphraseError while it is encrypted and no passphrase was given."""
        if self._manifest is None:
            if self.index_encrypted:
                raise PassphraseError(
                    "this backup is encrypted and its index too: nothing can be listed without the passphrase",
                    hint="give --passphrase-file FILE, set BAGTAG_PASSPHRASE, or answer the question on a terminal",
                )
            self._manifest = Manifest.open(self.index, self._workspace)
        return self._manifest

    @property
    def key(self) -> bytes:
        """The derived key of 32 bytes, as powerful as the passphrase. Raises PassphraseError while locked."""
        if self._key is None:
            raise PassphraseError("the backup is not unlocked", hint="give its passphrase")
        return self._key

    @property
    def double_protection(self) -> bool:
        """Whether the set is encrypted the way iOS 10.2 and later do it: two derivations, and a key for the index."""
        return self.key_bag is not None and self.key_bag.double_protection and self._manifest_key() is not None

    def unlock(
        self, *, passphrase: str | None = None, key: bytes | None = None, started: Callable[[], None] | None = None
    ) -> None:
        """Open the class keys, then the index. `started` is called before the slow derivation.

        Raises PassphraseError for a wrong or missing passphrase, EvidenceError for a key bag that is damaged or gone.
        """
        bag = self.key_bag
        if bag is None:
            raise EvidenceError(
                "the blobs of this backup are encrypted, but Manifest.plist holds no key bag"
                if self.plists.manifest.path
                else "this backup is encrypted, but its Manifest.plist is gone or empty, and the key bag with it",
                hint="without the key bag nothing can be decrypted; look for another copy of Manifest.plist",
            )
        bag.check()
        if key is None:
            if passphrase is None:
                raise PassphraseError(
                    "this backup is encrypted: a passphrase is needed",
                    hint="give --passphrase-file FILE, set BAGTAG_PASSPHRASE, or answer the question on a terminal",
                )
            key = bag.derive(passphrase, started)
        class_keys = bag.unwrap(key)
        if class_keys.damaged:
            self.note(f"{class_keys.damaged} class keys of the key bag are damaged and do not open", "partial")
        if self.index_encrypted:
            self._manifest = Manifest.open(self._decrypt_index(class_keys), self._workspace)
        self._class_keys, self._key = class_keys, key

    def file_key(self, wrapped: bytes) -> bytes:
        """The key of one file from its record's 44 bytes. Raises KeyUnavailableError."""
        if self._class_keys is None:
            raise KeyUnavailableError("the backup is not unlocked")
        return self._class_keys.file_key(wrapped)

    def blob_path(self, file_id: str) -> Path | None:
        """Where the blob of that fileID lies: `xx/fileID`, else flat. None for an unsafe fileID or no such file.

        Whatever lies there is returned, a symbolic link too: the caller opens it without following links.
        """
        if not FILE_ID.fullmatch(file_id):
            return None
        for path in (self.folder / file_id[:2] / file_id, self.folder / file_id):
            try:
                path.lstat()
            except OSError:
                continue
            return path
        return None

    def note(self, what: str, effect: Literal["partial", "note"] = "note") -> None:
        """Add an issue about the backup as a whole."""
        where = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
        self.issues.append(Issue(effect=effect, what=what, where=where))

    def close(self) -> None:
        """Close the index and forget the keys."""
        if self._manifest is not None:
            self._manifest.close()
        self._manifest = self._class_keys = self._key = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _manifest_key(self) -> bytes | None:
        value = self.plists.manifest.values.get("ManifestKey")
        return value if isinstance(value, bytes) else None

    def _state(self) -> State:
        declared = self.plists.manifest.values.get("IsEncrypted")
        if self.index_encrypted:
            if declared is False:
                self.note("Manifest.plist says that the backup is not encrypted, but its index is")
            return "encrypted"
        manifest = self.manifest
        if manifest.has_properties():
            raise EvidenceError(
                "this is an encrypted iOS 10.0 backup: its index holds encrypted records, not read by this version",
                hint="iOS 10.2 and later are read; see docs/limits.md",
            )
        with_key, readable, sealed = self._sampled(manifest)
        if not with_key:
            if declared:
                self.note("Manifest.plist says that the backup is encrypted, but no row of its index carries a key")
                return "already-plain"
            return "plain"
        if sealed > readable:
            if not declared:
                self.note("Manifest.plist does not say that the backup is encrypted, but its blobs are")
            return "encrypted"
        self.note(
            "rows of the index carry keys, but the blobs are readable as they are: the set was decrypted in place"
        )
        return "already-plain"

    def _sampled(self, manifest: Manifest) -> tuple[int, int, int]:
        """Over the first rows with a key: how many there are, and how many blobs look readable or encrypted."""
        with_key = readable = sealed = 0
        for entry in manifest.some(_SAMPLE * 20):
            try:
                metadata = entry.metadata()
            except BadRecordError:
                continue
            if metadata.encryption_key is None:
                continue
            with_key += 1
            verdict = self._looks_plain(entry, metadata.size)
            readable += verdict is True
            sealed += verdict is False
            if readable + sealed >= _SAMPLE:
                break
        return with_key, readable, sealed

    def _looks_plain(self, entry: FileEntry, size: int | None) -> bool | None:
        """True: known start, or exactly Size and no whole blocks. False: Size and its padding. None: cannot tell."""
        path = self.blob_path(entry.file_id)
        if path is None or path.is_symlink() or not path.is_file():
            return None
        length = path.stat().st_size
        with path.open("rb") as blob:
            start = blob.read(32)
        if start.startswith(_KNOWN_STARTS) or (length % BLOCK and length == size):
            return True
        if size is not None and length == (size // BLOCK + 1) * BLOCK:
            return False
        return None

    def _decrypt_index(self, class_keys: ClassKeys) -> Path:
        wrapped = self._manifest_key()
        if wrapped is None:
            raise EvidenceError(
                "the index is encrypted, but Manifest.plist holds no ManifestKey",
                hint="look for another copy of Manifest.plist",
            )
        try:
            key = class_keys.file_key(wrapped)
        except KeyUnavailableError as trouble:
            raise EvidenceError(
                f"the key bag is damaged: the key of the index cannot be opened ({trouble})",
                hint="the passphrase is right; another copy of Manifest.plist is needed",
            ) from trouble
        plain = self._workspace.new("Manifest.plain.db")
        stream, held = decryptor(key), b""
        with self.index.open("rb") as source, plain.open("xb") as sink:
            while chunk := source.read(_CHUNK):
                whole = len(chunk) - len(chunk) % BLOCK
                sink.write(held)
                decrypted = stream.update(chunk[:whole])
                sink.write(decrypted[:-BLOCK])
                held = decrypted[-BLOCK:]
                if whole != len(chunk):
                    self.note(f"Manifest.db ends in {len(chunk) - whole} bytes that are no whole block", "partial")
            padding = padding_length(held)
            sink.write(held[: BLOCK - padding] if padding else held)
        if not padding:
            self.note("the decrypted Manifest.db does not end in padding: it may have been cut", "partial")
        if not _starts_as_sqlite(plain):
            raise EvidenceError(
                "the index is damaged: its key opens, but what comes out is no SQLite database",
                hint="the passphrase is right; look for another copy of Manifest.db",
            )
        return plain


def _starts_as_sqlite(path: Path) -> bool:
    with path.open("rb") as source:
        return source.read(len(MAGIC)) == MAGIC


def _no_index(folder: Path) -> EvidenceError:
    if (folder / "Manifest.mbdb").is_file():
        return EvidenceError(
            "this is a backup of iOS 4–9 (its index is Manifest.mbdb), which this version does not read",
            hint="iOS 10.2 and later are read; see docs/limits.md",
        )
    old = sum(1 for path in islice(folder.glob("*.mdinfo"), 1_000_000) if path.is_file())
    if old:
        return EvidenceError(
            f"this is a backup of iOS 3 or older ({old:,} .mdinfo files), which is not supported",
            hint="see docs/limits.md",
        )
    return EvidenceError(
        f"{folder} holds no index (Manifest.db) that could be read",
        hint="give the folder that holds Manifest.plist and Manifest.db; `bagtag backups PATH` looks for backups",
    )
