"""Faults of the key bag: bits flipped, tags missing or cut, round counts that nobody could pay.

Known from the bag's layout (tag, length, value; a header, then a block a class, 11 first) and from the danger that
lies in counts and lengths that come from the evidence itself.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from bagtag.sample_backups.entry import FILE
from bagtag.sample_backups.faults.fault import BOTH, Fault
from bagtag.sample_backups.keybag import record
from bagtag.sample_backups.plan import Plan

Apply = Callable[[Plan], None]

DAMAGED_CLASS = 2
CLASS_BLOCK = 108
"""Bytes of one class in the key bag; WPKY ends the block."""

CLASSES = 11


def header_length(bag: bytes) -> int:
    """Where the first class begins."""
    return len(bag) - CLASSES * CLASS_BLOCK


def _place(bag: bytes, tag: bytes) -> int:
    """Where a tag's record begins, found by walking over the header."""
    at = 0
    while bag[at : at + 4] != tag:
        at += 8 + int.from_bytes(bag[at + 4 : at + 8], "big")
    return at


def _number(tag: bytes, value: int) -> Apply:
    def apply(plan: Plan) -> None:
        bag = _bag(plan)
        at = _place(bag, tag)
        plan.bag = bag[: at + 8] + struct.pack(">I", value) + bag[at + 12 :]
        plan.refuse(3, tag.decode())

    return apply


def _bag(plan: Plan) -> bytes:
    assert plan.bag is not None
    return plan.bag


def _damaged(plan: Plan) -> None:
    bag = _bag(plan)
    end = header_length(bag) + (CLASSES - DAMAGED_CLASS + 1) * CLASS_BLOCK
    plan.bag = bag[: end - 1] + bytes([bag[end - 1] ^ 1]) + bag[end:]
    _close(plan, DAMAGED_CLASS)


def _close(plan: Plan, number: int) -> None:
    for entry in plan.entries:
        if entry.flags == FILE and entry.protection_class == number and entry.outcome is None:
            entry.outcome = "key-unavailable"


def _all_damaged(plan: Plan) -> None:
    """Nothing tells this from a wrong passphrase."""
    bag = bytearray(_bag(plan))
    for number in range(1, CLASSES + 1):
        bag[header_length(bytes(bag)) + number * CLASS_BLOCK - 1] ^= 1
    plan.bag = bytes(bag)
    plan.refuse(6)


def _class_missing(plan: Plan) -> None:
    bag = _bag(plan)
    start = header_length(bag) + (CLASSES - DAMAGED_CLASS) * CLASS_BLOCK
    plan.bag = bag[:start] + bag[start + CLASS_BLOCK :]
    _close(plan, DAMAGED_CLASS)


def _short_key(plan: Plan) -> None:
    """WPKY of 32 bytes: damage, not a wrong passphrase."""
    bag = _bag(plan)
    end = header_length(bag) + (CLASSES - DAMAGED_CLASS + 1) * CLASS_BLOCK
    plan.bag = bag[: end - 48] + record("WPKY", bag[end - 40 : end - 8]) + bag[end:]
    _close(plan, DAMAGED_CLASS)


def _cut(plan: Plan) -> None:
    bag = _bag(plan)
    plan.bag = bag[: header_length(bag) + 5 * CLASS_BLOCK + 30]
    plan.refuse(3, "key bag")


def _cut_header(plan: Plan) -> None:
    plan.bag = _bag(plan)[:90]
    plan.refuse(3, "key bag")


def _past_the_end(plan: Plan) -> None:
    bag = _bag(plan)
    plan.bag = bag[:-44] + struct.pack(">I", 0x7FFFFFFF) + bag[-40:]
    plan.refuse(3, "key bag")


def _unknown_tags(plan: Plan) -> None:
    bag = _bag(plan)
    start = header_length(bag)
    plan.bag = bag[:start] + record("XTRA", b"\x00" * 7) + record("ABCD", 5) + bag[start:] + record("TAIL", b"")


def _without_salt(plan: Plan) -> None:
    bag = _bag(plan)
    at = _place(bag, b"SALT")
    plan.bag = bag[:at] + bag[at + 28 :]
    plan.refuse(3, "salt")


def _salt_first(plan: Plan) -> None:
    """DPSL before DPIC: the order of tags says nothing."""
    bag = _bag(plan)
    count, salt = _place(bag, b"DPIC"), _place(bag, b"DPSL")
    plan.bag = bag[:count] + bag[salt : salt + 28] + bag[count : count + 12] + bag[salt + 28 :]


def _missing(plan: Plan) -> None:
    plan.bag = None
    plan.refuse(3, "key bag")


def _empty(plan: Plan) -> None:
    plan.bag = b""
    plan.refuse(3, "key bag")


FAULTS = (
    Fault(
        "damaged-keybag",
        "one bit of one WPKY is flipped",
        "1: files of class 2 are key-unavailable, the rest is ok",
        _damaged,
        "encrypted",
        BOTH,
    ),
    Fault("keybag-all-damaged", "one bit of every WPKY is flipped", "6", _all_damaged, "encrypted", BOTH),
    Fault(
        "keybag-class-missing",
        "class 2 is not in the bag",
        "1: files of class 2 are key-unavailable",
        _class_missing,
        "encrypted",
        BOTH,
    ),
    Fault("keybag-cut-in-salt", "the bag ends after 90 bytes", "3", _cut_header, "encrypted", BOTH),
    Fault("keybag-dpic-0", "DPIC is 0", "3", _number(b"DPIC", 0), "encrypted", double_kdf=True),
    Fault("keybag-dpic-huge", "DPIC is 2^31", "3, at once", _number(b"DPIC", 1 << 31), "encrypted", double_kdf=True),
    Fault(
        "keybag-dpsl-first",
        "DPSL stands before DPIC",
        "usable",
        _salt_first,
        "encrypted",
        double_kdf=True,
    ),
    Fault("keybag-empty", "BackupKeyBag has 0 bytes", "3", _empty, "encrypted", BOTH),
    Fault("keybag-iter-0", "ITER is 0", "3", _number(b"ITER", 0), "encrypted", BOTH),
    Fault("keybag-iter-huge", "ITER is 2^31 - 1", "3, at once", _number(b"ITER", 0x7FFFFFFF), "encrypted", BOTH),
    Fault("keybag-length-past-end", "the last WPKY has a length of 2^31 - 1", "3", _past_the_end, "encrypted", BOTH),
    Fault("keybag-missing", "Manifest.plist has no BackupKeyBag", "3", _missing, "encrypted", BOTH),
    Fault(
        "keybag-short-wpky",
        "the WPKY of class 2 has 32 bytes",
        "1: files of class 2 are key-unavailable",
        _short_key,
        "encrypted",
        BOTH,
    ),
    Fault("keybag-unknown-tags", "tags XTRA, ABCD and TAIL", "usable", _unknown_tags, "encrypted", BOTH),
    Fault("keybag-without-salt", "there is no SALT", "3", _without_salt, "encrypted", BOTH),
    Fault("truncated-keybag", "the bag ends in the middle of class 6", "3", _cut, "encrypted", BOTH),
)
"""Faults of the key bag; each needs a sample of its own."""
