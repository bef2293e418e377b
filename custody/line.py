"""One line of a chain of custody: who did what to which digest, when, with which tool.

The shape is the public contract's "custody line": one JSON object a line, UTF-8, no spaces, every key present and in
the order written here. `prev` is the SHA-256 of the bytes of the line before, without its newline; 64 zeros in the
first line. A signature has a shape of its own. A line is canonical when encoding what was decoded gives the same bytes.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sqlite3
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

Event = Literal[
    "received", "acquired", "decrypted", "examined", "sealed", "verified", "exported", "produced", "disclosed",
    "copied", "transferred", "signed", "stamped", "stored", "returned", "note", "correction", "clock-anomaly", "error",
]  # fmt: skip
EVENTS: frozenset[str] = frozenset(get_args(Event))
Result = Literal["begun", "ok", "issues", "failed"]

GENESIS = "0" * 64
"""`prev` of the first line."""
MAX_LINE = 1 << 20
"""Bytes. No honest line comes near; a longer one is refused, so that a hostile log cannot fill the memory."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Natural = Annotated[int, Meta(ge=0)]
Utc = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")]
Local = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d\Z")]
Base64 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]+={0,2}\Z", max_length=4096)]

MASK = "***"
_SECRET_OPTION = re.compile(r"--?(?:pass|password|secret|pin)[^=]*", re.IGNORECASE)


class Artifact(msgspec.Struct, frozen=True):
    """Something that went into a step or came out of it. `size` in bytes, null when it is not one run of bytes."""

    name: str
    size: Natural | None
    sha256: Sha256


class Tool(msgspec.Struct, frozen=True):
    """What did the step: bagtag's version and those of the parts that decide its result."""

    name: str
    version: str
    python: str
    sqlite: str
    cryptography: str


class CustodyLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step. `at` is UTC with milliseconds, `at_local` the same instant with its offset; no key is ever left out."""

    seq: Natural
    event: Event
    at: Utc
    at_local: Local
    zone: str
    clock: str
    actor: str
    host: str
    reason: str | None
    authority: str | None
    command: tuple[str, ...] | None
    inputs: tuple[Artifact, ...]
    outputs: tuple[Artifact, ...]
    tool: Tool
    result: Result
    note: str | None
    prev: Sha256


class SignedLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature: `sig` (base64) is over the bytes of the line whose SHA-256 is `of`, by the key `keyid`."""

    seq: Natural
    event: Literal["signed"]
    at: Utc
    of: Sha256
    keyid: Sha256
    sig: Base64
    prev: Sha256


class _Kind(msgspec.Struct):
    event: str


_encode = msgspec.json.Encoder().encode
_kind = msgspec.json.Decoder(_Kind).decode
_custody = msgspec.json.Decoder(CustodyLine).decode
_signed = msgspec.json.Decoder(SignedLine).decode


def encode(line: CustodyLine | SignedLine) -> bytes:
    """The line's bytes without the newline."""
    return _encode(line)


def decode(raw: bytes) -> CustodyLine | SignedLine:
    """The line that these bytes (without newline) are. Raises ValueError with the reason when they are none."""
    line: CustodyLine | SignedLine
    try:
        line = _signed(raw) if _kind(raw).event == "signed" else _custody(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise ValueError(f"is no custody line ({trouble})") from trouble
    if _encode(line) != raw:
        raise ValueError("is not in canonical form (keys in order, none twice, no spaces)")
    return line


def digest(raw: bytes) -> str:
    """What the next line's `prev` must say about this one."""
    return hashlib.sha256(raw).hexdigest()


def this_tool() -> Tool:
    """The bagtag that is running."""
    return Tool(
        name="bagtag",
        version=metadata.version("bagtag"),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        cryptography=metadata.version("cryptography"),
    )


def masked(command: Sequence[str]) -> tuple[str, ...]:
    """The command line with the value of every option that could hold a secret replaced.

    bagtag takes no secret in its arguments; this is for the user who typed one where a file name belongs.
    """
    shown: list[str] = []
    hide_next = False
    for word in command:
        option, equals, _ = word.partition("=")
        if hide_next:
            shown.append(MASK)
            hide_next = False
        elif _SECRET_OPTION.fullmatch(option):
            shown.append(option + equals + (MASK if equals else ""))
            hide_next = not equals
        else:
            shown.append(clean(word))
    return tuple(shown)


def clean(text: str) -> str:
    """Text that UTF-8 can carry: an argument that was no text in this computer's encoding shows bytes as `\\xNN`."""
    raw = text.encode("utf-8", "surrogateescape") if _escaped(text) else text.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")


def _escaped(text: str) -> bool:
    surrogates = [character for character in text if "\ud800" <= character <= "\udfff"]
    return bool(surrogates) and all("\udc80" <= character <= "\udcff" for character in surrogates)


def cleaned(artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """The artifacts with names that UTF-8 can carry."""
    return tuple(msgspec.structs.replace(artifact, name=clean(artifact.name)) for artifact in artifacts)
