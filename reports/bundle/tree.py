"""What really lies in a folder: every file, link, special file and empty folder, sorted bytewise by its path.

The order is that of the lines of a bag's manifest, so the two can be laid side by side without holding either in
memory. To get it folder by folder, a folder's name is sorted as if it ended in `/` (as git's index does): `a.b` comes
before `a/b`, because `.` is smaller than `/`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["file", "folder", "empty-folder", "symlink", "special", "unreadable"]
_MOUNT_POINT = 0xA0000003  # the reparse tag of a Windows junction: a folder that is a link

KIND_WORDS: dict[Kind, str] = {
    "file": "a file",
    "folder": "a folder",
    "empty-folder": "an empty folder",
    "symlink": "a symbolic link",
    "special": "a special file",
    "unreadable": "something that cannot be read",
}


class Node(NamedTuple):
    """One thing in the tree. `path` is relative to where the walk began, with `/`; `size` in bytes, of files alone."""

    path: bytes
    kind: Kind
    size: int = 0


def shown(path: bytes) -> str:
    """A path as text; bytes that are no UTF-8 show as `\\xNN`."""
    return path.decode("utf-8", "backslashreplace")


def listing(folder: Path, below: bytes = b"") -> list[Node]:
    """The things in one folder, in tree order. Their paths begin with `below`. Raises OSError."""
    found: list[tuple[bytes, Node]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            path = below + os.fsencode(entry.name)
            facts = entry.stat(follow_symlinks=False)
            kind = _kind(facts)
            found.append((path + b"/" if kind == "folder" else path, Node(path, kind, _size(kind, facts))))
    found.sort(key=lambda pair: pair[0])
    return [node for _, node in found]


def walk(root: Path, below: bytes = b"", *, skip: frozenset[bytes] = frozenset()) -> Iterator[Node]:
    """Everything under `root` but folders that hold something, in tree order. `skip` names things in `root` itself.

    Paths begin with `below`. A folder that cannot be read is one `unreadable` node. Links are never followed.
    """
    yield from _visit(root, below, skip)


def _visit(root: Path, below: bytes, skip: frozenset[bytes]) -> Iterator[Node]:
    try:
        top = [node for node in listing(root, below) if node.path.removeprefix(below) not in skip]
    except OSError:
        yield Node(below.rstrip(b"/"), "unreadable")
        return
    stack = [iter(top)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif node.kind != "folder":
            yield node
        else:
            try:
                inside = listing(root / os.fsdecode(node.path.removeprefix(below)), node.path + b"/")
            except OSError:
                yield Node(node.path, "unreadable")
                continue
            if inside:
                stack.append(iter(inside))
            else:
                yield Node(node.path, "empty-folder")


def _kind(facts: os.stat_result) -> Kind:
    if stat.S_ISLNK(facts.st_mode) or getattr(facts, "st_reparse_tag", 0) == _MOUNT_POINT:
        return "symlink"
    if stat.S_ISDIR(facts.st_mode):
        return "folder"
    return "file" if stat.S_ISREG(facts.st_mode) else "special"


def _size(kind: Kind, facts: os.stat_result) -> int:
    return facts.st_size if kind == "file" else 0
