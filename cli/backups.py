"""`bagtag backups` and `bagtag info`: which backups there are, and what one says without its passphrase."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console
from bagtag.cli.opening import opened, workspace
from bagtag.cli.options import BackupArgument, JsonOption

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup
    from bagtag.extract.device import Device
    from bagtag.extract.keybag import KeyBag

_LABELS = {
    "name": "device",
    "product_name": "model",
    "product_type": "product type",
    "product_version": "iOS",
    "build": "build",
    "serial": "serial number",
    "udid": "UDID",
    "imei": "IMEI",
    "imei_2": "IMEI 2",
    "meid": "MEID",
    "iccid": "ICCID",
    "phone_number": "phone number",
    "backup_at": "backup made",
    "backup_id": "backup id",
    "full_backup": "full backup",
    "snapshot_state": "snapshot state",
    "host_software": "host software",
    "declared_encrypted": "declared encrypted",
    "passcode_set": "device passcode set",
}


def backups(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]", show_default=False, help="Where to look: two levels deep, or in a zip or tar."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """List the backups on this computer, or under PATH."""
    from bagtag.custody.errors import UsageError
    from bagtag.extract.device import device
    from bagtag.extract.discover import backups as found_under
    from bagtag.extract.discover import containers, default_roots, store
    from bagtag.extract.plists import Plists

    roots = [path] if path is not None else default_roots()
    if not roots:
        raise UsageError(
            "this computer has none of the folders that Finder, iTunes or the Apple Devices app use",
            hint="say where to look: bagtag backups PATH",
        )
    count = 0
    with workspace() as place:
        for root in roots:
            for found in found_under(root, place):
                count += 1
                with closing(store(found, place)) as opened_store:
                    facts = device(Plists.read(opened_store))
                _tell(str(found), facts, as_json=as_json)
            for item in containers(root):
                console.say(f"not looked into: {item}; give it as PATH")
    if not count:
        console.say("no backup found under " + ", ".join(map(str, roots)))
    return 0


def _tell(path: str, facts: Device, *, as_json: bool) -> None:
    """One backup of the list."""
    if as_json:
        console.json_line(
            {
                "path": path,
                "udid": facts.udid,
                "name": facts.name,
                "product_type": facts.product_type,
                "product_version": facts.product_version,
                "backup_at": facts.backup_at,
                "encrypted": facts.declared_encrypted,
            }
        )
        return
    console.result(console.safe(path))
    sealed = {True: "encrypted", False: "not encrypted", None: "encryption not told"}[facts.declared_encrypted]
    told = [facts.name, facts.product_type, facts.product_version and f"iOS {facts.product_version}"]
    parts = [*(text for text in told if text), sealed, facts.backup_at or "date not told"]
    console.result("    " + console.safe(", ".join(parts)))


def info(backup: BackupArgument, as_json: JsonOption = False) -> int:
    """Tell what a backup says about itself: device, iOS, encryption, dates, apps, key bag, contradictions.

    No passphrase is asked for.
    """
    with opened(backup) as (source, _):
        if as_json:
            console.json_line(_facts(source))
        else:
            for line in _page(source):
                console.result(line)
    return 0


def _facts(backup: Backup) -> dict[str, Any]:
    import msgspec

    from bagtag.extract.device import applications, installed_applications

    return {
        "path": backup.location,
        "given": str(backup.store.given),
        "state": backup.state,
        "device": msgspec.to_builtins(backup.device),
        "plists": {
            plist.name: plist.path for plist in (backup.plists.info, backup.plists.manifest, backup.plists.status)
        },
        "index": {
            "path": backup.index.path,
            "encrypted": backup.index_encrypted,
            "records_encrypted": backup.needs_passphrase_itself,
            "rows": None if backup.index_encrypted else backup.manifest.count(),
        },
        "key_bag": _key_bag_facts(backup),
        "apps": sorted(applications(backup.plists)),
        "installed_apps": installed_applications(backup.plists),
        "issues": backup.issues,
    }


def _key_bag_facts(backup: Backup) -> dict[str, Any] | None:
    """What may be shown of a key bag: its shape and costs, no wrapped key."""
    bag = backup.key_bag
    if bag is None:
        return None
    return {
        "version": bag.version,
        "type": bag.kind,
        "uuid": bag.uuid,
        "size": bag.size,
        "sha256": backup.key_bag_sha256,
        "iterations": bag.iterations,
        "double_protection_iterations": bag.double_protection_iterations,
        "classes": [
            {"class": item.number, "wrap": item.wrap, "key_type": item.key_type, "has_key": item.wrapped is not None}
            for item in bag.classes
        ],
        "unknown": [{"tag": tag, "value": value} for tag, value in bag.unknown],
        "bytes_left_over": len(bag.tail),
    }


def _page(backup: Backup) -> Iterator[str]:
    import msgspec

    from bagtag.extract.device import applications, installed_applications

    facts = msgspec.to_builtins(backup.device)
    yield f"{'folder':<22}{console.safe(backup.location)}"
    if backup.store.given != backup.store.path:
        yield f"{'given as':<22}{console.safe(str(backup.store.given))}"
    for key, label in _LABELS.items():
        value = facts[key]
        if value is not None:
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            yield f"{label:<22}{console.safe(text)}"
    yield f"{'state':<22}{_STATES[backup.state]}"
    rows = "encrypted" if backup.index_encrypted else console.number(backup.manifest.count(), "row")
    yield f"{'index':<22}{console.safe(backup.index.path)}, {rows}"
    if backup.needs_passphrase_itself:
        yield f"{'records':<22}encrypted with the passphrase itself, as in iOS 10.0: a derived key does not open them"
    bag = backup.key_bag
    yield f"{'key bag':<22}{_key_bag_line(bag) if bag else 'none'}"
    if bag and backup.key_bag_sha256:
        yield f"{'key bag sha256':<22}{backup.key_bag_sha256}"
    installed = installed_applications(backup.plists)
    known = applications(backup.plists)
    yield f"{'apps':<22}{len(installed):,} visible to the user, {len(known):,} containers known"
    for name in installed:
        yield f"{'':<22}{console.safe(name)}"
    for issue in backup.issues:
        yield f"{issue.effect:<22}{console.safe(issue.what)}"


_STATES = {
    "encrypted": "encrypted; a passphrase is needed",
    "plain": "not encrypted",
    "already-plain": "decrypted in place by another tool",
}


def _key_bag_line(bag: KeyBag) -> str:
    rounds = f"{bag.iterations:,} rounds"
    if bag.double_protection_iterations is not None:
        rounds = f"{bag.double_protection_iterations:,} + {rounds}"
    return f"{console.number(len(bag.classes), 'class key')}, {rounds} of key derivation"
