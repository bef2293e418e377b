"""The three property lists at the top of a backup: what the computer wrote, what the device wrote, how it ended.

Known from the plists of Finder and iTunes backups: Info.plist is XML by the host, Manifest.plist and Status.plist are
binary by the device; dates are UTC.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bagtag.sample_backups.era import Release, release_of

BACKUP_DATE = datetime(2025, 6, 1, 10, 15, 0, tzinfo=UTC)
"""When each sample says it was made."""


@dataclass(frozen=True)
class Device:
    """The device a sample says it came from; none of its numbers was ever given out."""

    ios: str
    build: str
    udid: str = "00008130-000A1B2C3D4E5F60"
    name: str = "Sample iPhone"
    product_type: str = "iPhone16,1"
    product_name: str = "iPhone 15 Pro"
    serial: str = "SAMPLE00001"
    imei: str = "000000000000000"
    iccid: str = "8900000000000000000"
    phone: str = "+1 (202) 555-0100"


OLD_UDID = "5a3b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"
"""Devices before 2018 have 40 hex digits."""

MODELS = {
    (3, 0): ("7C144", "iPhone2,1", "iPhone 3GS"),
    (4, 0): ("8F190", "iPhone3,1", "iPhone 4"),
    (5, 0): ("9B206", "iPhone3,1", "iPhone 4"),
    (6, 0): ("10B141", "iPhone4,1", "iPhone 4S"),
    (7, 0): ("11D257", "iPhone6,1", "iPhone 5s"),
    (8, 0): ("12H321", "iPhone7,2", "iPhone 6"),
    (9, 0): ("13E233", "iPhone7,2", "iPhone 6"),
    (10, 0): ("14A403", "iPhone8,1", "iPhone 6s"),
    (10, 1): ("14B72", "iPhone8,1", "iPhone 6s"),
    (10, 2): ("14C92", "iPhone8,1", "iPhone 6s"),
    (11, 0): ("15G77", "iPhone10,6", "iPhone X"),
    (12, 0): ("16G77", "iPhone10,6", "iPhone X"),
    (13, 0): ("17H35", "iPhone12,1", "iPhone 11"),
    (14, 0): ("18H17", "iPhone12,1", "iPhone 11"),
    (15, 0): ("19H12", "iPhone14,5", "iPhone 13"),
    (16, 0): ("20F66", "iPhone14,5", "iPhone 13"),
    (17, 0): ("21F90", "iPhone16,1", "iPhone 15 Pro"),
    (18, 0): ("22F76", "iPhone16,1", "iPhone 15 Pro"),
    (26, 0): ("23A341", "iPhone16,1", "iPhone 15 Pro"),
    (27, 0): ("24A300", "iPhone16,1", "iPhone 15 Pro"),
}
"""Build, product type and name by version of iOS; of iOS 10 each minor version counts, of others the major."""

SHORT_UDIDS: Release = (14, 0)
"""The first of these samples whose device has a UDID of 25 letters."""


def device_of(ios: str) -> Device:
    """The device that runs this iOS; ValueError where no sample imitates it (`MODELS` are known)."""
    release = release_of(ios)
    key = release if release[0] == 10 else (release[0], 0)
    if key not in MODELS:
        known = ", ".join(f"{major}.{minor}" if major == 10 else str(major) for major, minor in MODELS)
        raise ValueError(f"no sample imitates iOS {ios}; known are {known}")
    build, product_type, product_name = MODELS[key]
    udid = Device.udid if key >= SHORT_UDIDS else OLD_UDID
    return Device(ios=ios, build=build, udid=udid, product_type=product_type, product_name=product_name)


def info(device: Device, apps: list[str], guid: str) -> dict[str, Any]:
    """Info.plist, written by the host; it authenticates nothing."""
    return {
        "Applications": {app: {"IsDemotedApp": False} for app in apps},
        "Build Version": device.build,
        "Device Name": device.name,
        "Display Name": device.name,
        "GUID": guid,
        "ICCID": device.iccid,
        "IMEI": device.imei,
        "Installed Applications": apps,
        "Last Backup Date": BACKUP_DATE.replace(tzinfo=None),
        "Phone Number": device.phone,
        "Product Name": device.product_name,
        "Product Type": device.product_type,
        "Product Version": device.ios,
        "Serial Number": device.serial,
        "Target Identifier": device.udid,
        "Target Type": "Device",
        "Unique Identifier": device.udid.upper(),
        "iTunes Files": {},
        "iTunes Settings": {},
        "iTunes Version": "12.13.7.1",
        "macOS Build Version": "24F74",
        "macOS Version": "15.5",
    }


def manifest(
    device: Device, apps: list[str], key_bag: bytes | None, manifest_key: bytes | None, *, encrypted: bool, version: str
) -> dict[str, Any]:
    """Manifest.plist; `manifest_key`: the wrapped key for Manifest.db (44 bytes) of encrypted sets since iOS 10.2."""
    content: dict[str, Any] = {
        "Version": version,
        "Date": BACKUP_DATE.replace(tzinfo=None),
        "SystemDomainsVersion": "24.0",
        "WasPasscodeSet": True,
        "IsEncrypted": encrypted,
        "Lockdown": {
            "com.apple.MobileDeviceCrashCopy": {},
            "com.apple.TerminalFlashr": {},
            "com.apple.mobile.data_sync": {},
            "com.apple.mobile.iTunes.accessories": {},
            "com.apple.mobile.wireless_lockdown": {},
            "com.apple.Accessibility": {},
            "ProductVersion": device.ios,
            "ProductType": device.product_type,
            "BuildVersion": device.build,
            "UniqueDeviceID": device.udid,
            "SerialNumber": device.serial,
            "DeviceName": device.name,
            "DeviceClass": "iPhone",
        },
        "Applications": {app: _application(app, number) for number, app in enumerate(apps, 1)},
    }
    if key_bag is not None:
        content = {"BackupKeyBag": key_bag, **content}
    if manifest_key is not None:
        content["ManifestKey"] = manifest_key
    return content


def _application(app: str, number: int) -> dict[str, str]:
    container = f"00000000-0000-4000-8000-{number:012X}"
    return {
        "CFBundleIdentifier": app,
        "CFBundleVersion": "1.0",
        "ContainerContentClass": "Data/Application",
        "Path": f"/var/mobile/Containers/Data/Application/{container}",
    }


def status(uuid: str, version: str) -> dict[str, Any]:
    """Status.plist of a finished full backup."""
    return {
        "BackupState": "new",
        "Date": BACKUP_DATE.replace(tzinfo=None),
        "IsFullBackup": True,
        "SnapshotState": "finished",
        "UUID": uuid,
        "Version": version,
    }


def stored(name: str, content: dict[str, Any]) -> bytes:
    """The bytes of one of the three: XML where the host writes it, binary where the device does."""
    return plistlib.dumps(content, fmt=plistlib.FMT_XML if name == "Info.plist" else plistlib.FMT_BINARY)
