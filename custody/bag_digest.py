"""The bag digest, as a custody step needs it: the one that lies there, and the one that the log names.

It is the SHA-256 of bag/tagmanifest-sha256.txt. The first line after `sealed` names it (public contract, "custody
line"); every step by which the evidence moves names what was at hand then.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from bagtag.custody import durable
from bagtag.custody.errors import EvidenceError, VerificationError
from bagtag.custody.line import Artifact, CustodyLine
from bagtag.custody.log import read

NAME = "tagmanifest-sha256.txt"


def named(log: Path) -> Artifact | None:
    """The bag digest as the line after `sealed` names it; None when no line does. Raises OSError."""
    sealed = False
    for entry in read(log):
        line = entry.line
        if not isinstance(line, CustodyLine):
            continue
        if sealed:
            return next((output for output in line.outputs if output.name == NAME), None)
        sealed = line.event == "sealed"
    return None


def artifact(path: Path, name: str) -> Artifact:
    """A file as a custody line names it: read once, in blocks. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with durable.open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    return Artifact(name, size, digest.hexdigest())


def compared(dest: Path, log: Path) -> Artifact:
    """The bag digest that lies in `dest`, which is the one that the log names.

    Raises EvidenceError when there is none to read, VerificationError when the log names another or none.
    """
    try:
        found = artifact(dest / "bag" / NAME, NAME)
    except OSError as trouble:
        raise EvidenceError(
            f"{dest / 'bag' / NAME} cannot be read: {trouble.strerror or trouble}", hint="name a whole evidence folder"
        ) from trouble
    said = named(log)
    if said != found:
        raise VerificationError(
            f"the bag digest of {dest} is {found.sha256}, and the log names {'none' if said is None else said.sha256}",
            hint="`bagtag verify` says what differs; `bagtag custody add DEST error --note …` puts it on record",
        )
    return found
