"""BackupKeyBag: the keys of an encrypted backup, wrapped with what is derived from its passphrase.

A sequence of records, 4 ASCII bytes of tag, u32 big-endian length, value; no outer header and no terminator. The bag's
own records come first, up to the second UUID; from there each UUID begins one protection class. Since iOS 10.2 the
passphrase goes through PBKDF2-HMAC-SHA256 (DPSL, DPIC rounds) before PBKDF2-HMAC-SHA1 (SALT, ITER rounds). Class keys
are RFC 3394 wraps; WRAP bit 1 means that the device's own key was put on as well: such a class key is of no use here.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from construct import Bytes, ConstructError, Int32ub, Struct, this
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from bagtag.custody.errors import EvidenceError, PassphraseError
from bagtag.custody.progress import Progress
from bagtag.extract.keys import derivation
from bagtag.extract.keys.derivation import Stage

MOST_ITERATIONS = 1_000_000
MOST_DOUBLE_PROTECTION_ITERATIONS = 50_000_000
WRAPPED_KEY_LENGTH = 40
SALT_LENGTH = 20
BY_PASSPHRASE = 2
"""The bit of WRAP that says: wrapped by what is derived from the passphrase."""

# A device writes 1,388 bytes in some 65 records.
_LONGEST_BAG = 1024 * 1024
_MOST_RECORDS = 4096
_RECORD_HEAD = 8
_RECORD = Struct("tag" / Bytes(4), "length" / Int32ub, "value" / Bytes(this.length))
_OF_THE_BAG = (b"VERS", b"TYPE", b"HMCK", b"SALT", b"ITER", b"DPWT", b"DPIC", b"DPSL")
_KNOWN = frozenset({*_OF_THE_BAG, b"UUID", b"CLAS", b"WRAP", b"KTYP", b"WPKY", b"PBKY"})

_BY_DEVICE = 1


class KeyUnavailableError(Exception):
    """The class key for a file is not in the bag, is damaged, or needs the device."""


@dataclass(frozen=True, slots=True)
class ClassKey:
    """One protection class. `wrap`: 1 wrapped by the device's key, 2 by the passphrase's, 3 by both."""

    number: int
    wrap: int
    key_type: int | None
    uuid: str
    wrapped: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyBag:
    """The parsed bag. `tail` holds bytes at the end that are no whole record: the bag was cut or damaged there.

    `faults` are sentences about it that are true of no bag a device wrote: it contradicts itself or is far too large.
    """

    version: int | None
    kind: int | None
    uuid: str | None
    salt: bytes
    iterations: int
    double_protection_salt: bytes | None
    double_protection_iterations: int | None
    classes: tuple[ClassKey, ...]
    unknown: tuple[tuple[str, str], ...]
    tail: bytes
    size: int
    faults: tuple[str, ...] = ()

    @property
    def double_protection(self) -> bool:
        """Whether the passphrase goes through two rounds of derivation (iOS 10.2 and later)."""
        return self.double_protection_salt is not None and self.double_protection_iterations is not None

    def derive(self, passphrase: str, progress: Progress | None = None) -> bytes:
        """The 32-byte key-encrypting key. Takes seconds with Apple's 10,000,000 rounds.

        With `progress` the caller can be interrupted meanwhile, and hears of it as a step when it takes a second or
        more. Raises EvidenceError where `check` does.
        """
        self.check()
        secret = passphrase.encode("utf-8", "surrogateescape")
        if progress is None:
            return self.stretch(secret)
        return derivation.derive_watched(self._stages(), secret, progress)

    def stretch(self, secret: bytes) -> bytes:
        """`derive` for the bytes of a passphrase, of a bag that was checked before: for trying many."""
        return derivation.derive(self._stages(), secret)

    def check(self) -> None:
        """Raise EvidenceError when no key can be derived with this bag, or only after an absurd number of rounds."""
        fault = next(self._faults(), None)
        if fault is not None:
            raise EvidenceError(
                f"the key bag in Manifest.plist is damaged: {fault}",
                hint="another copy of Manifest.plist is needed: nobody knows which keys a damaged one lacks",
            )
        counts = [("ITER", self.iterations, MOST_ITERATIONS)]
        if self.double_protection_iterations is not None:
            counts.append(("DPIC", self.double_protection_iterations, MOST_DOUBLE_PROTECTION_ITERATIONS))
        for tag, count, most in counts:
            if not 0 < count <= most:
                raise EvidenceError(
                    f"the key bag asks for {count:,} rounds of key derivation ({tag}); no device writes that",
                    hint="the key bag in Manifest.plist is damaged or was altered; another copy of it is needed",
                )

    def unwrap(self, key: bytes) -> ClassKeys:
        """Unwrap every class key with the derived key.

        Raises PassphraseError when none opens (a wrong passphrase), EvidenceError when none can be tried.
        """
        opened: dict[int, bytes] = {}
        closed: dict[int, str] = {}
        refused = 0
        for item in self.classes:
            if item.wrapped is None or not item.wrap & BY_PASSPHRASE:
                closed[item.number] = "it is not wrapped by the passphrase"
            elif len(item.wrapped) != WRAPPED_KEY_LENGTH:
                closed[item.number] = f"its wrapped key is {len(item.wrapped)} bytes long instead of 40"
            else:
                try:
                    opened[item.number] = aes_key_unwrap(key, item.wrapped)
                except InvalidUnwrap:
                    refused += 1
                    closed[item.number] = "its wrapped key is damaged"
        if not opened and refused:
            raise PassphraseError(
                "wrong passphrase: the key bag can be read, but none of its class keys opens with it",
                hint="this is the backup's own passphrase (Finder, iTunes), neither the device code nor the Apple "
                "Account's; upper and lower case and the keyboard layout count",
            )
        if not opened:
            raise EvidenceError(
                "the key bag in Manifest.plist is damaged: no class key can be tried",
                hint="without it no passphrase opens this backup; another copy of Manifest.plist is needed",
            )
        for item in self.classes:
            if item.wrap & _BY_DEVICE and item.number in opened:
                # Opens with the passphrase, but what comes out is still wrapped by the device's key 0x835.
                del opened[item.number]
                closed[item.number] = "it is also wrapped by a key that never leaves the device"
        return ClassKeys(opened, closed, damaged=refused)

    def _faults(self) -> Iterator[str]:
        yield from self.faults
        if not self.salt or not any(key.wrapped for key in self.classes):
            yield "it holds no class keys" if self.salt else "it holds no salt"
        if self.tail:
            yield f"it is cut, {len(self.tail):,} bytes at its end are no record"
        for tag, salt in (("SALT", self.salt), ("DPSL", self.double_protection_salt)):
            if salt is not None and len(salt) != SALT_LENGTH:
                yield f"its {tag} is {len(salt):,} bytes long instead of {SALT_LENGTH}"
        if (self.double_protection_salt is None) != (self.double_protection_iterations is None):
            yield "of DPSL and DPIC it holds one without the other"

    def _stages(self) -> tuple[Stage, ...]:
        last = Stage(hashes.SHA1(), self.salt, self.iterations)  # noqa: S303 - Apple's format
        if self.double_protection_salt is None or self.double_protection_iterations is None:
            return (last,)
        return Stage(hashes.SHA256(), self.double_protection_salt, self.double_protection_iterations), last


class ClassKeys:
    """The class keys that opened. Never printed: `repr` shows the class numbers alone."""

    def __init__(self, opened: dict[int, bytes], closed: dict[int, str], damaged: int) -> None:
        self._opened = opened
        self.closed = closed
        self.damaged = damaged

    def __repr__(self) -> str:
        return f"ClassKeys(open={sorted(self._opened)}, closed={sorted(self.closed)})"

    def file_key(self, wrapped: bytes) -> bytes:
        """The key of one file from its 44 bytes: u32 little-endian class, 40-byte wrap. Raises KeyUnavailableError."""
        if len(wrapped) != 4 + WRAPPED_KEY_LENGTH:
            raise KeyUnavailableError(f"the wrapped key is {len(wrapped)} bytes long instead of 44")
        number = int.from_bytes(wrapped[:4], "little")
        key = self._opened.get(number)
        if key is None:
            raise KeyUnavailableError(f"class {number}: {self.closed.get(number, 'the key bag has no such class')}")
        try:
            return aes_key_unwrap(key, wrapped[4:])
        except InvalidUnwrap as trouble:
            raise KeyUnavailableError(f"class {number}: the wrapped key of the file is damaged") from trouble


def parse(data: bytes) -> KeyBag:
    """Read a bag. Whatever is there is kept: unknown tags in `unknown`, a broken end in `tail`.

    Of a bag that is absurdly large the beginning is read. Raises nothing: what cannot be used, `check` refuses.
    """
    head: dict[bytes, bytes] = {}
    groups: list[dict[bytes, bytes]] = []
    unknown: list[tuple[str, str]] = []
    values: set[tuple[str, bytes]] = set()
    faults = [] if len(data) <= _LONGEST_BAG else [f"it is {len(data):,} bytes long"]
    position = records = 0
    read = data[:_LONGEST_BAG]
    stream = io.BytesIO(read)
    while position + _RECORD_HEAD <= len(read):
        if records == _MOST_RECORDS:
            faults.append(f"it holds more than {_MOST_RECORDS:,} records")
            break
        try:
            record = _RECORD.parse_stream(stream)
        except ConstructError:
            break
        records += 1
        position += _RECORD_HEAD + record.length
        tag, value = record.tag, record.value
        if tag == b"UUID" and b"UUID" in head:
            groups.append({tag: value})
            continue
        place, group = (f" of class record {len(groups)}", groups[-1]) if groups else ("", head)
        group.setdefault(tag, value)
        if tag in _OF_THE_BAG:
            values.add((tag.decode(), value))
        elif tag in _KNOWN:
            values.add((tag.decode() + place, value))
        else:
            unknown.append((tag.decode("latin-1"), value.hex()))
    classes = tuple(_class_key(group) for group in groups if _number(group, b"CLAS") is not None)
    values |= {
        (f"the key of class {key.number}", bytes([key.wrap & 3]) + key.wrapped) for key in classes if key.wrapped
    }
    faults += [f"it holds {count:,} different values of {name}" for name, count in _repeated(values)]
    return KeyBag(
        version=_number(head, b"VERS"),
        kind=_number(head, b"TYPE"),
        uuid=head.get(b"UUID", b"").hex() or None,
        salt=head.get(b"SALT", b""),
        iterations=_number(head, b"ITER") or 0,
        double_protection_salt=head.get(b"DPSL"),
        double_protection_iterations=_number(head, b"DPIC"),
        classes=classes,
        unknown=tuple(unknown),
        tail=read[position:],
        size=len(data),
        faults=tuple(faults),
    )


def digest(data: bytes) -> str:
    """SHA-256 of a bag: names it in logs without giving anything away."""
    return hashlib.sha256(data).hexdigest()


def _class_key(group: dict[bytes, bytes]) -> ClassKey:
    return ClassKey(
        number=_number(group, b"CLAS") or 0,
        wrap=_number(group, b"WRAP") or 0,
        key_type=_number(group, b"KTYP"),
        uuid=group.get(b"UUID", b"").hex(),
        wrapped=group.get(b"WPKY"),
    )


def _number(records: dict[bytes, bytes], tag: bytes) -> int | None:
    value = records.get(tag)
    return int.from_bytes(value, "big") if value is not None and len(value) == 4 else None


def _repeated(values: set[tuple[str, bytes]]) -> list[tuple[str, int]]:
    return sorted((name, count) for name, count in Counter(name for name, _ in values).items() if count > 1)
