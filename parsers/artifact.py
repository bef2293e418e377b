"""An artifact: one kind of evidence in a backup, the database it lies in and the function that reads it.

A parser is a generator of records and issues. The fence stands here: a parser that fails loses its own rows, as an
issue that says so, and never another artifact's; and every row of its tables is reconciled with what came out.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import msgspec

import bagtag.parsers
from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.files import Files
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.names import Names
from bagtag.parsers.records import Message, Record
from bagtag.parsers.rowids import Rowids

Place: TypeAlias = tuple[str, str]
"""(domain, relative path)."""

ROW_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)
"""What a row of hostile values can raise in code that meant well. Faults of the machine are none of these."""


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """A table's rows against what came out of it: `records` and `issues` count distinct rows.

    A row with both is counted as a record. Rows of join tables count as records when both ends exist.
    """

    artifact: str
    table: str
    rows: int
    records: int
    issues: int


@dataclass(slots=True)
class Account:
    """What a parser says about rows that are no record of their own: carried inside others, refused, or dangling."""

    records: dict[str, int] = field(default_factory=dict)
    issues: dict[str, int] = field(default_factory=dict)

    def carried(self, table: str, rows: int = 1) -> None:
        """`rows` further rows of the table are inside records."""
        self.records[table] = self.records.get(table, 0) + rows

    def reported(self, table: str, rows: int = 1) -> None:
        """`rows` further rows of the table are told in an issue or trace that names none of them as its own row."""
        self.issues[table] = self.issues.get(table, 0) + rows


class Lines(msgspec.Struct, frozen=True):
    """Records of one kind as finished lines of JSON: `rows` gives, by table, the runs of the rowids in them."""

    text: bytes
    rows: dict[str, list[tuple[int, int]]]


Parsed: TypeAlias = "Record | Issue"
Parser: TypeAlias = Callable[[Database, Files, Names, Account], Iterator[Parsed]]
LinesParser: TypeAlias = Callable[[Database, Files, Names, Account], "Iterator[Lines | Issue] | None"]
"""The same work by several processes; None where one is to do it."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A registered artifact: it writes records of the kinds `writes`, and accounts for every row of `tables`."""

    name: str
    title: str
    places: tuple[Place, ...]
    writes: tuple[type[Record], ...]
    tables: tuple[str, ...]
    parser: Parser


_ARTIFACTS: dict[str, Artifact] = {}
_IN_LINES: dict[str, LinesParser] = {}


def artifact(
    *, name: str, title: str, places: tuple[Place, ...], writes: tuple[type[Record], ...], tables: tuple[str, ...]
) -> Callable[[Parser], Parser]:
    """Register a parser: `title` for people, `places` where its database may lie, `tables` it reconciles."""

    def register(parser: Parser) -> Parser:
        _ARTIFACTS[name] = Artifact(name, title, places, writes, tables, parser)
        return parser

    return register


def in_lines(name: str) -> Callable[[LinesParser], LinesParser]:
    """Register a parser that gives the records of that artifact as lines."""

    def register(parser: LinesParser) -> LinesParser:
        _IN_LINES[name] = parser
        return parser

    return register


def artifacts() -> tuple[Artifact, ...]:
    """Every artifact there is, in a fixed order: the modules of this room are imported by name."""
    for module in sorted(each.name for each in pkgutil.walk_packages(bagtag.parsers.__path__, "bagtag.parsers.")):
        if not module.startswith("bagtag.parsers.formats"):
            importlib.import_module(module)
    return tuple(_ARTIFACTS[name] for name in sorted(_ARTIFACTS))


def short(where: Provenance) -> str:
    """The eight digits by which a record's id names its file: of the fileID, on a bare database of the sha256."""
    return (where.file_id or where.sha256 or "")[:8]


def run(
    files: Files, only: Collection[str] | None = None, names: Names | None = None
) -> Iterator[Record | Issue | Reconciled]:
    """Run the artifacts (those named in `only`, else all) on what the evidence holds.

    `names` are the backup's contact names; without it they are read first. Records of one artifact come in rowid order,
    then its `Reconciled` rows, then the next artifact. Raises nothing for damaged evidence: that comes as issues.
    """
    return cast("Iterator[Record | Issue | Reconciled]", _run(files, only, names, lines=False))


