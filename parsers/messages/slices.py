"""Slices: the message table of a large database, read by several processes at once and given as lines of JSON.

Python reads with one core alone, so each process reads every so many rows of the table (`slice_worker.py`), with what
hangs on them, and hands back finished lines; they come out in the order of the rows, the same bytes as one process
writes. Reading with a `-wal`, and files in a zip or tar, stay with one process.
"""

from __future__ import annotations

import pickle
import subprocess
from collections import deque
from collections.abc import Iterator

import msgspec

from bagtag.custody.errors import StoppedError
from bagtag.extract.evidence import Issue
from bagtag.extract.files import Files
from bagtag.extract.handed_over import HandedDatabase
from bagtag.extract.reading.worker import READY, read_frame, write_frame
from bagtag.extract.reading.worker_process import died, end, started, usable_cores
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers.artifact import Account, Lines, in_lines
from bagtag.parsers.messages.attachments import Attachments
from bagtag.parsers.messages.messages import MessageTable, lost_rows, rows_alone
from bagtag.parsers.messages.people import People
from bagtag.parsers.messages.slice_worker import SCRIPT, Setup, Slice, read
from bagtag.parsers.names import Names, home_region
from bagtag.parsers.rowids import Rowids

ROWS = 2_000
"""Rows of one slice: a few megabytes of lines."""
MANY = 20_000
"""With fewer rows one process is done before others stand."""
_AHEAD = 3
_MOST_SLICES = 100_000
_MOST_PROCESSES = 4
_ROWID = "SELECT rowid FROM message WHERE rowid > ? ORDER BY rowid LIMIT 1 OFFSET ?"
_LAST = 2**63 - 1


@in_lines("messages")
def messages_in_lines(
    database: Database, files: Files, names: Names, account: Account
) -> Iterator[Lines | Issue] | None:
    """The lines of all messages, then what `messages` yields after them; None for a table that is read another way.

    Raises, while it is read, DamagedError where the table cannot be read on, StoppedError when a process ends early.
    """
    if not {"message", "handle"} <= database.tables:
        return None
    count = min(usable_cores(), _MOST_PROCESSES)
    handed = files.hand_over()
    alone = count == 1 or database.main_only is not None or not (files.bare or handed is not None)
    if alone or _has_few(database):
        readers = None
    else:
        readers = _standing(Setup(HandedDatabase(database.path, database.where), handed, names), count)
    if readers is None:
        found = _read_alone(MessageTable(database, files, names, for_lines=True), database)
    else:
        found = _read(readers, database)
    return _lines(found, database, files, names, account)


def _has_few(database: Database) -> bool:
    """Whether one process is done soon; of a damaged table nobody can tell, and one reads it."""
    try:
        return next(database.rows(_ROWID, (-_LAST, MANY)), None) is None
    except DamagedError:
        return True


def _lines(
    slices: Iterator[Slice], database: Database, files: Files, names: Names, account: Account
) -> Iterator[Lines | Issue]:
    carried, lost = Rowids(), Rowids()
    for found in slices:
        yield Lines(found.lines, {"message": found.rowids, "attachment": found.attachments})
        for first, last in found.attachments:
            carried.add_run(first, last)
        for first, last in found.lost:
            lost.add_run(first, last)
        yield from found.issues
        if found.damage is not None:
            raise DamagedError(found.damage)
    yield from lost_rows(database, lost)
    people = People(database, names.matcher(home_region(database)))
    yield from rows_alone(database, people, Attachments(database, files), carried, account)


def _standing(setup: Setup, count: int) -> _Readers | None:
    """The processes, once they stand; None where they cannot be had."""
    try:
        readers = _Readers(setup, count)
    except (OSError, StoppedError):  # not to be started, or ended before it was told what to do
        return None
    if readers.ready():
        return readers
    readers.end()
    return None


