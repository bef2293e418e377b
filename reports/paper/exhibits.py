"""Files that are attached to a certificate: named by the examiner, read here once for their digests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bagtag.custody.errors import UsageError
from bagtag.custody.line import Artifact, clean
from bagtag.reports.bundle.contents import sha256_of

_MOST = 1000


def read(paths: Sequence[Path]) -> tuple[Artifact, ...]:
    """Name, size in bytes and SHA-256 of each file, in the order given. Raises UsageError for what is no file."""
    if len(paths) > _MOST:
        raise UsageError(f"{len(paths):,} exhibits", hint=f"name at most {_MOST:,}; a folder of more is a production")
    found = []
    for path in paths:
        try:
            size = path.lstat().st_size
            sha256 = sha256_of(path)
        except OSError as trouble:
            raise UsageError(
                f"the exhibit {path} cannot be read: {trouble.strerror or trouble}", hint="name a regular file"
            ) from trouble
        found.append(Artifact(clean(path.name), size, sha256))
    return tuple(found)