def run_in_lines(files: Files, only: Collection[str] | None = None) -> Iterator[Record | Lines | Issue | Reconciled]:
    """As `run`; where several processes can read, records come as finished lines. Raises StoppedError, too."""
    return _run(files, only, None, lines=True)


def _run(
    files: Files, only: Collection[str] | None, names: Names | None, *, lines: bool
) -> Iterator[Record | Lines | Issue | Reconciled]:
    wanted = [each for each in artifacts() if only is None or each.name in only]
    names = Names.read(files) if names is None else names
    with ExitStack() as opened:
        databases: dict[Place, Database | None] = {}
        for each in wanted:
            for place in each.places:
                if place not in databases:
                    try:
                        databases[place] = files.database(*place)
                    except DamagedError as trouble:
                        databases[place] = None
                        yield _unreadable(files, place, trouble)
                    else:
                        yield from _kept_open(opened, databases[place])
                database = databases[place]
                if database is not None:
                    yield from _fenced(each, database, files, names, lines=lines)
        from bagtag.parsers.file_artifact import run_files  # it registers with what stands here

        yield from run_files(files, names, databases, only)


def _kept_open(opened: ExitStack, database: Database | None) -> tuple[Issue, ...]:
    """See to it that the database is closed at the end; what was noticed when it was opened."""
    if database is None:
        return ()
    opened.callback(database.close)
    return database.issues


def _unreadable(files: Files, place: Place, trouble: DamagedError) -> Issue:
    facts = files.facts(*place)
    where = Provenance(
        file_id=facts.file_id if facts else None, domain=place[0], relative_path=place[1],
        sha256=facts.sha256 if facts else None,
    )  # fmt: skip
    return Issue(effect="lost", what=f"the database cannot be opened: {trouble}", where=where)


class _Tally:
    """Distinct rows seen in records and issues, per table."""

    def __init__(self, tables: tuple[str, ...]) -> None:
        self.records = {table: Rowids() for table in tables}
        self.issues = {table: Rowids() for table in tables}
        self._attachments = self.records.get("attachment")

    def see(self, item: Parsed | Lines) -> None:
        if isinstance(item, Lines):
            for table, runs in item.rows.items():
                for first, last in runs:
                    self.records[table].add_run(first, last)
            return
        if isinstance(item, Issue):
            if item.where is not None and item.where.rowid is not None and item.where.table in self.issues:
                self.issues[item.where.table].add(item.where.rowid)
            return
        if isinstance(item, Message) and self._attachments is not None:
            for attachment in item.attachments:
                self._attachments.add(attachment.rowid)
        where: Provenance | None = getattr(item, "provenance", None)
        if where is not None and where.rowid is not None and where.table in self.records:
            self.records[where.table].add(where.rowid)

    def issues_only(self, table: str) -> int:
        seen, records = self.issues[table], self.records[table]
        return sum(1 for first, last in seen.runs for rowid in range(first, last + 1) if rowid not in records)


def _fenced(
    each: Artifact, database: Database, files: Files, names: Names, *, lines: bool
) -> Iterator[Record | Lines | Issue | Reconciled]:
    account = Account()
    tally = _Tally(each.tables)
    try:
        found = _IN_LINES[each.name](database, files, names, account) if lines and each.name in _IN_LINES else None
        for item in each.parser(database, files, names, account) if found is None else found:
            tally.see(item)
            yield item
    except (DamagedError, *ROW_FAULTS) as trouble:
        what = f"reading {each.title} stopped: {trouble or type(trouble).__name__}"
        yield Issue(effect="lost", what=what, where=database.where)
    for table in each.tables:
        if table in database.tables:
            yield from _reconciled(each, table, database, tally, account)


def _reconciled(
    each: Artifact, table: str, database: Database, tally: _Tally, account: Account
) -> Iterator[Issue | Reconciled]:
    records = len(tally.records[table]) + account.records.get(table, 0)
    issues = tally.issues_only(table) + account.issues.get(table, 0)
    try:
        rows = database.count(table)
    except DamagedError as trouble:
        yield Issue(effect="lost", what=f"the rows of {table} cannot be counted: {trouble}", where=database.at(table))
        return
    yield Reconciled(artifact=each.name, table=table, rows=rows, records=records, issues=issues)
    if rows != records + issues:
        what = f"{table} has {rows} rows, of which {records} became records and {issues} issues"
        yield Issue(effect="lost", what=what, where=database.at(table))
