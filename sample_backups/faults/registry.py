"""What can be wrong with a backup, each fault by its name: a damaged sample differs from a sound one in this alone.

Known from backups met in practice and from attacks on readers. The faults lie in a module each kind: blobs, rows,
fileIDs, names and links (they can live together in one sample), key bag, property lists, index and set (each needs a
sample of its own), and messages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bagtag.sample_backups.faults import blobs as blob_faults
from bagtag.sample_backups.faults import ids as id_faults
from bagtag.sample_backups.faults import indexes as index_faults
from bagtag.sample_backups.faults import key_bags as keybag_faults
from bagtag.sample_backups.faults import links as link_faults
from bagtag.sample_backups.faults import messages as message_faults
from bagtag.sample_backups.faults import names as name_faults
from bagtag.sample_backups.faults import property_lists as plist_faults
from bagtag.sample_backups.faults import rows as row_faults
from bagtag.sample_backups.faults import sets as set_faults
from bagtag.sample_backups.faults.fault import DOMAIN, Fault
from bagtag.sample_backups.plan import Plan

__all__ = [
    "ALL",
    "DOMAIN",
    "ENCRYPTED_ONLY",
    "ENTRY_FAULTS",
    "MESSAGE_FAULTS",
    "ROW_FAULTS",
    "SET_FAULTS",
    "Fault",
    "apply",
    "check",
    "describe",
]


def _by_name(*groups: tuple[Fault, ...]) -> dict[str, Fault]:
    return {fault.name: fault for group in groups for fault in sorted(group, key=lambda fault: fault.name)}


ROW_FAULTS: Mapping[str, Fault] = _by_name(
    blob_faults.FAULTS, row_faults.FAULTS, id_faults.FAULTS, name_faults.FAULTS, link_faults.FAULTS
)
"""Every fault of one row and its blob; they can live together in one sample."""

FIRST_MET = (
    "absolute-path",
    "bad-record",
    "case-twins",
    "digest-mismatch",
    "fileid-mismatch",
    "key-unavailable",
    "missing-blob",
    "orphan-blob",
    "other-flags",
    "path-mismatch",
    "percent-name",
    "reserved-name",
    "size-absent",
    "size-mismatch",
    "symlinked-blob",
    "truncated",
    "unsafe-path",
    "unterminated",
    "zero-byte",
)

ENTRY_FAULTS: Mapping[str, Fault] = {name: ROW_FAULTS[name] for name in FIRST_MET}
"""The faults of rows that every examiner meets: those of the small samples `faults-encrypted` and `faults-plain`."""

SET_FAULTS: Mapping[str, Fault] = _by_name(
    keybag_faults.FAULTS, plist_faults.FAULTS, index_faults.FAULTS, set_faults.FAULTS
)
"""Faults of the whole set, one a sample."""

MESSAGE_FAULTS: Mapping[str, Fault] = _by_name(message_faults.FAULTS)
"""Faults inside sms.db."""

ALL: Mapping[str, Fault] = {**ROW_FAULTS, **SET_FAULTS, **MESSAGE_FAULTS}

ENCRYPTED_ONLY = frozenset(name for name, fault in ALL.items() if fault.need == "encrypted")


def describe(name: str) -> Fault:
    """What a fault does (`what`), which backups can have it (`arguments` for `mint`), and what is `expected` of a
    reader. KeyError for a name nobody knows."""
    return ALL[name]


def check(faults: Collection[str], *, encrypted: bool, ios: str) -> None:
    """ValueError for a fault nobody knows or one that such a backup cannot have."""
    unknown = sorted(set(faults) - set(ALL))
    if unknown:
        raise ValueError(f"unknown faults: {', '.join(unknown)}; known are {', '.join(sorted(ALL))}")
    for need in (True, False):
        misplaced = sorted(name for name in set(faults) if not ALL[name].fits_encryption(encrypted=need))
        if misplaced and encrypted is need:
            kind = "a plain" if encrypted else "an encrypted"
            raise ValueError(f"only {kind} backup can have {', '.join(misplaced)}")
    misplaced = sorted(name for name in set(faults) if not ALL[name].fits(encrypted=encrypted, ios=ios))
    if misplaced:
        raise ValueError(f"no backup of iOS {ios} can have {', '.join(misplaced)}")


def apply(plan: Plan, faults: Collection[str]) -> None:
    """Put the faults into the plan: those of rows first, so that those of the set meet them."""
    for name, fault in ALL.items():
        if name in faults:
            fault.apply(plan)
