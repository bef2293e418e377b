"""Faults of one row of the index: records that cannot be decoded, that lie, or that are written in an unusual way.

Known from edited and damaged sets, from early iOS 10 and from attacks on property list readers.
"""

from __future__ import annotations

from collections.abc import Callable

from bagtag.sample_backups.entry import OTHER, Entry
from bagtag.sample_backups.faults import record_edits
from bagtag.sample_backups.faults.fault import BOTH, DOMAIN, Fault, document, other_id, text
from bagtag.sample_backups.plan import Plan

Apply = Callable[[Plan], None]
UNKNOWN_CLASS, DEVICE_CLASS = 12, 11


def _bad(name: str, record: bytes | str) -> Apply:
    def apply(plan: Plan) -> None:
        entry = document(name)
        entry.record, entry.outcome = record, "bad-record"
        plan.entries.append(entry)

    return apply


def _rewritten(name: str, rewrite: Callable[[bytes], bytes], outcome: str | None = None) -> Apply:
    def apply(plan: Plan) -> None:
        entry = document(name)
        entry.rewrite, entry.outcome = rewrite, outcome
        plan.entries.append(entry)

    return apply


def _closed(name: str, rewrap: Callable[[bytes], bytes] | None = None, protection_class: int = 3) -> Apply:
    def apply(plan: Plan) -> None:
        entry = document(name)
        entry.rewrap, entry.protection_class, entry.outcome = rewrap, protection_class, "key-unavailable"
        plan.entries.append(entry)

    return apply


def _class_mismatch(plan: Plan) -> None:
    entry = document("class-mismatch")
    entry.key_class, entry.findings = 1, ["class-mismatch"]
    plan.entries.append(entry)


def _without_key(plan: Plan) -> None:
    entry = document("without-key")
    entry.keyless, entry.findings = True, ["no-key"]
    plan.entries.append(entry)


def _path_mismatch(plan: Plan) -> None:
    entry = document("path-mismatch")
    entry.recorded_path, entry.findings = "Documents/another name.txt", ["path-mismatch"]
    plan.entries.append(entry)


def _nameless(plan: Plan) -> None:
    """In an mbdb the fileID follows from the path; without one it is that of the domain's root."""
    entry = Entry("AppDomain-com.example.nameless", "", content=text("null-path"), nameless=True)
    entry.outcome, entry.renamed = "unsafe-path", True
    plan.entries.append(entry)


def _null_domain(plan: Plan) -> None:
    """In an mbdb the fileID follows from what is left: the SHA-1 of a hyphen and the path."""
    entry = document("null-domain")
    entry.outcome, entry.renamed, entry.domainless = "unsafe-path", True, True
    if plan.era.container == "mbdb":
        entry.domain = ""
    plan.entries.append(entry)


def _digest_object(plan: Plan) -> None:
    name = "digest-object"
    entry = Entry("HomeDomain", f"Library/Faults/{name}.txt", content=text(name), rewrite=record_edits.digest_object)
    plan.entries.append(entry)


def _other_flags(plan: Plan) -> None:
    plan.entries.append(Entry(DOMAIN, "Documents/other", OTHER, given_id=other_id("other"), outcome="other-flags"))


def _unknown_flags(plan: Plan) -> None:
    plan.entries.append(Entry(DOMAIN, "Documents/unknown-flags", 10, outcome="other-flags"))


def _odd_times(plan: Plan) -> None:
    entry = document("odd-times")
    entry.modified, entry.changed, entry.created = -1, 1 << 40, 0
    plan.entries.append(entry)


def _odd_numbers(plan: Plan) -> None:
    entry = document("odd-numbers")
    entry.uid, entry.gid, entry.inode = -2, 4294967294, 1 << 40
    plan.entries.append(entry)


def _huge_size(plan: Plan) -> None:
    entry = document("huge-size")
    entry.recorded_size, entry.findings = 1 << 50, ["size-mismatch"]
    plan.entries.append(entry)


def _negative_size(plan: Plan) -> None:
    entry = document("negative-size")
    entry.recorded_size, entry.findings = -1, ["size-mismatch"]
    plan.entries.append(entry)


def _huge_xattrs(plan: Plan) -> None:
    entry = document("huge-xattrs")
    entry.xattrs = {"com.example.huge": b"\xfe" * 300_000}
    plan.entries.append(entry)


def _odd_xattrs(plan: Plan) -> None:
    entry = document("odd-xattrs")
    entry.raw_xattrs = b"\x00\xffno property list"
    plan.entries.append(entry)


def _binary_property(plan: Plan) -> None:
    entry = document("binary-property")
    entry.xattrs = {"com.example.binary": b"\xb1\x00\xff", "com.example.empty": b""}
    plan.entries.append(entry)


def _blob_domain(plan: Plan) -> None:
    entry = document("blob-domain")
    entry.statements = [f"UPDATE Files SET domain = CAST(domain AS BLOB) WHERE fileID = '{entry.file_id}'"]
    plan.entries.append(entry)


def _not_unicode(plan: Plan) -> None:
    """Latin-1 where UTF-8 should be. A record of Manifest.db cannot hold such a name: it says another."""
    path = "Documents/not-unicode-\udcff\udcfe.txt"
    entry = Entry(DOMAIN, path, content=text("not-unicode"), outcome="unsafe-path", renamed=True)
    if plan.era.container == "db":
        entry.recorded_path, entry.findings = "Documents/not-unicode-??.txt", ["path-mismatch"]
        cast = f"UPDATE Files SET relativePath = CAST(relativePath AS TEXT) WHERE fileID = '{entry.file_id}'"
        entry.statements = [cast]
    plan.entries.append(entry)


