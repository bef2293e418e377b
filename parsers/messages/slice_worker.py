"""A process that reads slices of the message table and hands back lines of JSON; run as a script, see `slices.py`.

Standard input brings frames: a pickled `Setup`, then pickled questions, each the first and last rowid of a slice, in
ascending order, and None at the end. Each gets one frame on standard output, a `Slice` in msgpack.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from bagtag.extract.evidence import Issue
from bagtag.extract.files import BareFiles, Files, HandedFiles
from bagtag.extract.handed_over import HandedDatabase
from bagtag.extract.reading.worker import READY, fault_of, ignore_signals, read_frame, write_frame
from bagtag.extract.sqlite import DamagedError
from bagtag.parsers.messages.messages import MessageTable
from bagtag.parsers.names import Names
from bagtag.parsers.records import Message
from bagtag.parsers.rowids import Rowids

SCRIPT = Path(__file__)
_GARBAGE = 50_000


class Slice(msgspec.Struct, array_like=True, omit_defaults=True):
    """What a slice gave: lines of messages, the runs of their rowids and of their attachments' rowids, issues.

    `lost` are the runs of rowids on damaged pages. `damage` says why the table could not be read on, `fault` where
    bagtag itself failed.
    """

    lines: bytes = b""
    rowids: list[tuple[int, int]] = []
    attachments: list[tuple[int, int]] = []
    issues: list[Issue] = []
    damage: str | None = None
    fault: str | None = None
    lost: list[tuple[int, int]] = []


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process needs to know; `handed` is None for a lone database."""

    database: HandedDatabase
    handed: HandedFiles | None = field(repr=False)
    names: Names = field(repr=False)

    @contextmanager
    def files(self) -> Iterator[Files]:
        """The files of the evidence, opened anew."""
        if self.handed is None:
            yield BareFiles(self.database.path, None)
            return
        with self.handed.opened() as files:
            yield files


def main(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the questions end."""
    first = read_frame(questions)
    if first is None:
        return
    setup: Setup = pickle.loads(first)  # noqa: S301 - from our own parent, over a pipe that nobody else holds
    encoder = msgspec.msgpack.Encoder()
    with setup.database.opened() as database, setup.files() as files:
        table = MessageTable(database, files, setup.names, for_lines=True)
        write_frame(answers, READY)
        while (frame := read_frame(questions)) is not None:
            question: tuple[int, int] | None = pickle.loads(frame)  # noqa: S301 - as above
            try:
                found = Slice(issues=list(table.damages())) if question is None else read(table, *question)
            except Exception as trouble:  # noqa: BLE001 - a fault of ours, told without a word of the evidence
                found = Slice(fault=fault_of(trouble))
            write_frame(answers, encoder.encode(found))


def read(table: MessageTable, first: int, last: int) -> Slice:
    """The slice from the row `first` to the row `last`."""
    rowids, attachments, issues = Rowids(), Rowids(), list[Issue]()
    lines: list[bytes] = []
    encode, damage = msgspec.json.Encoder().encode, None
    try:
        for item in table.between(first, last):
            if isinstance(item, Message):
                try:
                    lines.append(encode(item))
                except UnicodeEncodeError as trouble:
                    what = f"a message cannot be written as JSON: {trouble.reason}"
                    issues.append(Issue(effect="lost", what=what, where=item.provenance))
                    continue
                rowids.add(item.provenance.rowid or 0)
                for attachment in item.attachments:
                    attachments.add(attachment.rowid)
            else:
                issues.append(item)
    except DamagedError as trouble:
        damage = str(trouble)
    lines.append(b"")
    lost, table.lost = table.lost.runs, Rowids()
    return Slice(b"\n".join(lines), rowids.runs, attachments.runs, issues, damage, lost=lost)


if __name__ == "__main__":
    ignore_signals()
    gc.freeze()
    gc.set_threshold(_GARBAGE)  # rows make no cycles
    try:
        main(sys.stdin.buffer, sys.stdout.buffer)
    except OSError:  # the parent is gone
        os._exit(1)
    os._exit(0)
