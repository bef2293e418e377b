"""Which manifest rows a command is about. Exact and case-sensitive; only `*`, `?` and `[…]` are special in a glob."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bagtag.custody.errors import UsageError
from bagtag.extract.index.mbfile import BadRecordError

if TYPE_CHECKING:
    from bagtag.extract.manifest import FileEntry

_APP_DOMAINS = ("AppDomain-", "AppDomainPlugin-", "AppDomainGroup-")
_LONGEST_LIST = 256 * 1024 * 1024
"""Bytes of a file of ids: six million of them."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions that all must hold; None asks for nothing.

    `domain` is an exact name; `glob` is matched against the whole relative path (`*` crosses `/`, `[[]` stands for a
    bracket); `app` is a bundle id; `ids` are fileIDs; the modified times are Unix nanoseconds, from inclusive, to
    exclusive. Nothing is normalised: neither case, nor the form of an accent.
    """

    domain: str | None = None
    glob: str | None = None
    app: str | None = None
    ids: frozenset[str] | None = None
    modified_from: int | None = None
    modified_to: int | None = None

    @property
    def everything(self) -> bool:
        """True when no condition is set."""
        return self == Selection()

    def includes(self, entry: FileEntry) -> bool:
        """Whether the row is asked for. A row whose record cannot be read has no time and fails a time condition."""
        if self.ids is not None and entry.file_id not in self.ids:
            return False
        if self.domain is not None and entry.domain != self.domain:
            return False
        if self.app is not None and (entry.domain is None or not belongs(entry.domain, self.app)):
            return False
        if self.glob is not None and not (
            entry.relative_path is not None and matches_glob(entry.relative_path, self.glob)
        ):
            return False
        if self.modified_from is None and self.modified_to is None:
            return True
        return self._in_time(entry)

    def _in_time(self, entry: FileEntry) -> bool:
        try:
            modified = entry.metadata().modified
        except BadRecordError:
            return False
        if modified is None:
            return False
        try:
            moment = modified * 10**9 if isinstance(modified, int) else round(modified * 10**9)
        except (ValueError, OverflowError):  # no number, or one without end
            return False
        return (self.modified_from is None or self.modified_from <= moment) and (
            self.modified_to is None or moment < self.modified_to
        )


def read_ids(path: Path) -> frozenset[str]:
    """FileIDs from a text file, one a line; blank lines and lines that start with `#` say nothing."""
    try:
        with path.open("rb") as file:
            lines = file.read(_LONGEST_LIST).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as trouble:
        raise UsageError(f"cannot read the file of ids {path}: {trouble}", hint="one fileID a line") from trouble
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def matches_glob(path: str, glob: str) -> bool:
    """Whether the whole path fits: `*` any letters, `?` one, `[abc]`, `[a-z]` one of these, `[!x]` another."""
    return _pattern(glob)(path) is not None


def belongs(domain: str, app: str) -> bool:
    """An app's own domain, its plug-ins (`<bundle>.<name>`) and the groups that carry its id after `group.`."""
    kind, _, name = domain.partition("-")
    if kind + "-" not in _APP_DOMAINS:
        return False
    name = name.removeprefix("group.") if kind == "AppDomainGroup" else name
    return name == app or name.startswith(app + ".")


@lru_cache(maxsize=32)
def _pattern(glob: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(translate(glob)).match
