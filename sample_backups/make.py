"""Mint a whole sample backup: the folder as Finder leaves it, and beside it the truth about everything in it.

    python -m bagtag.sample_backups.make DEST

writes the small samples, one folder each with the backup and its truth.json. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import struct
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagtag.sample_backups import addressbook, blob, device_files, faults, manifest, messages, moments, plists
from bagtag.sample_backups.blob import Blob
from bagtag.sample_backups.dice import dice
from bagtag.sample_backups.entry import DIGEST_DOMAINS, FILE, Entry, FileContent, Filler, with_folders
from bagtag.sample_backups.faults import Plan
from bagtag.sample_backups.faults import apply as apply_faults
from bagtag.sample_backups.faults import check as check_faults
from bagtag.sample_backups.keybag import KeyBag, new_bag

PASSPHRASE = "sample passphrase"  # noqa: S105 -- it opens nothing but samples
MANIFEST_CLASS = 4
APPS = [device_files.APP, "com.example.faults"]


@dataclass(frozen=True)
class Minted:
    """A minted backup: its folder, what opens it (None where it is plain) and the truth about it."""

    folder: Path
    udid: str
    passphrase: str | None = field(repr=False)
    kek: str | None = field(repr=False)
    truth: Mapping[str, Any] = field(repr=False)


def mint(
    dest: Path,
    *,
    encrypted: bool = True,
    ios: str = "18.5",
    seed: int = 1,
    passphrase: str = PASSPHRASE,
    dpic: int = 1000,
    iterations: int = 1000,
    extra_messages: int = 0,
    extra_files: Sequence[tuple[str, str, bytes | int]] = (),
    faults: Collection[str] = (),
) -> Minted:
    """Write a backup to `dest`/<UDID> and what is true of it to `dest`/truth.json.

    `extra_files` are (domain, path, content), a number being the size of content made up on the way. ValueError for
    an iOS no sample imitates or a fault that is unknown or cannot be; FileExistsError where the folder exists.
    """
    check_faults(faults, encrypted=encrypted)
    device = plists.device_of(ios)
    folder = dest / device.udid
    folder.mkdir(parents=True)
    bag = new_bag(dice(f"{seed}/key bag"), passphrase, dpic, iterations)
    with tempfile.TemporaryDirectory(prefix="bagtag-mint-") as scratch:
        said = messages.write(Path(scratch), _release(ios), dice(f"{seed}/story"), damage=faults, extra=extra_messages)
        fillers = [_extra(extra, f"{seed}/extra/{number}") for number, extra in enumerate(extra_files)]
        entries = [*_entries(Path(scratch), said), *fillers]
        plan = Plan(entries, encrypted, bag.stored())
        apply_faults(plan, faults)
        plan.entries = with_folders(plan.entries)
        rows, facts = _write_blobs(folder, plan, bag, dice(f"{seed}/files"))
        index = Path(scratch) / "Manifest.db"
        manifest.write(index, rows)
        manifest_key = dice(f"{seed}/manifest").randbytes(32)
        sealed = encrypted and not plan.plain_index
        blob.stream(folder / "Manifest.db", FileContent(index), manifest_key if sealed else None)
    wrapped = bag.wrapped(MANIFEST_CLASS, manifest_key) if encrypted else None
    for name, content in _plists(device, plan, wrapped, said.story.dice).items():
        (folder / name).write_bytes(content)
    truth = {
        "ios": ios,
        "seed": seed,
        "udid": device.udid,
        "encrypted": encrypted,
        "passphrase": passphrase if encrypted else None,
        "kek": bag.kek.hex() if encrypted else None,
        "dpic": dpic,
        "iterations": iterations,
        "faults": sorted(faults),
        "usable": plan.usable,
        "backup_at": f"{plists.BACKUP_DATE:%Y-%m-%dT%H:%M:%SZ}",
        "device": {"name": device.name, "product_type": device.product_type, "serial": device.serial},
        "manifest": facts,
        "orphans": [_orphan(name, content) for name, content in plan.orphans],
        "contacts": addressbook.truth(),
        **messages.truth(said),
    }
    (dest / "truth.json").write_text(json.dumps(truth, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")
    return Minted(folder, device.udid, truth["passphrase"], truth["kek"], truth)


def _release(ios: str) -> tuple[int, int]:
    major, _, minor = ios.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)


def _entries(scratch: Path, said: messages.Messages) -> list[Entry]:
    book = scratch / "AddressBook.sqlitedb"
    addressbook.write(book)
    entries = [
        Entry("HomeDomain", "Library/SMS/sms.db", content=FileContent(said.database)),
        Entry("HomeDomain", "Library/AddressBook/AddressBook.sqlitedb", content=FileContent(book)),
        *said.story.files,
        *device_files.entries(),
    ]
    if said.wal is not None:
        entries.append(Entry("HomeDomain", "Library/SMS/sms.db-wal", content=said.wal))
    return entries


def _extra(extra: tuple[str, str, bytes | int], seed: str) -> Entry:
    domain, path, content = extra
    return Entry(domain, path, content=Filler(content, seed) if isinstance(content, int) else content)


def _write_blobs(
    folder: Path, plan: Plan, bag: KeyBag, throws: random.Random
) -> tuple[list[manifest.Row], list[dict[str, Any]]]:
    rows, facts = [], []
    for inode, entry in enumerate(plan.entries, 2000):
        key = wrapped = stored = None
        if entry.flags == FILE:
            if plan.encrypted:
                key = throws.randbytes(32)
                wrapped = _wrapped(bag, entry.protection_class, key, throws)
            stored = blob.write(folder, entry, key)
        digest = _digest(entry, stored)
        rows.append(manifest.Row(entry, inode, wrapped, digest))
        facts.append(_fact(entry, inode, stored, digest))
    for name, content in plan.orphans:
        path = folder / name[:2] / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return rows, facts


def _wrapped(bag: KeyBag, number: int, key: bytes, throws: random.Random) -> bytes:
    """The row's EncryptionKey; under a class the bag does not have, forty bytes that nothing unwraps."""
    if number in {each.number for each in bag.classes}:
        return bag.wrapped(number, key)
    return struct.pack("<I", number) + throws.randbytes(40)


