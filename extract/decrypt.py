"""Extraction: the files of a backup decrypted into a folder, each with its line of the inventory.

Rows come out in the order of the index while workers read ahead: threads for few files, processes for many. A large
file is handed back by the worker that meets it and read by threads of this process, hashing on a second core where one
is idle. Memory is bounded by the look-ahead, not by the number or size of files.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from bagtag.custody.errors import PassphraseError, StoppedError
from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Outcome
from bagtag.extract.inventory import InventoryRow, legible
from bagtag.extract.manifest import DIRECTORY, FILE_ID, FileEntry
from bagtag.extract.naming import Names
from bagtag.extract.orphans import orphans
from bagtag.extract.reading.aside import Aside
from bagtag.extract.reading.blob import Blobs, Sink
from bagtag.extract.reading.content import Opened, blob_id
from bagtag.extract.reading.entry_reading import BAG_PREFIX, EntryReader, Read
from bagtag.extract.reading.set_keys import SetKeys
from bagtag.extract.reading.task import Task
from bagtag.extract.reading.worker import Setup
from bagtag.extract.reading.worker_pool import Processes, Threads, Workers
from bagtag.extract.reading.worker_process import usable_cores
from bagtag.extract.reading.written_file import make_folder
from bagtag.extract.selection import Selection
from bagtag.extract.stores.folder import FolderStore

Scope = Selection | Callable[[FileEntry], bool] | None
"""Which rows are asked for; None: all."""

LARGE = 8 * 1024 * 1024
"""Blobs beyond are read one at a time, apart from the others."""
_BATCH = 128
"""Rows handed to a worker at once: handing over one small file alone costs as much as reading it."""
_MANY = 512
"""After so many rows processes take over from threads: they take a tenth of a second to start."""
_MOST_THREADS = 8
_MOST_PROCESSES = 4
"""A worker process takes nearly 40 MiB, beside the 100 of the parent; measured with two."""
_LONGEST_PLAN = 1024
_MOST_PLANS = 64
_MOST_WAITING = 2048
"""Results that wait for a large file before them."""


def extract(
    backup: Backup,
    scope: Scope,
    files: Path | None,
    names: Names | None,
    *,
    also: Sequence[str] = (),
    workers: int | None = None,
    processes: int | None = None,
    done: Callable[[FileEntry], InventoryRow | None] | None = None,
    progress: Callable[[float], None] | None = None,
    prefix: str = BAG_PREFIX,
    folders: Path | None = None,
    with_orphans: bool = True,
) -> Iterator[InventoryRow]:
    """Read every row in scope once; the content goes below `files` (None: nowhere), at the place that `names` gives.

    Yields one inventory row for each manifest row, in the order of the index: `out-of-scope` ones carry nothing else;
    orphans come last. `also` names further digests (sha512, sha1, md5). `done` gives the finished row of an earlier
    run, whose file is then taken as it is. Below `folders` the backup's own folders are made too, empty ones included
    (a bag cannot hold those). `progress` hears the fraction done, 0 to 1. `workers` threads and `processes` do the
    work, by default as many as the cores allow, and processes for many rows alone.

    Raises PassphraseError while the backup is locked; StoppedError when the source or the output is gone or full.
    Files are not flushed to the disk here (`RunState` does). Closing the iterator stops the workers; a file that one
    of them was writing may be left in `files`, without a row.
    """
    rows = readings(
        backup, scope, files, names, also=also, workers=workers, processes=processes, done=done, progress=progress,
        prefix=prefix, folders=folders, with_orphans=with_orphans,
    )  # fmt: skip
    with closing(rows):
        for read in rows:
            yield read.row


def readings(
    backup: Backup,
    scope: Scope,
    files: Path | None,
    names: Names | None,
    *,
    also: Sequence[str] = (),
    workers: int | None = None,
    processes: int | None = None,
    done: Callable[[FileEntry], InventoryRow | None] | None = None,
    progress: Callable[[float], None] | None = None,
    prefix: str = BAG_PREFIX,
    folders: Path | None = None,
    with_orphans: bool = True,
) -> Generator[Read, None, None]:
    """As `extract`; each row comes with its line and with what the pass saw besides."""
    if backup.locked:
        raise PassphraseError("this backup is encrypted: nothing can be read without the passphrase")
    claimed: set[str] = set()
    tasks = _planned(backup, scope, names, done=done, claimed=claimed, folders=folders)
    setup = Setup(
        store=backup.store,
        keys=SetKeys(backup.state, backup.class_keys),
        record_reader=backup.manifest.reader,
        root=None if files is None else str(files),
        also=tuple(also),
        prefix=prefix,
        longest=LARGE,
    )
    total, count = max(backup.manifest.count(), 1), 0
    crew = _Crew(setup, workers, processes, at_once=_is_all(scope) and total >= _MANY)
    with closing(tasks), closing(crew):
        for read in crew.results(tasks):
            yield read
            count += 1
            if progress is not None and count % _BATCH == 0:
                progress(count / total)
    if with_orphans:
        for row in orphans(backup, Blobs(backup.store), claimed):
            yield Read(row)
    if progress is not None:
        progress(1.0)


def hash_entry(
    backup: Opened, entry: FileEntry, names: Names | None = None, sink: Sink | None = None, *, prefix: str = BAG_PREFIX
) -> InventoryRow:
    """The same pass over one row on demand; the content goes to `sink`, if there is one.

    `bag_path` is filled when `names` is given.
    """
    place = names.place(entry) if names is not None else None
    reader = EntryReader(backup, Blobs(backup.store), prefix=prefix)
    return reader.read(entry, place, None if sink is None else lambda _: sink, blob_id(backup.manifest, entry)).row


def included(scope: Scope, entry: FileEntry) -> bool:
    """Whether the row is in scope."""
    return scope is None or (scope.includes(entry) if isinstance(scope, Selection) else scope(entry))


def _is_all(scope: Scope) -> bool:
    return scope is None or (isinstance(scope, Selection) and scope.everything)


def out_of_scope(entry: FileEntry) -> InventoryRow:
    """The line of a row outside the scope: its fileID and nothing else."""
    return InventoryRow(file_id=legible(entry.file_id), outcome=Outcome.OUT_OF_SCOPE)


def _planned(
    backup: Backup,
    scope: Scope,
    names: Names | None,
    *,
    done: Callable[[FileEntry], InventoryRow | None] | None,
    claimed: set[str],
    folders: Path | None,
) -> Generator[Task | Read, None, None]:
    """What is to do for each row, in order. Runs in the caller's thread: the index is read here."""
    for entry in backup.manifest.entries():
        elsewhere = None if FILE_ID.fullmatch(entry.file_id) else blob_id(backup.manifest, entry)
        if elsewhere in claimed:
            elsewhere = None  # two rows without a usable fileID and of one name: the first has the blob
        elif elsewhere is not None:
            claimed.add(elsewhere)
        if not included(scope, entry):
            yield Read(out_of_scope(entry))
            continue
        ready = done(entry) if done is not None else None
        if ready is not None:
            yield Read(ready, finished_before=True)
            continue
        place = names.place(entry) if names is not None else None
        if folders is not None and place is not None and entry.flags == DIRECTORY and not place.renamed:
            make_folder(f"{folders}/{place.path}")
        yield Task(entry, place, elsewhere)


