"""Faults of the three property lists: missing, empty, in another form, lying, contradicting each other.

Known from failed runs that leave 0 bytes, from copies edited by hand and from tools that decrypt a set and leave its
claims as they were. What a property list says is a claim; the structure of the set decides.
"""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bagtag.sample_backups.faults import record_edits
from bagtag.sample_backups.faults.fault import BOTH, Fault
from bagtag.sample_backups.plan import Plan, PlistEdit

Apply = Callable[[Plan], None]
Content = dict[str, Any]


def _edited(name: str, edit: PlistEdit, *issue: str, fatal_when_encrypted: bool = False) -> Apply:
    """Change one of the three. Without a readable Manifest.plist an encrypted set is lost."""

    def apply(plan: Plan) -> None:
        plan.plist_edits.append((name, edit))
        plan.issue = list(issue)
        if fatal_when_encrypted and plan.encrypted:
            plan.refuse(3, "Manifest.plist")

    return apply


def _bytes(content: bytes) -> PlistEdit:
    return lambda _: content


def _nothing(_: Content) -> None:
    return None


def _claims(content: Content, value: bool) -> Content:
    return content | {"IsEncrypted": value}


def _xml(content: Content) -> bytes:
    return plistlib.dumps(content, fmt=plistlib.FMT_XML)


def _binary(content: Content) -> bytes:
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY)


def _of_other_device(content: Content) -> Content:
    other = "00008130-0FFFFFFFFFFFFFFF"
    return content | {"Target Identifier": other, "Unique Identifier": other}


ENTITIES = b"""<?xml version="1.0"?>
<!DOCTYPE plist [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<plist version="1.0"><dict><key>Device Name</key><string>&d;&d;&d;&d;</string></dict></plist>
"""
NOT_A_PLIST = b"This was a property list once.\n"


def _interrupted(plan: Plan) -> None:
    """A failed run: Manifest.plist is empty, the last good one lies in Snapshot/."""

    def move(folder: Path) -> None:
        (folder / "Snapshot").mkdir()
        (folder / "Manifest.plist").rename(folder / "Snapshot" / "Manifest.plist")
        (folder / "Manifest.plist").write_bytes(b"")

    plan.afterwards.append(move)
    plan.issue = ["Snapshot"]


FAULTS = (
    Fault(
        "declared-encrypted",
        "IsEncrypted is true in a plain set",
        "read as plain; the claim is told",
        _edited("Manifest.plist", lambda content: _claims(content, value=True), "encrypted"),
        "plain",
        BOTH,
    ),
    Fault(
        "declared-plain",
        "IsEncrypted is false in an encrypted set",
        "read as encrypted; the claim is told",
        _edited("Manifest.plist", lambda content: _claims(content, value=False), "encrypted"),
        "encrypted",
        BOTH,
    ),
    Fault(
        "info-of-other-device",
        "Info.plist names another UDID",
        "the contradiction is told",
        _edited("Info.plist", _of_other_device, "Info.plist", "UniqueDeviceID"),
        ios=BOTH,
    ),
    Fault(
        "info-of-other-name",
        "Info.plist names another device",
        "the contradiction is told",
        _edited("Info.plist", lambda content: content | {"Device Name": "Another iPhone"}, "Info.plist", "Another"),
    ),
    Fault(
        "info-of-other-version",
        "Info.plist names another iOS",
        "the contradiction is told",
        _edited("Info.plist", lambda content: content | {"Product Version": "15.0.1"}, "Info.plist", "15.0.1"),
    ),
    Fault(
        "info-entity-bomb",
        "Info.plist is XML whose entities grow",
        "told at once; the rest is read",
        _edited("Info.plist", _bytes(ENTITIES), "Info.plist"),
    ),
    Fault("info-binary", "Info.plist is binary", "read", _edited("Info.plist", _binary)),
    Fault("manifest-xml", "Manifest.plist is XML", "read", _edited("Manifest.plist", _xml), ios=BOTH),
    Fault(
        "manifest-plist-bomb",
        "Manifest.plist is arrays of ten references each, sixty deep",
        "encrypted: 3; plain: told, the rest is read; at once",
        _edited("Manifest.plist", _bytes(record_edits.bomb()), "Manifest.plist", fatal_when_encrypted=True),
    ),
    Fault(
        "manifest-plist-cycle",
        "Manifest.plist is an array that holds itself",
        "encrypted: 3; plain: told, the rest is read",
        _edited("Manifest.plist", _bytes(record_edits.cycle()), "Manifest.plist", fatal_when_encrypted=True),
    ),
    Fault(
        "manifest-plist-empty",
        "Manifest.plist has 0 bytes",
        "encrypted: 3; plain: told, the rest is read",
        _edited("Manifest.plist", _bytes(b""), "Manifest.plist", fatal_when_encrypted=True),
        ios=BOTH,
    ),
    Fault(
        "manifest-plist-garbage",
        "Manifest.plist is a line of text",
        "encrypted: 3; plain: told, the rest is read",
        _edited("Manifest.plist", _bytes(NOT_A_PLIST), "Manifest.plist", fatal_when_encrypted=True),
    ),
    Fault(
        "manifest-plist-in-snapshot",
        "Manifest.plist has 0 bytes, the good one lies in Snapshot/",
        "usable; Snapshot/ is told",
        _interrupted,
        ios=BOTH,
    ),
    Fault(
        "no-info-plist",
        "Info.plist is missing",
        "usable",
        _edited("Info.plist", _nothing),
        ios=BOTH,
    ),
    Fault(
        "no-manifest-plist",
        "Manifest.plist is missing",
        "encrypted: 3; plain: the rest is read",
        _edited("Manifest.plist", _nothing, fatal_when_encrypted=True),
        ios=BOTH,
    ),
    Fault("no-status-plist", "Status.plist is missing", "usable", _edited("Status.plist", _nothing), ios=BOTH),
    Fault(
        "odd-types",
        "values of other types than they should have",
        "usable",
        _edited("Info.plist", lambda content: content | {"Device Name": 7, "Last Backup Date": "soon", "IMEI": []}),
    ),
    Fault(
        "unfinished",
        "SnapshotState is uploading",
        "usable; told",
        _edited("Status.plist", lambda content: content | {"SnapshotState": "uploading"}, "uploading"),
        ios=BOTH,
    ),
)
"""Faults of the property lists; each needs a sample of its own."""
