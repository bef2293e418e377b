"""Balloons under the name that the message reader knows them by; each app's own module is in `apps`."""

from __future__ import annotations

from bagtag.parsers.messages.apps.balloon import Balloon, read

__all__ = ["Balloon", "read"]
