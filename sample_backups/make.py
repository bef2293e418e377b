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

from bagtag.sample_backups import (
    addressbook,
    blob,
    device_files,
    facts,
    manifest,
    mbdb,
    mdinfo,
    messages,
    plists,
)
from bagtag.sample_backups import (
    features as every_feature,
)
from bagtag.sample_backups.blob import Blob
from bagtag.sample_backups.dice import dice
from bagtag.sample_backups.entry import DIGEST_DOMAINS, FILE, OTHER, Entry, FileContent, Filler, with_folders
from bagtag.sample_backups.era import era_of, release_of
from bagtag.sample_backups.faults import registry as faults
from bagtag.sample_backups.faults.registry import apply as apply_faults
from bagtag.sample_backups.faults.registry import check as check_faults
from bagtag.sample_backups.keybag import DEVICE_BOUND, KeyBag, new_bag
from bagtag.sample_backups.plan import Plan

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
    features: bool = False,
    migrated: bool = False,
) -> Minted:
    """Write a backup to `dest`/<UDID> and what is true of it to `dest`/truth.json.

    `migrated`: the message database grew up through older versions of iOS. `features`: the messages hold everything
    that iMessage of this iOS can do, and the truth has `settings`.
    `extra_files` are (domain, path, content), a number being the size of content made up on the way. ValueError for
    an iOS no sample imitates or a fault that is unknown or cannot be; FileExistsError where the folder exists.
    """
    check_faults(faults, encrypted=encrypted, ios=ios)
    device, era = plists.device_of(ios), era_of(ios)
    folder = dest / device.udid
    folder.mkdir(parents=True)
    known: dict[str, Any] = {
        "ios": ios,
        "seed": seed,
        "udid": device.udid,
        "container": era.container,
        "double_kdf": era.double_kdf,
        "encrypted": encrypted,
        "passphrase": passphrase if encrypted else None,
        "faults": sorted(faults),
        "device": {"name": device.name, "product_type": device.product_type, "serial": device.serial},
    }
    if era.container == "mdinfo":
        count = mdinfo.write(folder, device_files.entries(), dice(f"{seed}/files"), known["passphrase"])
        nothing = {"kek": None, "usable": False, "exit": 3, "issue": [str(count)], "manifest": [], "orphans": []}
        return _minted(dest, folder, known | {"mdinfo": count} | nothing)
    bag = new_bag(
        dice(f"{seed}/key bag"),
        passphrase,
        dpic,
        iterations,
        version=era.bag_version,
        double_kdf=era.double_kdf,
    )
    with tempfile.TemporaryDirectory(prefix="bagtag-mint-") as scratch:
        said = messages.write(
            Path(scratch),
            release_of(ios),
            dice(f"{seed}/story"),
            damage=faults,
            extra=extra_messages,
            migrated=migrated,
            retouch=every_feature.tell if features else None,
        )
        fillers = [_extra(extra, f"{seed}/extra/{number}") for number, extra in enumerate(extra_files)]
        plan = Plan([*_entries(Path(scratch), said), *fillers], encrypted, bag.stored(), era)
        if era.other_flags:
            other = hashlib.sha1(b"flags 16", usedforsecurity=False).hexdigest()
            plan.entries.append(Entry("", "", OTHER, given_id=other, outcome="other-flags"))
        apply_faults(plan, faults)
        plan.entries = with_folders(plan.entries)
        rows, told = _write_blobs(folder, plan, bag, dice(f"{seed}/files"))
        throws = dice(f"{seed}/manifest")
        index_key = throws.randbytes(32) if encrypted and era.double_kdf else None
        image = Path(scratch) / era.index
        _write_image(image, plan, rows, throws, passphrase)
        _store_index(folder, image, plan, None if plan.plain_index else index_key)
        if era.offsets:
            (folder / "Manifest.mbdx").write_bytes(mbdb.offsets(rows))
    wrapped = None if index_key is None else bag.wrapped(MANIFEST_CLASS, index_key)
    _write_plists(folder, _plists(device, plan, wrapped, said.story.dice), plan)
    for change in plan.afterwards:
        change(folder)
    reached = told[: len(told) - plan.lost]
    stranded = [each["stored"] for each in told[len(reached) :] if each["stored"]]
    orphans = [*(facts.orphan(path, content) for path, content in plan.orphans), *stranded]
    truth = known | {
        "kek": bag.kek.hex() if encrypted else None,
        "dpic": dpic if era.double_kdf else None,
        "iterations": iterations,
        "usable": plan.usable,
        "exit": facts.exit_code(reached) if plan.exit is None else plan.exit,
        "issue": plan.issue,
        "some_lost": plan.some_lost,
        "backup_at": f"{plists.BACKUP_DATE:%Y-%m-%dT%H:%M:%SZ}",
        "manifest": reached,
        "orphans": sorted(orphans, key=lambda each: str(each["path"])),
        "contacts": addressbook.truth(),
        **({"settings": said.story.settings} if features else {}),
        **messages.truth(said),
    }
    return _minted(dest, folder, truth)


