"""A backup that lies in a zip or tar: its files are members, found by name and read where they are.

Folders need no member of their own. A member that is a link or a device is told and never opened.
"""

from __future__ import annotations

import stat
import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path

from bagtag.extract.evidence import Effect, Issue, Provenance
from bagtag.extract.stores.container_file import ContainerFile
from bagtag.extract.stores.members import Member, Members
from bagtag.extract.stores.store import NotRegularError, RefusedError, Status, StoredFile, UnreadableError


class Container(ABC):
    """An open zip or tar with its list of members. It stays open until everyone who holds it has let go.

    `issues` is what was noticed about it as a whole.
    """

    kind = "container"

    def __init__(self, file: ContainerFile, members: Members, *private: Path) -> None:
        """`private` names the working copies that go when the container is closed."""
        self.path: Path = file.path
        self.file = file
        self.members = members
        self.issues: list[Issue] = []
        self._private = private
        self._holders = 1
        self._lock = threading.Lock()

    @abstractmethod
    def open_member(self, path: str, member: Member) -> StoredFile:
        """A regular member that is not refused, opened. Raises RefusedError, OSError."""

    @property
    def is_open(self) -> bool:
        """Whether anyone still holds it."""
        return self._holders > 0

    def store(self, prefix: str, given: Path | None = None) -> ContainerStore:
        """The files below that prefix, which is empty or ends with `/`."""
        with self._lock:
            self._holders += 1
        return ContainerStore(self, prefix, given or self.path)

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._holders -= 1
            last = not self._holders
        if last:
            self.file.close()
            self.members.close()
            for path in self._private:
                path.unlink(missing_ok=True)

    def note(self, what: str, effect: Effect = "note") -> None:
        """Add an issue about the container as a whole."""
        self.issues.append(issue(what, effect))

    def tell_names(self) -> None:
        """Note what is odd about names, once all members are listed."""
        for remark, count in sorted(self.members.remarks.items()):
            aside = remark in self.members.set_aside
            what = "set aside" if aside else "read as what it means"
            first = self.members.examples[remark]
            self.note(f"{_counted(count)} of the {self.kind}: {remark}, {what}; first: {first}",
                      "partial" if aside else "note")  # fmt: skip


class ContainerStore:
    """The files of one backup in a container."""

    def __init__(self, container: Container, prefix: str, given: Path) -> None:
        self.path = container.path
        self.container: Path | None = container.path
        self.prefix = prefix
        self.given = given
        self._in = container
        self._closed = False

    @property
    def issues(self) -> Collection[Issue]:
        """What was noticed about the container, and about the members of this backup."""
        kind = self._in.kind
        found = list(self._in.issues)
        for why, count, first in self._in.members.refusals(self.prefix):
            found.append(issue(f"{_counted(count)} of the {kind} not read: {why}; first: {first}", "partial"))
        count, first = self._in.members.repeated(self.prefix)
        if count:
            what = (
                f"one name for several members of the {kind} ({count:,} such names), the last was read; first: {first}"
            )
            found.append(issue(what, "partial"))
        return found

    def open(self, path: str) -> StoredFile | None:
        """The file at that path, None when there is none. Raises NotRegularError, UnreadableError."""
        name = self.prefix + path
        member = self._in.members.get(name)
        if member is None:
            if self._in.members.is_folder(name):
                raise NotRegularError(path)
            return None
        if not stat.S_ISREG(member.kind):
            raise NotRegularError(path)
        if member.refused is not None:
            raise RefusedError(path) from ValueError(member.refused)
        try:
            return self._in.open_member(name, member)
        except OSError as trouble:
            raise UnreadableError(path) from trouble

    def status(self, path: str) -> Status | None:
        """What lies at that path, links not followed; None when nothing does."""
        name = self.prefix + path
        member = self._in.members.get(name)
        if member is not None:
            return Status(member.kind, member.size, member.mtime, 0, "")
        return Status(stat.S_IFDIR, 0, 0, 0, "") if self._in.members.is_folder(name) else None

    def walk(self) -> Iterator[tuple[str, Status]]:
        """Everything below that is no folder, sorted bytewise by path."""
        return self._in.members.walk(self.prefix)

    def paths(self) -> Iterator[str]:
        """The same, the paths alone."""
        return (path for path, _ in self.walk())

    def local(self, path: str) -> Path | None:  # noqa: ARG002 - as of every store
        """None: a member has no name in the file system."""
        return None

    def is_gone(self) -> bool:
        """Whether the container does not answer any more."""
        return not self.path.is_file()

    def close(self) -> None:
        """Let go of it. More than once does no harm."""
        if not self._closed:
            self._closed = True
            self._in.close()


def _counted(number: int) -> str:
    return f"{number:,} member" if number == 1 else f"{number:,} members"


def issue(what: str, effect: Effect) -> Issue:
    """An issue about a container. It carries no path of this computer: the same evidence gives the same words."""
    return Issue(effect=effect, what=what, where=Provenance(file_id=None, domain=None, relative_path=None, sha256=None))
