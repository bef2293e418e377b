"""Files a device has beside its messages: settings, a photo with its attributes, a link, an app's documents.

Known from the manifests of real backups: where these files lie and which of them carry attributes or a target.
"""

from __future__ import annotations

import plistlib
from typing import Any

from bagtag.sample_backups.entry import SYMLINK, Entry
from bagtag.sample_backups.medium import JPEG

APP = "com.example.notes"


def _plist(content: dict[str, Any]) -> bytes:
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY)


def entries() -> list[Entry]:
    """The rows of these files, every one of them sound."""
    preferences = "Library/Preferences"
    return [
        Entry(
            "HomeDomain",
            f"{preferences}/com.apple.MobileSMS.plist",
            content=_plist({"KeepMessageForDays": 365, "SSKeepMessages": True}),
        ),
        Entry(
            "HomeDomain",
            f"{preferences}/.GlobalPreferences.plist",
            content=_plist({"AppleLocale": "en_US", "AppleLanguages": ["en-US"]}),
        ),
        Entry("HomeDomain", "Library/Safari/empty-marker"),
        Entry(
            "DatabaseDomain",
            "timezone/localtime",
            SYMLINK,
            protection_class=0,
            target="/var/db/timezone/zoneinfo/America/New_York",
        ),
        Entry(
            "CameraRollDomain",
            "Media/DCIM/100APPLE/IMG_0001.JPG",
            content=JPEG.content,
            xattrs={
                "com.apple.assetsd.originalFilename": b"IMG_0001.JPG",
                "com.apple.assetsd.timeZoneName": b"America/New_York",
            },
        ),
        Entry(f"AppDomain-{APP}", "Documents/it's_ours.txt", content=b"A note of one line.\n"),
        Entry(
            f"AppDomain-{APP}", "Documents/diary/März.txt", content="Ein Tag im März.\n".encode(), protection_class=1
        ),
        Entry(f"AppDomain-{APP}", "Documents/open.txt", content=b"Written while locked.\n", protection_class=2),
    ]
