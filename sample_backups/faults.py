"""What can be wrong with a backup, each fault by its name: a damaged sample differs from a sound one in this alone.

Known from backups met in practice and from attacks on readers: blobs that are missing, cut, emptied or swapped for
links, rows that lie or cannot be decoded, paths that would leave the folder, key bags with a flipped bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from bagtag.sample_backups.entry import FILE, OTHER, Damage, Entry
from bagtag.sample_backups.people import ANN, WITH_ANN
from bagtag.sample_backups.story import Story

DOMAIN = "AppDomain-com.example.faults"
UNKNOWN_CLASS = 12
DAMAGED_CLASS = 2
CLASS_BLOCK = 108
"""Bytes of one class in the key bag; class 11 comes first, WPKY ends the block."""

HEADER = 200
NO_TYPEDSTREAM = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x91 cut off here"


@dataclass
class Plan:
    """A backup about to be written; faults change it."""

    entries: list[Entry]
    encrypted: bool
    bag: bytes
    orphans: list[tuple[str, bytes]] = field(default_factory=list)
    plain_index: bool = False
    with_manifest_plist: bool = True
    usable: bool = True


def _text(name: str, words: int = 12) -> bytes:
    return (f"The file of the fault {name}. " * words).encode() + b"\n"


def _file(name: str) -> Entry:
    return Entry(DOMAIN, f"Documents/{name}.txt", content=_text(name))


def _damaged(name: str, damage: Damage, outcome: str) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        entry = _file(name)
        entry.damage, entry.outcome = damage, outcome
        plan.entries.append(entry)

    return apply


def _truncated(plan: Plan) -> None:
    entry = _file("truncated")
    entry.damage = "truncated"
    entry.outcome = "truncated" if plan.encrypted else "ok"
    entry.findings = ["size-mismatch"]
    plan.entries.append(entry)


def _unterminated(plan: Plan) -> None:
    entry = _file("unterminated")
    whole = entry.content if isinstance(entry.content, bytes) else b""
    entry.content = whole[: len(whole) // 16 * 16]
    entry.damage, entry.outcome = "unterminated", "unterminated"
    plan.entries.append(entry)


def _zero_byte(plan: Plan) -> None:
    entry = _file("zero-byte")
    entry.damage, entry.outcome, entry.findings = "zero-byte", "truncated", ["size-mismatch"]
    plan.entries.append(entry)


def _bad_record(plan: Plan) -> None:
    entry = _file("bad-record")
    entry.record, entry.outcome = b"bplist00 but no property list", "bad-record"
    plan.entries.append(entry)


def _size_mismatch(plan: Plan) -> None:
    entry = _file("size-mismatch")
    entry.recorded_size, entry.findings = 10, ["size-mismatch"]
    plan.entries.append(entry)


def _size_absent(plan: Plan) -> None:
    entry = _file("size-absent")
    entry.without_size, entry.findings = True, ["missing-size"]
    plan.entries.append(entry)


def _digest_mismatch(plan: Plan) -> None:
    name = "digest-mismatch"
    entry = Entry("HomeDomain", f"Library/Faults/{name}.txt", content=_text(name), false_digest=True)
    entry.findings = ["digest-mismatch"]
    plan.entries.append(entry)


def _other_id(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def _fileid_mismatch(plan: Plan) -> None:
    entry = _file("fileid-mismatch")
    entry.given_id, entry.findings = _other_id("another file"), ["fileid-mismatch"]
    plan.entries.append(entry)


def _path_mismatch(plan: Plan) -> None:
    entry = _file("path-mismatch")
    entry.recorded_path, entry.findings = "Documents/another name.txt", ["path-mismatch"]
    plan.entries.append(entry)


def _unsafe(name: str, path: str) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        plan.entries.append(Entry(DOMAIN, path, content=_text(name), outcome="unsafe-path", renamed=True))

    return apply


def _renamed(name: str, *paths: str) -> Callable[[Plan], None]:
    def apply(plan: Plan) -> None:
        plan.entries += [Entry(DOMAIN, path, content=_text(f"{name} {path}"), renamed=True) for path in paths]

    return apply


def _orphan(plan: Plan) -> None:
    plan.orphans.append((_other_id("orphan"), _text("orphan-blob")))


def _key_unavailable(plan: Plan) -> None:
    entry = _file("key-unavailable")
    entry.protection_class, entry.outcome = UNKNOWN_CLASS, "key-unavailable"
    plan.entries.append(entry)


def _other_flags(plan: Plan) -> None:
    plan.entries.append(Entry(DOMAIN, "Documents/other", OTHER, given_id=_other_id("other"), outcome="other-flags"))


def _decrypted_in_place(plan: Plan) -> None:
    plan.plain_index = True
    for entry in plan.entries:
        if entry.flags == FILE and entry.damage is None:
            entry.damage = "plain"
            if len(entry.content) and entry.outcome is None:
                entry.outcome = "already-plain"


def _no_manifest_plist(plan: Plan) -> None:
    plan.with_manifest_plist = False
    plan.usable = not plan.encrypted


def _damaged_keybag(plan: Plan) -> None:
    end = HEADER + (11 - DAMAGED_CLASS + 1) * CLASS_BLOCK
    plan.bag = plan.bag[: end - 1] + bytes([plan.bag[end - 1] ^ 1]) + plan.bag[end:]
    for entry in plan.entries:
        if entry.flags == FILE and entry.protection_class == DAMAGED_CLASS and entry.outcome is None:
            entry.outcome = "key-unavailable"


def _truncated_keybag(plan: Plan) -> None:
    plan.bag = plan.bag[: HEADER + 5 * CLASS_BLOCK + 30]
    plan.usable = False


ENTRY_FAULTS: Mapping[str, Callable[[Plan], None]] = {
    "absolute-path": _unsafe("absolute-path", "/outside-absolute.txt"),
    "bad-record": _bad_record,
    "case-twins": _renamed("case-twins", "Documents/Twin.txt", "Documents/twin.txt"),
    "digest-mismatch": _digest_mismatch,
    "fileid-mismatch": _fileid_mismatch,
    "key-unavailable": _key_unavailable,
    "missing-blob": _damaged("missing-blob", "missing", "missing"),
    "orphan-blob": _orphan,
    "other-flags": _other_flags,
    "path-mismatch": _path_mismatch,
    "percent-name": _renamed("percent-name", "Documents/100%25.txt"),
    "reserved-name": _renamed("reserved-name", "Documents/CON.txt"),
    "size-absent": _size_absent,
    "size-mismatch": _size_mismatch,
    "symlinked-blob": _damaged("symlinked-blob", "symlinked", "not-a-regular-file"),
    "truncated": _truncated,
    "unsafe-path": _unsafe("unsafe-path", "../../outside-relative.txt"),
    "unterminated": _unterminated,
    "zero-byte": _zero_byte,
}
"""Faults of one row and its blob; they live together in one sample."""

SET_FAULTS: Mapping[str, Callable[[Plan], None]] = {
    "damaged-keybag": _damaged_keybag,
    "decrypted-in-place": _decrypted_in_place,
    "no-manifest-plist": _no_manifest_plist,
    "truncated-keybag": _truncated_keybag,
}
"""Faults of the whole set."""

MESSAGE_FAULTS = frozenset({"damaged-row-message", "wal"})
"""Faults inside sms.db."""

ENCRYPTED_ONLY = frozenset(
    {"unterminated", "key-unavailable", "decrypted-in-place", "damaged-keybag", "truncated-keybag"}
)

ALL = frozenset(ENTRY_FAULTS) | frozenset(SET_FAULTS) | MESSAGE_FAULTS


def check(faults: Collection[str], *, encrypted: bool) -> None:
    """ValueError for a fault nobody knows or one that only an encrypted backup can have."""
    unknown = sorted(set(faults) - ALL)
    if unknown:
        raise ValueError(f"unknown faults: {', '.join(unknown)}; known are {', '.join(sorted(ALL))}")
    misplaced = sorted(ENCRYPTED_ONLY & set(faults))
    if misplaced and not encrypted:
        raise ValueError(f"only an encrypted backup can have {', '.join(misplaced)}")


def apply(plan: Plan, faults: Collection[str]) -> None:
    """Put the faults into the plan: those of rows first, so that those of the set meet them."""
    for name, fault in (*ENTRY_FAULTS.items(), *SET_FAULTS.items()):
        if name in faults:
            fault(plan)


def damage_messages(story: Story) -> None:
    """Two messages whose attributedBody is no typedstream: one has its text column, one has nothing else."""
    words = "The body is damaged, the text column is not"
    story.say(
        WITH_ANN,
        ANN,
        words,
        columns={"attributedBody": NO_TYPEDSTREAM},
        truth={"body_damaged": True},
    )
    story.row(
        WITH_ANN,
        ANN,
        columns={"text": None, "attributedBody": NO_TYPEDSTREAM, "part_count": 1},
        truth={"body_damaged": True},
    )
