"""A file artifact: one kind of evidence that lies in files of its own, mostly property lists, not in a database.

It is registered and fenced as artifacts of databases are: a parser that fails loses its own records, as an issue that
says so, and nothing else. A file has no rows to reconcile: each file that was looked at is a record, an issue, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeAlias

from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.files import FileFacts, Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.artifact import ROW_FAULTS, Parsed, Place, artifacts
from bagtag.parsers.names import Names
from bagtag.parsers.records import Record


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a parser of files is given: the files, contact names, and databases that are open."""

    files: Files
    names: Names
    databases: Mapping[Place, Database]


FileParser: TypeAlias = Callable[[Holdings], Iterator[Parsed]]


@dataclass(frozen=True, slots=True)
class FileArtifact:
    """A registered artifact of files.

    `places` are files, or folders where the path ends in "/". `databases` are opened for the parser where they are
    there, for what belongs to the artifact and stands in a row of another.
    """

    name: str
    title: str
    places: tuple[Place, ...]
    writes: tuple[type[Record], ...]
    databases: tuple[Place, ...]
    parser: FileParser


_FILE_ARTIFACTS: dict[str, FileArtifact] = {}


def file_artifact(
    *,
    name: str,
    title: str,
    places: tuple[Place, ...],
    writes: tuple[type[Record], ...],
    databases: tuple[Place, ...] = (),
) -> Callable[[FileParser], FileParser]:
    """Register a parser of files."""

    def register(parser: FileParser) -> FileParser:
        _FILE_ARTIFACTS[name] = FileArtifact(name, title, places, writes, databases, parser)
        return parser

    return register


def file_artifacts() -> tuple[FileArtifact, ...]:
    """Every file artifact there is, in a fixed order."""
    artifacts()  # imports the modules of this room
    return tuple(_FILE_ARTIFACTS[name] for name in sorted(_FILE_ARTIFACTS))


def where_of(facts: FileFacts) -> Provenance:
    """The provenance of what is read from this file."""
    return Provenance(
        file_id=facts.file_id, domain=facts.domain, relative_path=facts.relative_path, sha256=facts.sha256
    )  # fmt: skip


def run_files(
    files: Files, names: Names, databases: Mapping[Place, Database | None], only: Collection[str] | None = None
) -> Iterator[Record | Issue]:
    """Run the file artifacts (those named in `only`, else all) on what the evidence holds.

    `databases` are those that are open already, None where there is none; others are opened as they are needed.
    """
    with ExitStack() as stack:
        opened = dict(databases)
        for each in file_artifacts():
            if only is not None and each.name not in only:
                continue
            for place in each.databases:
                if place not in opened:
                    try:
                        opened[place] = files.database(*place)
                    except DamagedError as trouble:
                        where = Provenance(file_id=None, domain=place[0], relative_path=place[1], sha256=None)
                        yield Issue(effect="lost", what=f"the database cannot be opened: {trouble}", where=where)
                        opened[place] = None
                    if (database := opened[place]) is not None:
                        stack.callback(database.close)
            found = {place: database for place in each.databases if (database := opened[place]) is not None}
            try:
                yield from each.parser(Holdings(files, names, found))
            except (DamagedError, *ROW_FAULTS) as trouble:
                where = Provenance(file_id=None, domain=each.places[0][0], relative_path=each.places[0][1], sha256=None)
                what = f"reading {each.title} stopped: {trouble or type(trouble).__name__}"
                yield Issue(effect="lost", what=what, where=where)
