"""The three property lists at the top of a backup: what the computer wrote, what the device wrote, how it ended.

Known from the plists of Finder and iTunes backups: Info.plist is XML by the host, Manifest.plist and Status.plist are
binary by the device; dates are UTC.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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


BUILDS = {"17": "21F90", "18": "22F76", "26": "23A341"}
"""Build by major version of iOS."""


def device_of(ios: str) -> Device:
    """The device that runs this iOS; ValueError where no sample imitates it (17, 18 and 26 are known)."""
    major = ios.partition(".")[0]
    if major not in BUILDS:
        raise ValueError(f"no sample imitates iOS {ios}; known are {', '.join(BUILDS)}")
    return Device(ios=ios, build=BUILDS[major])


def info(device: Device, apps: list[str], guid: str) -> bytes:
    """Info.plist, written by the host; it authenticates nothing."""
    content: dict[str, Any] = {
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
    return plistlib.dumps(content, fmt=plistlib.FMT_XML)


def manifest(device: Device, apps: list[str], key_bag: bytes, manifest_key: bytes | None) -> bytes:
    """Manifest.plist; encrypted exactly when there is a wrapped key for Manifest.db (44 bytes)."""
    content: dict[str, Any] = {
        "BackupKeyBag": key_bag,
        "Version": "10.0",
        "Date": BACKUP_DATE.replace(tzinfo=None),
        "SystemDomainsVersion": "24.0",
        "WasPasscodeSet": True,
        "IsEncrypted": manifest_key is not None,
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
    if manifest_key is not None:
        content["ManifestKey"] = manifest_key
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY)


def _application(app: str, number: int) -> dict[str, str]:
    container = f"00000000-0000-4000-8000-{number:012X}"
    return {
        "CFBundleIdentifier": app,
        "CFBundleVersion": "1.0",
        "ContainerContentClass": "Data/Application",
        "Path": f"/var/mobile/Containers/Data/Application/{container}",
    }


def status(uuid: str) -> bytes:
    """Status.plist of a finished full backup."""
    content: dict[str, Any] = {
        "BackupState": "new",
        "Date": BACKUP_DATE.replace(tzinfo=None),
        "IsFullBackup": True,
        "SnapshotState": "finished",
        "UUID": uuid,
        "Version": "3.3",
    }
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY)