class _Readers:
    """The processes, asked in turn."""

    def __init__(self, setup: Setup, count: int) -> None:
        """Start them. Raises OSError, StoppedError."""
        self._processes: list[subprocess.Popen[bytes]] = []
        self._asked: deque[subprocess.Popen[bytes]] = deque()
        self._decoder = msgspec.msgpack.Decoder(Slice)
        first = pickle.dumps(setup)
        try:
            for _ in range(count):
                self._processes.append(started(SCRIPT))
                self._send(self._processes[-1], first)
        except BaseException:
            self.end()
            raise
        self.ahead = _AHEAD * count

    def ask(self, number: int, question: tuple[int, int] | None) -> None:
        """Ask for the rows from the first to the last number; None: for what went wrong beside them."""
        process = self._processes[number % len(self._processes)]
        self._asked.append(process)
        self._send(process, pickle.dumps(question))

    def answer(self) -> Slice:
        """The oldest answer."""
        process = self._asked.popleft()
        frame = read_frame(process.stdout) if process.stdout is not None else None  # type: ignore[arg-type]
        if frame is None:
            raise died(process)
        return self._decoder.decode(frame)

    def ready(self) -> bool:
        """Whether all of them stand."""
        return all(
            process.stdout is not None and read_frame(process.stdout) == READY  # type: ignore[arg-type]
            for process in self._processes
        )

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._processes)

    def end(self) -> None:
        """End them at once: they write nothing."""
        end(self._processes)

    def _send(self, process: subprocess.Popen[bytes], frame: bytes) -> None:
        assert process.stdin is not None
        try:
            write_frame(process.stdin, frame)  # type: ignore[arg-type]
        except OSError as trouble:
            raise died(process) from trouble


def _read_alone(table: MessageTable, database: Database) -> Iterator[Slice]:
    """The slices as one process reads them."""
    for first, last in _limits(database):
        yield read(table, first, last)
    yield Slice(issues=[*table.log.removed(database), *table.damages()])


def _read(readers: _Readers, database: Database) -> Iterator[Slice]:
    try:
        waiting = 0
        for number, limits in enumerate(_limits(database)):
            readers.ask(number, limits)
            waiting += 1
            if waiting >= readers.ahead:
                yield _sound(readers.answer())
                waiting -= 1
        for _ in range(waiting):
            yield _sound(readers.answer())
        for number in range(readers.count):
            readers.ask(number, None)
        damages = [issue for _ in range(readers.count) for issue in _sound(readers.answer()).issues]
        yield Slice(issues=_distinct(damages))
    finally:
        readers.end()


def _sound(found: Slice) -> Slice:
    if found.fault is not None:
        raise RuntimeError(f"a worker failed: {found.fault}")
    return found


def _limits(database: Database) -> Iterator[tuple[int, int]]:
    """The first and the last rowid of each slice, in order."""
    last = -_LAST - 1
    while True:
        try:
            found = next(database.rows(_ROWID, (last, ROWS - 1)), None)
        except DamagedError:
            yield from _by_number(database, last + 1)
            return
        if found is None:
            yield last + 1, _LAST
            return
        yield last + 1, found[0]
        last = found[0]


def _by_number(database: Database, first: int) -> Iterator[tuple[int, int]]:
    """The slices of a table that cannot be counted through, by rowids alone; the last one is open.

    How many rows lie in one is not known, but no more than it has rowids, unless those are odd.
    """
    try:
        ((end,),) = database.rows("SELECT rowid FROM message ORDER BY rowid DESC LIMIT 1")
    except (DamagedError, ValueError):
        end = first
    start = max(first, 0)
    step = max(ROWS, (end - start) // _MOST_SLICES)
    while start + step <= end:
        yield first, start + step - 1
        first = start = start + step
    yield first, _LAST


def _distinct(issues: list[Issue]) -> list[Issue]:
    """Each process has its own cursors, and meets the same damage."""
    return [issue for number, issue in enumerate(issues) if issue not in issues[:number]]
