"""Domains: the named roots that a backup's paths are relative to, and where they lie on the device.

Split at the first `-` only, since bundle ids contain it. The device path is derived and for people to read; the pair
(domain, relativePath) is the identity. No path is invented for a domain that is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ROOTS = {
    "HomeDomain": "/private/var/mobile",
    "CameraRollDomain": "/private/var/mobile",
    "MediaDomain": "/private/var/mobile",
    "KeyboardDomain": "/private/var/mobile",
    "HomeKitDomain": "/private/var/mobile",
    "TonesDomain": "/private/var/mobile",
    "HealthDomain": "/private/var/mobile/Library",
    "BooksDomain": "/private/var/mobile/Media/Books",
    "RootDomain": "/private/var/root",
    "WirelessDomain": "/private/var/wireless",
    "SystemPreferencesDomain": "/private/var/preferences",
    "DatabaseDomain": "/private/var/db",
    "InstallDomain": "/private/var/installd",
    "MobileDeviceDomain": "/private/var/MobileDevice",
    "ManagedPreferencesDomain": "/private/var/Managed Preferences",
    "NetworkDomain": "/private/var/networkd",
    "ProtectedDomain": "/private/var/protected",
    "KeychainDomain": "/private/var/Keychains",
}
_CONTAINERS = {
    "AppDomain": "/private/var/mobile/Containers/Data/Application",
    "AppDomainGroup": "/private/var/mobile/Containers/Shared/AppGroup",
    "AppDomainPlugin": "/private/var/mobile/Containers/Data/PluginKitPlugin",
    "SysContainerDomain": "/private/var/containers/Data/System",
    "SysSharedContainerDomain": "/private/var/containers/Shared/SystemGroup",
}


def device_path(domain: str, relative_path: str, applications: Mapping[str, Any] | None = None) -> str | None:
    """Where the file lay on the device, or None when the domain is not known.

    `applications` is the dictionary of that name in Manifest.plist: it tells the container's UUID. Without it the UUID
    is written as `*`.
    """
    root = _ROOTS.get(domain)
    if root is None:
        kind, dash, name = domain.partition("-")
        if not dash or kind not in _CONTAINERS:
            return None
        known = (applications or {}).get(name)
        told = known.get("Path") if isinstance(known, Mapping) else None
        root = told if isinstance(told, str) else f"{_CONTAINERS[kind]}/*"
    return f"{root}/{relative_path}" if relative_path else root
