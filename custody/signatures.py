"""The signatures in a custody log: whose keys are at hand, and whether each holds over the bytes it names."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody.line import SignedLine
from bagtag.custody.log import read
from bagtag.custody.problem import Problem
from bagtag.custody.signer import PublicKey


@dataclass(slots=True)
class Signatures:
    """The findings about a log's signatures.

    By the number of the `signed` line: `good` holds the number of the line it signs, and the key id; `dated` when it
    was signed, as the line claims; `unchecked` the key id of one whose key nobody has.
    """

    good: dict[int, tuple[int, str]] = field(default_factory=dict)
    dated: dict[int, str] = field(default_factory=dict)
    unchecked: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def examine(log: Path, key: Callable[[str], PublicKey | None], name: str = "custody.jsonl") -> Signatures:
    """Check every signature of the log. `key` gives the public key of a key id, or None. Raises OSError.

    A `signed` line whose line is not in the log is the chain's to find (`bagtag.custody.chain`).
    """
    found = Signatures()
    wanted: defaultdict[str, list[tuple[int, SignedLine]]] = defaultdict(list)
    for entry in read(log):
        if isinstance(entry.line, SignedLine):
            wanted[entry.line.of].append((entry.number, entry.line))
    for entry in read(log):
        for number, line in wanted.pop(entry.sha256, ()):
            public = key(line.keyid)
            if public is None:
                found.unchecked[number] = line.keyid
            elif public.accepts(_bytes(line.sig), entry.raw):
                found.good[number] = (entry.number, line.keyid)
                found.dated[number] = line.at
            else:
                what = f"line {number}: the signature by the key {line.keyid} is not over line {entry.number}"
                found.problems.append(Problem(name, what))
    return found


def _bytes(text: str) -> bytes:
    """The signature; nothing when it is not written as base64 writes it, whose last character has bits to spare."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return raw if base64.b64encode(raw).decode("ascii") == text else b""
