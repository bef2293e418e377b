"""Sentences that more than one paper says, and facts put the way they are said there."""

from __future__ import annotations

import re

from bagtag.custody.line import CustodyLine
from bagtag.extract.device import Device
from bagtag.reports.html.clock import Clock
from bagtag.reports.paper.document import Cell, Digest, Words
from bagtag.reports.paper.folder import Folder, Logged

KIND = "Logical data from a local backup of an iPhone or iPad; not an image of the device"
HASH = (
    "A SHA-256 value is a number computed from every byte of a file. Whoever computes it again over the same bytes "
    "gets the same value; a change of a single bit gives another one. No two different files with the same SHA-256 "
    "value have become known. Equal values therefore show that a copy is identical, byte for byte, to what was hashed."
)


_SHA256 = re.compile(r"[0-9a-f]{64}")


def described(device: Device) -> str:
    """The source device as the backup's own property lists describe it; nobody has compared that with the thing."""
    facts = (
        ("name", device.name), ("product", device.product_name), ("model", device.product_type),
        ("serial number", device.serial), ("IMEI", device.imei), ("IMEI 2", device.imei_2), ("MEID", device.meid),
        ("ICCID", device.iccid), ("phone number", device.phone_number), ("UDID", device.udid),
        ("operating system", " ".join(filter(None, (device.product_version, device.build)))),
    )  # fmt: skip
    return "; ".join(f"{label} {value}" for label, value in facts if value)


def digest(text: str) -> Digest | Words:
    """A SHA-256 as such; what a label gives in its place and is none, as the words that it is."""
    return Digest(text) if _SHA256.fullmatch(text) else Words(text)


def moment(clock: Clock, at: str) -> str:
    """A moment of the log in the zone of the page, to the second."""
    stamp = clock.stamp(at)
    return at if stamp is None else stamp.text


def moments(clock: Clock, line: CustodyLine) -> str:
    """When a step was recorded: in the zone of the page, and as the clock of that computer showed it."""
    local = line.at_local  # RFC 3339 with milliseconds and an offset
    return f"{moment(clock, line.at)}\nlocal {local[:10]} {local[11:19]} {local[23:]} ({line.zone})"


def reach(folder: Folder) -> tuple[str, Cell]:
    """Up to where the log was read, as a fact. The making of the page is a later line of it."""
    return "Log read up to line", (Words(f"{folder.log_count - 1}; its SHA-256 is"), Digest(folder.log_head))


def running(folder: Folder) -> str:
    """What stands in the footer of each page."""
    return f"Case {_short(folder.case)}, item {_short(folder.item)}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def signed(one: Logged) -> list[str]:
    """By which keys a line is signed, and whether that was checked."""
    return [f"line {one.number} signed with key {keyid[:16]}…, checked" for keyid in one.signed] + [
        f"line {one.number} bears a signature of key {keyid[:16]}…, which is not in the folder: not checked"
        for keyid in one.unchecked
    ]
