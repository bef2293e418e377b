"""A writer of NSKeyedArchiver property lists: the form of a manifest row's MBFile and of a link preview's payload.

Known from archives Apple writes: `$archiver`, `$version` 100000, `$top`, and `$objects` that name each other by UID,
with "$null" first.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from plistlib import UID
from typing import Any


class Archive:
    """The objects of one archive in the order in which they were added."""

    def __init__(self) -> None:
        self.objects: list[Any] = ["$null"]
        self._classes: dict[str, UID] = {}

    def add(self, value: Any) -> UID:
        """Append one object and give its UID."""
        self.objects.append(value)
        return UID(len(self.objects) - 1)

    def kind(self, *classes: str) -> UID:
        """The class object of this chain (child first); added once."""
        if classes[0] not in self._classes:
            self._classes[classes[0]] = self.add({"$classname": classes[0], "$classes": list(classes)})
        return self._classes[classes[0]]

    def instance(self, classes: Sequence[str], members: Mapping[str, Any]) -> UID:
        """An object of a class: UIDs, numbers and booleans stay as they are, any other member becomes an object."""
        body: dict[str, Any] = {}
        uid = self.add(body)
        for name, value in members.items():
            body[name] = value if isinstance(value, UID | int | float) else self.add(value)
        body["$class"] = self.kind(*classes)
        return uid

    def url(self, address: str) -> UID:
        """An NSURL without a base."""
        return self.instance(["NSURL", "NSObject"], {"NS.base": UID(0), "NS.relative": address})

    def dictionary(self, entries: Mapping[str, UID | bool | str]) -> UID:
        """An NSDictionary."""
        body: dict[str, Any] = {}
        uid = self.add(body)
        body["NS.keys"] = [self.add(key) for key in entries]
        body["NS.objects"] = [value if isinstance(value, UID) else self.add(value) for value in entries.values()]
        body["$class"] = self.kind("NSDictionary", "NSObject")
        return uid

    def stored(self, root: UID) -> bytes:
        """The binary property list with `root` on top."""
        archive = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": root}, "$objects": self.objects}
        return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY, sort_keys=False)
