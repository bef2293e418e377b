"""A writer of NSKeyedArchiver property lists: the form of a manifest row's MBFile and of a link preview's payload.

Known from archives Apple writes: `$archiver`, `$version` 100000, `$top`, and `$objects` that name each other by UID,
with "$null" first.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from plistlib import UID
from typing import Any
from uuid import UUID

NULL = UID(0)


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
        """An object of a class: UIDs, numbers, booleans and bytes stay as they are, others become objects."""
        body: dict[str, Any] = {}
        uid = self.add(body)
        for name, value in members.items():
            body[name] = value if isinstance(value, UID | int | float | bytes) else self.value(value)
        body["$class"] = self.kind(*classes)
        return uid

    def url(self, address: str) -> UID:
        """An NSURL without a base."""
        return self.instance(["NSURL", "NSObject"], {"NS.base": NULL, "NS.relative": address})

    def uuid(self, text: str) -> UID:
        """An NSUUID."""
        return self.instance(["NSUUID", "NSObject"], {"NS.uuidbytes": UUID(text).bytes})

    def date(self, seconds: float) -> UID:
        """An NSDate, in seconds since 2001."""
        return self.instance(["NSDate", "NSObject"], {"NS.time": float(seconds)})

    def range(self, location: int, length: int) -> UID:
        """An NSRange, as the NSValue that data detectors archive."""
        members = {"NS.rangeval.location": self.add(location), "NS.rangeval.length": self.add(length), "NS.special": 4}
        return self.instance(["NSValue", "NSObject"], members)

    def attributed(self, text: str) -> UID:
        """An NSAttributedString without attributes."""
        attributes = self.dictionary({})
        return self.instance(["NSAttributedString", "NSObject"], {"NSString": text, "NSAttributes": attributes})

    def array(self, members: Sequence[Any]) -> UID:
        """An NSArray."""
        body: dict[str, Any] = {}
        uid = self.add(body)
        body["NS.objects"] = [self.value(member) for member in members]
        body["$class"] = self.kind("NSArray", "NSObject")
        return uid

    def dictionary(self, entries: Mapping[Any, Any]) -> UID:
        """An NSDictionary."""
        body: dict[str, Any] = {}
        uid = self.add(body)
        body["NS.keys"] = [self.add(key) for key in entries]
        body["NS.objects"] = [self.value(value) for value in entries.values()]
        body["$class"] = self.kind("NSDictionary", "NSObject")
        return uid

    def value(self, value: Any) -> UID:
        """Any plain value as an object; a UID is one already."""
        if value is None:
            return NULL
        if isinstance(value, UID):
            return value
        if isinstance(value, Mapping):
            return self.dictionary(value)
        if isinstance(value, list | tuple):
            return self.array(value)
        return self.add(value)

    def stored(self, root: UID, key: str = "root") -> bytes:
        """The binary property list with `root` on top, under its usual key or another."""
        archive = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {key: root}, "$objects": self.objects}
        return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY, sort_keys=False)