def _digest(entry: Entry, stored: Blob | None) -> bytes | None:
    if stored is None or entry.domain not in DIGEST_DOMAINS:
        return None
    return bytes(20) if entry.false_digest else stored.digest


def _fact(entry: Entry, inode: int, stored: Blob | None, digest: bytes | None) -> dict[str, Any]:
    nameless = entry.expected == "other-flags"
    return {
        "file_id": entry.file_id,
        "domain": None if nameless else entry.domain,
        "relative_path": None if nameless else entry.relative_path,
        "flags": entry.flags,
        "size": entry.size,
        "mode": entry.mode,
        "modified_at": moments.unix_iso(entry.modified),
        "changed_at": moments.unix_iso(entry.modified + 1),
        "created_at": moments.unix_iso(entry.modified - 1),
        "protection_class": entry.protection_class,
        "inode": inode,
        "target": entry.target,
        "digest": digest.hex() if digest else None,
        "outcome": entry.expected,
        "findings": entry.findings,
        "renamed": entry.must_be_renamed,
        "stored": _sum(stored.stored_size, stored.stored_sha256, entry.file_id) if stored else None,
        "plain": _sum(stored.plain_size, stored.plain_sha256) if stored else None,
    }


def _sum(size: int | None, sha256: str | None, file_id: str | None = None) -> dict[str, Any] | None:
    if size is None:
        return None
    path = {"path": f"{file_id[:2]}/{file_id}"} if file_id else {}
    return path | {"size": size, "sha256": sha256}


def _orphan(name: str, content: bytes) -> dict[str, Any]:
    return {"path": f"{name[:2]}/{name}", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _plists(device: plists.Device, plan: Plan, manifest_key: bytes | None, throws: random.Random) -> dict[str, bytes]:
    uuid = throws.randbytes(16).hex().upper()
    files = {
        "Info.plist": plists.info(device, APPS, uuid),
        "Status.plist": plists.status(f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"),
    }
    if plan.with_manifest_plist:
        files["Manifest.plist"] = plists.manifest(device, APPS, plan.bag, manifest_key)
    return files


SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "encrypted": {},
    "plain": {"encrypted": False},
    "ios17-encrypted": {"ios": "17.5", "seed": 17},
    "ios26-plain": {"ios": "26.0", "seed": 26, "encrypted": False},
    "faults-encrypted": {"faults": tuple(faults.ENTRY_FAULTS)},
    "faults-plain": {
        "faults": tuple(name for name in faults.ENTRY_FAULTS if name not in faults.ENCRYPTED_ONLY),
        "encrypted": False,
    },
    "damaged-messages": {"faults": ("damaged-row-message",)},
    "wal": {"faults": ("wal",)},
    **{name: {"faults": (name,)} for name in faults.SET_FAULTS},
}
"""The small samples: name of the folder, arguments of `mint`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the small samples below the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bagtag.sample_backups.make", description="Mint the samples.")
    parser.add_argument("dest", type=Path, metavar="DEST", help="folder to write to; the samples must not be there yet")
    dest: Path = parser.parse_args(argv).dest
    for name, arguments in SAMPLES.items():
        minted = mint(dest / name, **arguments)
        sys.stdout.write(f"{minted.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
