"""Backup: what iTunes or Finder made, wherever it lies. It is only ever read.

How it is stored is told by structure, never by a version string: which index there is, whether it begins as an SQLite
file, is there a ManifestKey, do rows carry keys although their blobs are readable?
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from bagtag.custody.errors import EvidenceError, PassphraseError, UsageError
from bagtag.custody.progress import Progress
from bagtag.extract import discover, keybag
from bagtag.extract.device import Device, contradictions, device
from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.index import opening as index
from bagtag.extract.index.mbfile import BadRecordError
from bagtag.extract.index.opening import Index
from bagtag.extract.index.protected_column import ProtectedReader, Protection, is_plain
from bagtag.extract.keybag import ClassKeys, KeyBag, KeyUnavailableError
from bagtag.extract.manifest import MAGIC, FileEntry, Manifest
from bagtag.extract.plists import Plists
from bagtag.extract.reading.cipher import BLOCK
from bagtag.extract.reading.content import blob_path, content
from bagtag.extract.reading.set_keys import State
from bagtag.extract.selection import Selection
from bagtag.extract.stores.store import Store, shown, start
from bagtag.extract.workspace import Workspace

_SAMPLE = 400
_KNOWN_STARTS = (MAGIC, b"bplist00", b"<?xml", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-", b"PK\x03\x04")
_NEEDED = "give --passphrase-file FILE, set BAGTAG_PASSPHRASE, or answer the question on a terminal"


class Backup:
    """An opened backup. Use as a context manager.

    `state` is `encrypted` (blobs need keys), `plain`, or `already-plain`: rows carry keys, but another tool decrypted
    the blobs in place. `class_keys` are there once it is unlocked, `protection` when the index keeps its records
    encrypted (iOS 10.0). `issues` are contradictions and damage seen while opening.
    """

    def __init__(self, store: Store, workspace: Workspace) -> None:
        """Read what a locked backup tells. Raises EvidenceError when there is no index that can be read."""
        self.store = store
        self.plists = Plists.read(store)
        self.issues: list[Issue] = [*store.issues, *self.plists.issues, *contradictions(self.plists)]
        self.device: Device = device(self.plists)
        self.index: Index = index.find(store, self.note)
        self.key_bag: KeyBag | None = None
        self.key_bag_sha256: str | None = None
        self.protection: Protection | None = None
        self._workspace = workspace
        self._own_workspace: Workspace | None = None
        self._closed = False
        self._manifest: Manifest | None = None
        self.class_keys: ClassKeys | None = None
        self._key: bytes | None = None
        bag = self.plists.manifest.values.get("BackupKeyBag")
        if isinstance(bag, bytes):
            self.key_bag = keybag.parse(bag)
            self.key_bag_sha256 = keybag.digest(bag)
        self.state: State = self._state()

    @classmethod
    def open(cls, path: Path | str, workspace: Workspace | None = None) -> Backup:
        """Open the backup that `path` means: its folder, a folder at most two levels above, a zip or tar of one.

        Working copies go to `workspace`, or to a private folder of the backup's own that `close` removes. Raises
        EvidenceError when there is no backup that can be read, UsageError when there are several.
        """
        own = Workspace.temporary() if workspace is None else None
        place = workspace or own
        assert place is not None
        store: Store | None = None
        try:
            store = discover.locate(Path(path), place)
            backup = cls(store, place)
        except BaseException:
            if store is not None:
                store.close()
            if own is not None:
                own.close()
            raise
        backup._own_workspace = own
        return backup

    @property
    def location(self) -> str:
        """Where the backup lies, in words for people."""
        return shown(self.store)

    @property
    def index_encrypted(self) -> bool:
        """Whether nothing can be listed before the backup is unlocked."""
        return self.index.encrypted

    @property
    def needs_passphrase_itself(self) -> bool:
        """True for iOS 10.0: its records are encrypted with the passphrase, so the derived key alone does not do."""
        return self.protection is not None

    @property
    def backup_at(self) -> str | None:
        """When the backup was made, as its property lists tell it."""
        return self.device.backup_at

    @property
    def udid(self) -> str | None:
        """The device's UDID as the property lists tell it."""
        return self.device.udid

    @property
    def locked(self) -> bool:
        """True while something in the set still needs the passphrase."""
        return self.state == "encrypted" and self.class_keys is None

    @property
    def manifest(self) -> Manifest:
        """The index. Raises PassphraseError while it is encrypted and was not unlocked, UsageError once closed."""
        if self._closed:
            raise UsageError("the backup is closed", hint="read it before its `with` block ends")
        if self._manifest is None:
            if self.index_encrypted:
                raise PassphraseError(
                    "this backup is encrypted and its index too: nothing can be listed without the passphrase",
                    hint=_NEEDED,
                )
            self._keep(index.opened(self.store, self.index, self._workspace, self.note))
        assert self._manifest is not None
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
        self, *, passphrase: str | None = None, key: bytes | None = None, progress: Progress | None = None
    ) -> None:
        """Open the class keys, then the index. `key` is the derived key of 32 bytes. `progress` hears the derivation.

        Raises PassphraseError for a wrong or missing passphrase, EvidenceError for a key bag that is damaged or gone.
        """
        bag = self._usable_key_bag()
        if key is None and passphrase is None:
            raise PassphraseError("this backup is encrypted: a passphrase is needed", hint=_NEEDED)
        reader = self._record_reader(passphrase)
        if key is None:
            assert passphrase is not None
            key = bag.derive(passphrase, progress)
        class_keys = bag.unwrap(key)
        if class_keys.damaged:
            self.note(f"{class_keys.damaged} class keys of the key bag are damaged and do not open", "partial")
        if self.index.encrypted:
            wrapped = self._index_key(class_keys)
            self._keep(index.decrypted(self.store, self.index, wrapped, self._workspace, self.note))
            self.manifest.count()  # what is damaged is told before anything is listed
        elif reader is not None:
            self.manifest.reader = reader
        self.class_keys, self._key = class_keys, key

    def files(self, selection: Selection | None = None) -> Iterator[FileEntry]:
        """The rows of the index, sorted bytewise by domain and path. Raises as `manifest`."""
        return self.manifest.entries(selection)

    def resolve(self, domain: str, relative_path: str) -> FileEntry | None:
        """The row of exactly that file, by its fileID; None when there is none. Raises as `manifest`."""
        return self.manifest.resolve(domain, relative_path)

    def content(self, entry: FileEntry) -> BinaryIO:
        """The readable content of a file; see `FileEntry.open`."""
        return content(self, entry)

    def file_key(self, wrapped: bytes) -> bytes:
        """The key of one file from its record's 44 bytes. Raises KeyUnavailableError."""
        if self.class_keys is None:
            raise KeyUnavailableError("the backup is not unlocked")
        return self.class_keys.file_key(wrapped)

    def blob_path(self, file_id: str) -> str | None:
        """Where the blob of that fileID lies. None for an unsafe fileID or no such file."""
        return blob_path(self.store, file_id)

    def note(self, what: str, effect: Literal["partial", "note"] = "note") -> None:
        """Add an issue about the backup as a whole."""
        where = Provenance(file_id=None, domain=None, relative_path=None, sha256=None)
        self.issues.append(Issue(effect=effect, what=what, where=where))

    def close(self) -> None:
        """Close the index and the place where the backup lies, and forget the keys."""
        if self._manifest is not None:
            self._manifest.close()
        self._manifest = self.class_keys = self._key = None
        self._closed = True
        self.store.close()
        if self._own_workspace is not None:
            self._own_workspace.close()
            self._own_workspace = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _manifest_key(self) -> bytes | None:
        value = self.plists.manifest.values.get("ManifestKey")
        return value if isinstance(value, bytes) else None

    def _keep(self, manifest: Manifest) -> None:
        manifest.behind = self
        self._manifest = manifest

    def _usable_key_bag(self) -> KeyBag:
        """The key bag that a passphrase can be tried on. Raises EvidenceError."""
        if self.key_bag is None:
            raise EvidenceError(
                "the blobs of this backup are encrypted, but Manifest.plist holds no key bag"
                if self.plists.manifest.path
                else "this backup is encrypted, but its Manifest.plist is gone or empty, and the key bag with it",
                hint="without the key bag nothing can be decrypted; look for another copy of Manifest.plist",
            )
        if self.index.encrypted and self._manifest_key() is None:
            raise EvidenceError(
                "Manifest.db is no SQLite database, and Manifest.plist holds no ManifestKey that would open it",
                hint="one of the two is damaged or was replaced; look for another copy of the backup",
            )
        self.key_bag.check()
        return self.key_bag

    def _record_reader(self, passphrase: str | None) -> ProtectedReader | None:
        """What decodes the records of an iOS 10.0 index. Raises PassphraseError."""
        if self.protection is None:
            return None
        if passphrase is None:
            raise PassphraseError(
                "the records of an iOS 10.0 index are encrypted with the passphrase itself, not with the derived key",
                hint="give the passphrase instead of --key-file",
            )
        secret = passphrase.encode("utf-8", "surrogateescape")
        if not self.protection.opens(secret):
            raise PassphraseError(
                "wrong passphrase: the index keeps a hash of the right one, and this is another",
                hint="upper and lower case and the keyboard layout count",
            )
        return ProtectedReader(self.protection.key(secret))

    def _state(self) -> State:
        declared = self.plists.manifest.values.get("IsEncrypted")
        if self.index.encrypted:
            if declared is False:
                self.note("Manifest.plist says that the backup is not encrypted, but its index is")
            return "encrypted"
        manifest = self.manifest
        if self._manifest_key() is not None:
            self.note(
                f"Manifest.plist holds a key for {self.index.path}, which is not encrypted: it was decrypted in place"
            )
        self.protection = Protection.told_by(manifest.properties())
        if self.protection is not None and all(is_plain(entry.record) for entry in manifest.some(_SAMPLE)):
            self.note("the index speaks of a passphrase for its records (iOS 10.0), but they are not encrypted")
            self.protection = None
        if self.protection is not None:
            if declared is False:
                self.note("Manifest.plist says that the backup is not encrypted, but the records of its index are")
            manifest.reader = ProtectedReader()
            return "encrypted"
        with_key, readable, sealed = self._sampled(manifest)
        if not with_key:
            if declared:
                self.note("Manifest.plist says that the backup is encrypted, but no row of its index carries a key")
                return "already-plain"
            return "plain"
        if sealed >= readable:
            if not declared:
                what = "its blobs are" if sealed else "rows of its index carry keys"
                self.note(f"Manifest.plist does not say that the backup is encrypted, but {what}")
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
        status = None if path is None else self.store.status(path)
        if path is None or status is None or not stat.S_ISREG(status.kind):
            return None
        length = status.size
        if start(self.store, path, 2 * BLOCK).startswith(_KNOWN_STARTS) or (length % BLOCK and length == size):
            return True
        if size is not None and length == (size // BLOCK + 1) * BLOCK:
            return False
        return None

    def _index_key(self, class_keys: ClassKeys) -> bytes:
        wrapped = self._manifest_key()
        assert wrapped is not None
        try:
            return class_keys.file_key(wrapped)
        except KeyUnavailableError as trouble:
            raise EvidenceError(
                f"the key bag is damaged: the key of the index cannot be opened ({trouble})",
                hint="the passphrase is right; another copy of Manifest.plist is needed",
            ) from trouble