def _minted(dest: Path, folder: Path, truth: Mapping[str, Any]) -> Minted:
    (dest / "truth.json").write_text(json.dumps(truth, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")
    return Minted(folder, truth["udid"], truth["passphrase"], truth["kek"], truth)


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
    rows, told = [], []
    for number, entry in enumerate(plan.entries, 2000):
        inode = number if entry.inode is None else entry.inode
        key = wrapped = stored = None
        if entry.flags == FILE and plan.encrypted and not entry.keyless:
            key = throws.randbytes(32)
            wrapped = _wrapped(bag, entry, key, throws)
        if entry.flags == FILE or len(entry.content):
            stored = blob.write(folder / plan.era.blob_path(entry.blob_id), entry, key)
        digest = _digest(entry, stored)
        rows.append(manifest.Row(entry, inode, wrapped, digest))
        told.append(facts.row(entry, inode, stored, digest, plan.era))
    for name, content in plan.orphans:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return rows, told


def _wrapped(bag: KeyBag, entry: Entry, key: bytes, throws: random.Random) -> bytes:
    """The row's EncryptionKey; under a class that the passphrase does not free, forty bytes that nothing unwraps."""
    number = entry.protection_class if entry.key_class is None else entry.key_class
    free = {each.number for each in bag.classes} - DEVICE_BOUND
    wrapped = bag.wrapped(number, key) if number in free else struct.pack("<I", number) + throws.randbytes(40)
    return wrapped if entry.rewrap is None else entry.rewrap(wrapped)


def _digest(entry: Entry, stored: Blob | None) -> bytes | None:
    if stored is None or entry.domain not in DIGEST_DOMAINS:
        return None
    if entry.digest_of == "false":
        return bytes(20)
    return stored.digest[:10] if entry.digest_of == "short" else stored.digest


def _write_image(path: Path, plan: Plan, rows: Sequence[manifest.Row], throws: random.Random, passphrase: str) -> None:
    """Write the index as it is before anything seals the whole of it."""
    if plan.era.container == "mbdb":
        path.write_bytes(mbdb.stored(rows))
    else:
        sealed = plan.encrypted and plan.era.sealed_column
        protection = manifest.Protection(passphrase, throws.randbytes(32)) if sealed else None
        statements = [statement for entry in plan.entries for statement in entry.statements]
        manifest.write(path, rows, protection, [*statements, *plan.statements])
    for edit in plan.image_edits:
        path.write_bytes(edit(path.read_bytes()))


def _store_index(folder: Path, image: Path, plan: Plan, key: bytes | None) -> None:
    """Put the index where it belongs, encrypted under `key` unless it is None."""
    path = folder / plan.era.index
    blob.stream(path, FileContent(image), key)
    for edit in plan.stored_edits:
        path.write_bytes(edit(path.read_bytes()))


def _plists(
    device: plists.Device, plan: Plan, manifest_key: bytes | None, throws: random.Random
) -> dict[str, dict[str, Any]]:
    """The three property lists, before any fault."""
    uuid, era = throws.randbytes(16).hex().upper(), plan.era
    dashed = f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"
    return {
        "Info.plist": plists.info(device, APPS, uuid),
        "Status.plist": plists.status(dashed, era.status_version),
        "Manifest.plist": plists.manifest(
            device, APPS, plan.bag, manifest_key, encrypted=plan.encrypted, version=era.manifest_version
        ),
    }


def _write_plists(folder: Path, contents: Mapping[str, dict[str, Any]], plan: Plan) -> None:
    for name, content in contents.items():
        changed: dict[str, Any] | bytes | None = content
        for which, edit in plan.plist_edits:
            if which == name and isinstance(changed, dict):
                changed = edit(changed)
        if changed is not None:
            (folder / name).write_bytes(changed if isinstance(changed, bytes) else plists.stored(name, changed))


SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "encrypted": {},
    "plain": {"encrypted": False},
    "ios17-encrypted": {"ios": "17.5", "seed": 17},
    "ios26-plain": {"ios": "26.0", "seed": 26, "encrypted": False},
    "ios4-plain": {"ios": "4.3", "seed": 4, "encrypted": False},
    "ios9-encrypted": {"ios": "9.3", "seed": 9},
    "ios10.0-encrypted": {"ios": "10.0", "seed": 100},
    "ios10.1-encrypted": {"ios": "10.1", "seed": 101},
    "faults-encrypted": {"faults": tuple(faults.ENTRY_FAULTS)},
    "faults-plain": {
        "faults": tuple(name for name in faults.ENTRY_FAULTS if name not in faults.ENCRYPTED_ONLY),
        "encrypted": False,
    },
    "damaged-messages": {"faults": ("damaged-row-message",)},
    "wal": {"faults": ("wal",)},
    "features": {"ios": "26.0", "features": True},
    "migrated": {"ios": "18.5", "migrated": True, "encrypted": False},
    "ios5-plain": {"ios": "5.1", "seed": 5, "encrypted": False},
    **{
        name: {"faults": (name,)}
        for name in ("damaged-keybag", "decrypted-in-place", "no-manifest-plist", "truncated-keybag")
    },
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