def _plans(tasks: Iterator[Task | Read]) -> Iterator[list[Task | Read]]:
    """The tasks in batches, with the rows between them that are ready."""
    plan: list[Task | Read] = []
    to_do = 0
    for item in tasks:
        plan.append(item)
        to_do += isinstance(item, Task)
        if to_do == _BATCH or len(plan) == _LONGEST_PLAN:
            yield plan
            plan, to_do = [], 0
    if plan:
        yield plan


class _Crew:
    """Those who read: workers for most rows, and threads for large files."""

    def __init__(self, setup: Setup, threads: int | None, processes: int | None, *, at_once: bool) -> None:
        self._cores = usable_cores()
        count = threads or min(self._cores, _MOST_THREADS)
        self._stop = threading.Event()
        self._setup = setup
        self._large_reader = setup.task_reader(self._stop, longest=None)
        self._large_pool = ThreadPoolExecutor(count, thread_name_prefix="large")
        self._large = 0
        self._lock = threading.Lock()
        self._workers: Workers = Threads(setup.task_reader(self._stop, longest=setup.longest), count)
        self._all_workers: list[Workers] = [self._workers]
        self._many = _MANY if processes is None else 0
        if processes is None:
            alone = threads is not None or self._cores == 1 or not isinstance(setup.store, FolderStore)
            processes = 0 if alone else min(self._cores, _MOST_PROCESSES)
        self._processes = processes
        self._starting: Processes | None = None
        if at_once and processes:
            self._start_processes()

    def results(self, tasks: Iterator[Task | Read]) -> Iterator[Read]:
        """What became of the tasks, in order."""
        given: deque[tuple[Workers | None, list[Task | Read]]] = deque()
        ready: deque[Read | Future[Read]] = deque()
        count = 0
        for plan in _plans(tasks):
            if self._processes and count >= self._many:
                self._start_processes()
            if self._starting is not None:
                self._hand_over(self._starting)
            to_do = [item for item in plan if isinstance(item, Task)]
            while given and not (self._workers.room() and len(given) < _MOST_PLANS):
                ready.extend(self._taken(*given.popleft()))
            if to_do:
                self._workers.give(to_do)
            given.append((self._workers if to_do else None, plan))
            count += len(to_do)
            yield from self._in_order(ready, _MOST_WAITING)
        while given:
            ready.extend(self._taken(*given.popleft()))
            yield from self._in_order(ready, _MOST_WAITING)
        yield from self._in_order(ready, 0)

    def close(self) -> None:
        """Stop them all."""
        self._stop.set()
        for workers in self._all_workers:
            workers.end()
        self._large_pool.shutdown(cancel_futures=True)

    def _start_processes(self) -> None:
        """Have processes started; where that fails, threads go on."""
        count, self._processes = self._processes, 0
        try:
            self._starting = Processes(self._setup, count)
        except (OSError, StoppedError):  # not to be started, or ended before it was told what to do
            return
        self._all_workers.append(self._starting)

    def _hand_over(self, processes: Processes) -> None:
        """Processes take over from threads, once they stand."""
        self._starting = None
        if processes.ready():
            self._workers = processes

    def _taken(self, workers: Workers | None, plan: list[Task | Read]) -> Iterator[Read | Future[Read]]:
        """The rows of a plan with what its workers did; large files are on their way then."""
        results = iter(workers.take() if workers is not None else ())
        found = [item if isinstance(item, Read) else next(results) or item for item in plan]
        with self._lock:
            self._large += sum(isinstance(item, Task) for item in found)
        for item in found:
            yield item if isinstance(item, Read) else self._large_pool.submit(self._read_large, item)

    def _read_large(self, task: Task) -> Read:
        try:
            with Aside(self._has_idle_core) as aside:
                return self._large_reader.read(task, aside)
        finally:
            with self._lock:
                self._large -= 1

    def _has_idle_core(self) -> bool:
        return self._large * 2 <= self._cores

    def _in_order(self, ready: deque[Read | Future[Read]], most: int) -> Iterator[Read]:
        """The results up to the first that is not there yet; when more than `most` wait behind it, that one too."""
        while ready:
            first = ready[0]
            if isinstance(first, Future):
                if not first.done() and len(ready) <= most:
                    return
                first = first.result()
            ready.popleft()
            yield first
