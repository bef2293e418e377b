"""A worker: a process of its own that reads rows, decrypts and writes, so that Python's lock does not bind the cores.

Run as a script, never imported for its own sake: `python -I worker.py`. Standard input brings frames (u32 length, then
the bytes): first a pickled `Setup`, then pickled lists of tasks. Each list gets one frame on standard output, a msgpack
array of `Outcome`. Keys come over the pipe alone. The worker ends with its parent: at the end of standard input, or as
soon as it notices that it was left alone.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import traceback
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from bagtag.custody.errors import StoppedError
from bagtag.extract.manifest import FileEntry, RecordReader
from bagtag.extract.naming import Place
from bagtag.extract.reading.blob import Blobs
from bagtag.extract.reading.entry_reading import EntryReader, LargeBlobError
from bagtag.extract.reading.set_keys import SetKeys
from bagtag.extract.reading.task import Task, TaskReader
from bagtag.extract.stores.store import Store

Packed = tuple[int, str, str | None, str | None, int | None, bytes | None, str | None, bool, bool, str | None]
"""A task as it travels: the entry's fields, then the place's (path None: no place), then the name of the blob."""

LENGTH = struct.Struct("<I")
READY = b"ready"
"""The first frame that a worker sends."""
_FRAMES = 6
_GARBAGE = 50_000


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs to know. Files go below the folder `root`; blobs beyond `longest` bytes are handed back."""

    store: Store
    keys: SetKeys
    record_reader: RecordReader = field(repr=False)
    root: str | None
    also: tuple[str, ...]
    prefix: str
    longest: int

    def task_reader(self, stop: threading.Event, longest: int | None) -> TaskReader:
        """Does the tasks of this setup, but not those whose blob is longer than `longest`. `stop` ends it."""
        reader = EntryReader(self.keys, Blobs(self.store, stop), also=self.also, prefix=self.prefix, longest=longest)
        return TaskReader(reader, self.root)


class Outcome(msgspec.Struct, array_like=True, omit_defaults=True):
    """What became of one task: a line of the inventory with what else was seen, `large`, or why the run must end.

    `stopped`: message and hint of a StoppedError. `fault`: type of an exception and the lines of bagtag it came from.
    """

    line: bytes = b""
    head: bytes = b""
    modified: int | None = None
    large: bool = False
    stopped: tuple[str, str] | None = None
    fault: str | None = None


def packed(task: Task) -> Packed:
    """A task ready to travel."""
    entry, place, blob_id = task
    path, renamed, unsafe = (place.path, place.renamed, place.unsafe) if place is not None else (None, False, False)
    return (
        entry.rowid, entry.file_id, entry.domain, entry.relative_path, entry.flags, entry.record, path, renamed, unsafe,
        blob_id,
    )  # fmt: skip


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame; None at the end, also when the end comes inside a frame."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    frame = stream.read(length)
    return frame if len(frame) == length else None


def write_frame(stream: BinaryIO, frame: bytes) -> None:
    """Write one frame. Raises OSError when nobody reads any more."""
    stream.write(LENGTH.pack(len(frame)))
    stream.write(frame)
    stream.flush()


def main(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the questions end."""
    first = read_frame(questions)
    if first is None:
        return
    setup: Setup = pickle.loads(first)  # noqa: S301 - from our own parent, over a pipe that nobody else holds
    reader = setup.task_reader(threading.Event(), setup.longest)
    # Reading ahead and writing behind: the worker itself never waits for the parent.
    asked: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    told: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(questions, asked), daemon=True).start()
    threading.Thread(target=_speak, args=(answers, told), daemon=True).start()
    told.put(READY)
    parent, encoder = os.getppid(), msgspec.msgpack.Encoder()
    while (frame := asked.get()) is not None:
        outcomes = []
        for task in pickle.loads(frame):  # noqa: S301 - as above
            if os.getppid() != parent:
                return
            outcomes.append(_done(reader, setup, task))
        told.put(encoder.encode(outcomes))


def _done(reader: TaskReader, setup: Setup, task: Packed) -> Outcome:
    rowid, file_id, domain, relative_path, flags, record, path, renamed, unsafe, blob_id = task
    entry = FileEntry(rowid, file_id, domain, relative_path, flags, record, setup.record_reader)
    place = None if path is None else Place(path, renamed, unsafe)
    try:
        result = reader.read(Task(entry, place, blob_id))
    except LargeBlobError:
        return Outcome(large=True)
    except StoppedError as trouble:
        return Outcome(stopped=(trouble.message, trouble.hint))
    except Exception as trouble:  # noqa: BLE001 - a fault of ours, told to the parent without a word of the evidence
        return Outcome(fault=fault_of(trouble))
    return Outcome(result.line, result.head, result.modified)


def fault_of(trouble: Exception) -> str:
    """The type of an exception of ours and the lines it came from, without a word of the evidence."""
    places = [f"{frame.name}, line {frame.lineno}" for frame in traceback.extract_tb(trouble.__traceback__)]
    return f"{type(trouble).__name__} in {'; '.join(places[-_FRAMES:])}"


def _listen(questions: BinaryIO, asked: queue.SimpleQueue[Any]) -> None:
    while (frame := read_frame(questions)) is not None:
        asked.put(frame)
    asked.put(None)


def _speak(answers: BinaryIO, told: queue.SimpleQueue[bytes]) -> None:
    try:
        while True:
            write_frame(answers, told.get())
    except OSError:  # the parent is gone
        os._exit(1)


def ignore_signals() -> None:
    """A terminal sends its signals to the whole group: the parent decides what they mean."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


if __name__ == "__main__":
    ignore_signals()
    gc.freeze()
    gc.set_threshold(_GARBAGE)  # rows make no cycles; looking for them takes a twentieth of the time
    main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)
