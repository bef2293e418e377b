"""The device that a backup is of, as the backup's own property lists tell it, and where they contradict each other.

Info.plist is written by the host computer, Manifest.plist/Lockdown by the device. Neither is authenticated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.formats.binary_plist import Date
from bagtag.extract.plists import PlistFile, Plists

_EPOCH = datetime(2001, 1, 1)  # noqa: DTZ001 - UTC, as all of a property list


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the device and the backup run; None where no property list tells."""

    udid: str | None
    name: str | None
    product_name: str | None
    product_type: str | None
    product_version: str | None
    build: str | None
    serial: str | None
    imei: str | None
    imei_2: str | None
    meid: str | None
    iccid: str | None
    phone_number: str | None
    backup_at: str | None
    backup_id: str | None
    full_backup: bool | None
    snapshot_state: str | None
    host_software: str | None
    declared_encrypted: bool | None
    passcode_set: bool | None


def device(plists: Plists) -> Device:
    """Collect the facts; the device's own word (Manifest.plist) goes before the host's (Info.plist)."""
    info, manifest, status = plists.info, plists.manifest, plists.status
    lockdown = _lockdown(manifest)
    dates = (status.values.get("Date"), manifest.values.get("Date"), info.values.get("Last Backup Date"))
    moment = next(filter(None, map(_moment, dates)), None)
    return Device(
        udid=_first(lockdown.get("UniqueDeviceID"), info.text("Target Identifier"), info.text("Unique Identifier")),
        name=_first(lockdown.get("DeviceName"), info.text("Device Name")),
        product_name=info.text("Product Name"),
        product_type=_first(lockdown.get("ProductType"), info.text("Product Type")),
        product_version=_first(lockdown.get("ProductVersion"), info.text("Product Version")),
        build=_first(lockdown.get("BuildVersion"), info.text("Build Version")),
        serial=_first(lockdown.get("SerialNumber"), info.text("Serial Number")),
        imei=info.text("IMEI"),
        imei_2=_first(info.text("IMEI 2"), info.text("IMEI2")),
        meid=info.text("MEID"),
        iccid=info.text("ICCID"),
        phone_number=info.text("Phone Number"),
        backup_at=moment,
        backup_id=_first(status.text("UUID"), info.text("GUID")),
        full_backup=_flag(status.values.get("IsFullBackup")),
        snapshot_state=status.text("SnapshotState"),
        host_software=_first(
            *(f"{key.removesuffix(' Version')} {info.text(key)}" for key in ("iTunes Version", "macOS Version")
              if info.text(key))
        ),
        declared_encrypted=_flag(manifest.values.get("IsEncrypted")),
        passcode_set=_flag(manifest.values.get("WasPasscodeSet")),
    )  # fmt: skip


def contradictions(plists: Plists) -> Iterator[Issue]:
    """Each fact that two property lists tell differently. Case does not count: the host writes UDIDs in capitals."""
    lockdown = _lockdown(plists.manifest)
    info = plists.info
    for key, claim in (
        ("UniqueDeviceID", "Target Identifier"),
        ("UniqueDeviceID", "Unique Identifier"),
        ("DeviceName", "Device Name"),
        ("ProductType", "Product Type"),
        ("ProductVersion", "Product Version"),
        ("BuildVersion", "Build Version"),
        ("SerialNumber", "Serial Number"),
    ):
        one, two = lockdown.get(key), info.text(claim)
        if isinstance(one, str) and two is not None and one.casefold() != two.casefold():
            yield Issue(
                effect="note",
                what=f"Manifest.plist and Info.plist contradict each other: {key} is {one!r}, {claim} is {two!r}",
                where=_where("Info.plist"),
            )
    state = plists.status.text("SnapshotState")
    if state is not None and state != "finished":
        yield Issue(
            effect="note",
            what=f"the backup was not finished: SnapshotState is {state!r}",
            where=_where("Status.plist"),
        )


def applications(plists: Plists) -> dict[str, Any]:
    """The dictionary Applications of Manifest.plist: bundle id to what the device says about the app."""
    value = plists.manifest.values.get("Applications")
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def installed_applications(plists: Plists) -> list[str]:
    """The bundle ids that Info.plist lists: the apps that the user could see."""
    value = plists.info.values.get("Installed Applications")
    return sorted(item for item in value if isinstance(item, str)) if isinstance(value, list) else []


def _lockdown(manifest: PlistFile) -> dict[str, Any]:
    value = manifest.values.get("Lockdown")
    return value if isinstance(value, dict) else {}


def _first(*values: Any) -> str | None:
    return next((value for value in values if isinstance(value, str) and value), None)


def _moment(value: Any) -> str | None:
    """A date of a property list, in UTC; whole seconds are what devices write."""
    if isinstance(value, Date):
        try:
            value = _EPOCH + timedelta(seconds=value.seconds)
        except (OverflowError, ValueError):  # infinite, not a number, beyond the year 9999
            return None
    return f"{value.replace(tzinfo=None).isoformat()}Z" if isinstance(value, datetime) else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _where(name: str) -> Provenance:
    return Provenance(file_id=None, domain=None, relative_path=name, sha256=None)
