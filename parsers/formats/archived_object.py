"""Archived objects: what a typedstream holds, before anyone says what its classes mean.

NSArchiver writes an object as its class, the ancestors of that class with their versions, and groups of typed values.
That is kept here for every class, known or not. `typedstream` reads these; `unarchived` gives the Foundation values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A class as archived: `lineage` holds its own name, then its parent's, up to the root class."""

    name: str
    version: int
    parent: Class | None
    lineage: tuple[str, ...]


class Group(NamedTuple):
    """One type encoding and a value for each type in it."""

    encoding: str
    values: tuple[Value, ...]


@dataclass(slots=True, eq=False)
class Object:
    """An object as archived, whatever its class: nothing is dropped because the class is unknown.

    Not frozen, because groups may refer to the object that is still being read; equality is identity.
    """

    kind: Class
    groups: list[Group]

    @property
    def class_name(self) -> str:
        """The name of the object's own class."""
        return self.kind.name

    @property
    def superclasses(self) -> tuple[tuple[str, int], ...]:
        """(name, version) of the parent class, its parent, and so on."""
        found: list[tuple[str, int]] = []
        above = self.kind.parent
        while above is not None:
            found.append((above.name, above.version))
            above = above.parent
        return tuple(found)


# int for the integer types, float for f and d, bytes for + and for arrays of c or C, str for * % and :, tuple for other
# arrays and structs, Class for #, Object for @; None is nil.
Value: TypeAlias = "int | float | bytes | str | tuple[Value, ...] | Class | Object | None"


@lru_cache(maxsize=1024)
def archived_class(name: str, version: int, parent: Class | None) -> Class:
    """The class of that name, version and parent; the same object each time, for the same few occur in every body."""
    return Class(name, version, parent, (name, *(parent.lineage if parent is not None else ())))


NOT_READ_YET = archived_class("", 0, None)  # stands in an Object while its class is being read
