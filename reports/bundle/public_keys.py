"""The public keys in a seal folder, KEYID.pub.pem: of whoever signed the statement or a line of the custody log.

They are there so that anybody can check; they say nothing of whose they are. That a key is Ann's is known from her
lab's register, and what the log says of it ("stored by Ann Lee") is what somebody who wrote the log said.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from bagtag.custody.errors import UsageError, VerificationError
from bagtag.custody.line import Artifact, CustodyLine, SignedLine
from bagtag.custody.signer import PublicKey
from bagtag.reports.bundle import seal_folder

_OF_A_KEY = re.compile(rf"{seal_folder.NAME}/([0-9a-f]{{64}})\.(?:sig|pub\.pem)")


def file_name(keyid: str) -> str:
    """The name of the key's file in the seal folder."""
    return f"{keyid}.pub.pem"


def find(dest: Path, keyid: str) -> PublicKey | None:
    """The key of that id in the seal folder of `dest`; None when there is none, or what lies there is not that key."""
    with contextlib.suppress(OSError, ValueError):
        key = PublicKey.from_pem(seal_folder.read(dest, file_name(keyid)))
        return key if key.keyid == keyid else None
    return None


def keep(dest: Path, key: PublicKey) -> Artifact:
    """Have the key in the seal folder; how the log names it comes back. What lies there already is not touched.

    Raises VerificationError when something else lies there, UsageError when the folder cannot be written to.
    """
    name = file_name(key.keyid)
    try:
        if seal_folder.read(dest, name) == key.pem:
            return artifact(key)
        raise VerificationError(
            f"{seal_folder.NAME}/{name} is not the key whose name it bears", hint="`bagtag verify` says what differs"
        )
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as trouble:
        raise VerificationError(
            f"{seal_folder.NAME}/{name} is not the key whose name it bears: {trouble}",
            hint="`bagtag verify` says what differs",
        ) from trouble
    try:
        return seal_folder.write(dest, name, key.pem)
    except OSError as trouble:
        if trouble.errno not in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise
        raise UsageError(
            f"{dest} cannot be written to: {trouble.strerror}",
            hint="where it must stay read-only, keep the log in a file elsewhere: --log FILE",
        ) from trouble


def artifact(key: PublicKey) -> Artifact:
    """The key's file as the custody log names it."""
    return Artifact(f"{seal_folder.NAME}/{file_name(key.keyid)}", len(key.pem), hashlib.sha256(key.pem).hexdigest())


def holders(lines: Iterable[CustodyLine | SignedLine | None]) -> dict[str, str]:
    """Key id -> who the log says holds that key: the actor of the last line that put its file into the seal folder."""
    return {
        found[1]: line.actor
        for line in lines
        if isinstance(line, CustodyLine)
        for output in line.outputs
        if (found := _OF_A_KEY.fullmatch(output.name))
    }