FAULTS = (
    Fault(
        "bad-record",
        "the record begins like a property list and is none",
        "bad-record",
        _bad("bad-record", b"bplist00 but no property list"),
    ),
    Fault(
        "binary-property",
        "an attribute (in an mbdb a property) whose value is no text, and one that is empty",
        "ok, all rows after it too",
        _binary_property,
        ios=BOTH,
    ),
    Fault("blob-domain", "the domain column holds a BLOB", "ok", _blob_domain),
    Fault(
        "bplist-bomb",
        "the record is arrays of ten references each, sixty deep",
        "bad-record, at once",
        _bad("bplist-bomb", record_edits.bomb()),
    ),
    Fault(
        "bplist-bomb-inside",
        "a sound record with such a bomb under an unknown key",
        "bad-record, at once",
        _rewritten("bplist-bomb-inside", record_edits.bomb_inside, "bad-record"),
    ),
    Fault(
        "bplist-cycle",
        "the record is an array that holds itself",
        "bad-record",
        _bad("bplist-cycle", record_edits.cycle()),
    ),
    Fault(
        "bplist-deep",
        "the record is 20,000 arrays in each other",
        "bad-record",
        _bad("bplist-deep", record_edits.deep()),
    ),
    Fault(
        "bplist-far-offset",
        "the record's table of offsets lies 2^62 bytes away",
        "bad-record",
        _bad("bplist-far-offset", record_edits.far_offset()),
    ),
    Fault(
        "bplist-many-objects",
        "the record counts 2^60 objects",
        "bad-record",
        _bad("bplist-many-objects", record_edits.many_objects()),
    ),
    Fault(
        "class-mismatch",
        "the key is wrapped under class 1, the record says 3",
        "ok, class-mismatch",
        _class_mismatch,
        "encrypted",
    ),
    Fault(
        "digest-object",
        "Digest is an NSMutableData, not bytes",
        "ok, the digest fits",
        _digest_object,
    ),
    Fault(
        "device-bound-class",
        "the key is of class 11, which the device wraps too",
        "key-unavailable",
        _closed("device-bound-class", protection_class=DEVICE_CLASS),
        "encrypted",
        BOTH,
    ),
    Fault("empty-record", "the record has 0 bytes", "bad-record", _bad("empty-record", b"")),
    Fault("huge-size", "Size is 2^50", "ok, size-mismatch", _huge_size, ios=BOTH),
    Fault("huge-xattrs", "attributes of 300,000 bytes", "ok", _huge_xattrs),
    Fault(
        "key-unavailable",
        "the key is of a class that the key bag does not have",
        "key-unavailable",
        _closed("key-unavailable", protection_class=UNKNOWN_CLASS),
        "encrypted",
        BOTH,
    ),
    Fault(
        "key-of-43-bytes",
        "the wrapped key has lost a byte",
        "key-unavailable",
        _closed("key-of-43-bytes", lambda wrapped: wrapped[:-1]),
        "encrypted",
        BOTH,
    ),
    Fault(
        "key-damaged",
        "one bit of the wrapped key is flipped",
        "key-unavailable",
        _closed("key-damaged", lambda wrapped: wrapped[:-1] + bytes([wrapped[-1] ^ 1])),
        "encrypted",
        BOTH,
    ),
    Fault(
        "many-objects",
        "references of two bytes, the root beyond 255",
        "ok",
        _rewritten("many-objects", record_edits.padded_table),
    ),
    Fault("negative-size", "Size is -1", "ok, size-mismatch", _negative_size),
    Fault(
        "not-unicode",
        "the path is no UTF-8",
        "unsafe-path (Manifest.db: path-mismatch too); the bytes are kept",
        _not_unicode,
        ios=BOTH,
    ),
    Fault("nsdate-times", "the times are NSDate objects", "ok", _rewritten("nsdate-times", record_edits.dates)),
    Fault("null-domain", "a file without a domain", "unsafe-path; the bytes are kept", _null_domain, ios=BOTH),
    Fault("null-path", "a file without a path", "unsafe-path; the bytes are kept", _nameless, ios=BOTH),
    Fault("odd-numbers", "uid -2, gid 2^32-2, inode 2^40", "ok", _odd_numbers),
    Fault("odd-times", "modified at -1, changed at 2^40, born at 0", "ok; changed_at is null", _odd_times),
    Fault("odd-xattrs", "ExtendedAttributes is no property list", "ok", _odd_xattrs),
    Fault("other-flags", "flags 16 and NULL in every column", "other-flags", _other_flags),
    Fault("path-mismatch", "the record names another path", "ok, path-mismatch", _path_mismatch),
    Fault(
        "raw-key",
        "EncryptionKey is bytes, not an NSMutableData",
        "ok",
        _rewritten("raw-key", record_edits.raw_key),
        "encrypted",
    ),
    Fault("shuffled-record", "the objects in reverse", "ok", _rewritten("shuffled-record", record_edits.shuffled)),
    Fault("text-record", "the file column holds text", "bad-record", _bad("text-record", "no record, only words")),
    Fault(
        "uid-beyond",
        "the root is object 9999",
        "bad-record",
        _rewritten("uid-beyond", record_edits.uid_beyond, "bad-record"),
    ),
    Fault("unknown-flags", "flags 10", "other-flags", _unknown_flags),
    Fault("unknown-keys", "keys that nobody knows", "ok", _rewritten("unknown-keys", record_edits.unknown_keys)),
    Fault(
        "without-key",
        "a file without a key in an encrypted set, its blob plain",
        "ok, no-key",
        _without_key,
        "encrypted",
        BOTH,
    ),
)
"""Faults of one row; they can live together in one sample."""
