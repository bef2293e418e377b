"""What the machine can hash: SHA-256 of every file below a folder, in as many processes as there are cores.

    python hashing.py FOLDER

Each process has a share of the files by size, and only the loop is timed, from the moment all are ready. The seconds
are printed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from limit import CHUNK, shares


def loop(paths: Sequence[str]) -> None:
    """The bare loop."""
    buffer = memoryview(bytearray(CHUNK))
    for path in paths:
        source = os.open(path, os.O_RDONLY)
        digest = hashlib.sha256()
        while size := os.readv(source, [buffer]):
            digest.update(buffer[:size])
        digest.digest()
        os.close(source)


def _work(line: Connection, paths: Sequence[str]) -> None:
    line.send(None)
    line.recv()
    loop(paths)
    line.send(None)


def main(folder: Path) -> None:
    """Run the loop and print how many seconds it took. EOFError when a process fails."""
    found = [str(Path(parent, name)) for parent, _, names in os.walk(folder) for name in names]
    jobs = [(path, "", "", Path(path).stat().st_size) for path in sorted(found)]
    context, lines, processes = get_context("fork"), [], []
    for share in shares(jobs, len(os.sched_getaffinity(0))):
        mine, its = context.Pipe()
        processes.append(context.Process(target=_work, args=(its, [path for path, *_ in share]), daemon=True))
        processes[-1].start()
        its.close()
        lines.append(mine)
    for line in lines:
        line.recv()
    started = time.perf_counter()
    for line in lines:
        line.send(None)
    for line in lines:
        line.recv()
    print(time.perf_counter() - started)
    for process in processes:
        process.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
