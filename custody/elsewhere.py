"""The living log of a folder that must stay as it is (a read-only disc): it goes on in a file elsewhere.

The file begins as a byte copy of the folder's own log, so that either shows how it belongs to the other.
"""

from __future__ import annotations

from pathlib import Path

from bagtag.custody import chain, durable
from bagtag.custody.errors import UsageError

_MAX_SIZE = 1 << 30


def current(own: Path, elsewhere: Path | None) -> Path:
    """The log that is to be read: `elsewhere` where that exists, else the folder's own.

    Raises UsageError when `elsewhere` does not begin with the folder's own log, OSError when one cannot be read.
    """
    if elsewhere is None or not elsewhere.exists():
        return own
    if not chain.is_prefix(own, elsewhere):
        raise UsageError(
            f"{elsewhere} does not go on from {own}", hint="name the log that was begun for this folder, or a new file"
        )
    return elsewhere


def writable(own: Path, elsewhere: Path | None) -> Path:
    """The log that is to be written to: a new file elsewhere is begun as a copy of the folder's own.

    Raises as `current` does, and UsageError when that file cannot be written.
    """
    if elsewhere is None or current(own, elsewhere) == elsewhere:
        return own if elsewhere is None else elsewhere
    with durable.open_regular(own) as file:
        content = file.read(_MAX_SIZE + 1)
    if len(content) > _MAX_SIZE:
        raise UsageError(f"{own} is larger than 1 GiB", hint="copy it by hand, then name the copy")
    try:
        durable.write(elsewhere, content)
    except OSError as trouble:
        raise UsageError(f"{elsewhere} cannot be written: {trouble.strerror}", hint="name another file") from trouble
    return elsewhere
