"""seal/: what vouches for the bag from outside it. A statement, signatures over it, stamps over it; it may be added to.

    statement.json    the in-toto Statement that everything here is over
    KEYID.sig         a detached Ed25519 signature, 64 bytes      KEYID.pub.pem   its key, or of a signer of lines
    N.tsq  N.tsr      a request to a time-stamping authority and its response (RFC 3161), numbered from 1
    N.chain.pem       the certificates that the examiner gave as that authority's, as they were given

KEYID is the key's id (64 hexadecimal digits). Names only; what the files hold is judged elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody import durable
from bagtag.custody.line import Artifact

NAME = "seal"
STATEMENT = "statement.json"
MAX_SIZE = 1 << 20
"""Bytes. No file that belongs here comes near."""
_SIGNER = re.compile(r"([0-9a-f]{64})\.(sig|pub\.pem)")
_STAMP = re.compile(r"([1-9][0-9]{0,5})\.(tsq|tsr|chain\.pem)")


@dataclass(slots=True)
class SealFolder:
    """The names in a seal folder: key ids with a signature, with a public key; numbers with each part of a stamp."""

    signatures: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    requests: set[int] = field(default_factory=set)
    responses: set[int] = field(default_factory=set)
    chains: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, names: list[str]) -> SealFolder:
        """Sort these names; one that is not of this folder's kinds is passed by (`belongs` tells)."""
        found = cls()
        for name in names:
            if signer := _SIGNER.fullmatch(name):
                (found.signatures if signer[2] == "sig" else found.keys).add(signer[1])
            elif stamp := _STAMP.fullmatch(name):
                kinds = {"tsq": found.requests, "tsr": found.responses, "chain.pem": found.chains}
                kinds[stamp[2]].add(int(stamp[1]))
        return found

    @property
    def next_number(self) -> int:
        """The number of the next stamp."""
        return max(self.requests | self.responses | self.chains, default=0) + 1


def belongs(name: str) -> bool:
    """Whether a file of this name may lie in a seal folder."""
    return name == STATEMENT or bool(_SIGNER.fullmatch(name) or _STAMP.fullmatch(name))


def forget_interrupted(dest: Path) -> None:
    """Remove what a killed `write` left half done. Raises OSError."""
    for path in (dest / NAME).iterdir():
        name = path.name.removeprefix(".").removesuffix(".new")
        if path.name == f".{name}.new" and belongs(name):
            durable.forget_interrupted(path.with_name(name))


def read(dest: Path, name: str) -> bytes:
    """The bytes of one file of the seal folder of `dest`. Raises OSError; ValueError when it is absurdly long."""
    with durable.open_regular(dest / NAME / name) as file:
        raw = file.read(MAX_SIZE + 1)
    if len(raw) > MAX_SIZE:
        raise ValueError("is larger than anything that belongs here")
    return raw


def write(dest: Path, name: str, content: bytes) -> Artifact:
    """Write one file of the seal folder and have it on the disk; how the custody log names it comes back."""
    folder = dest / NAME
    folder.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
    durable.write(folder / name, content)
    return Artifact(f"{NAME}/{name}", len(content), hashlib.sha256(content).hexdigest())
