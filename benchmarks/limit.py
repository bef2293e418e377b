"""What the machine can do: a bare loop over the files of a backup, with everything known beforehand.

    python limit.py JOBS DEST

For each file: open and read the blob, SHA-256 of it, AES-CBC, strip the padding, SHA-256 of the content, write under a
temporary name, rename; no fsync. As many processes as there are cores, each with a share of the files by size. Only
the loop is timed, from the moment all processes are ready: not the start-up, the keys, the paths or the folders. The
seconds are printed.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from iphone_backup_decrypt import EncryptedBackup, utils

CHUNK = 1 << 20
BLOCK = 16
Job = tuple[str, str, str, int]
"""The blob, the key in hexadecimal, the path below DEST, the stored size."""


def prepare(backup: Path, passphrase: str, jobs: Path) -> None:
    """Write what the loop is to know, with iphone-backup-decrypt's reading of the index."""
    index = jobs.with_suffix(".db")
    reader = EncryptedBackup(backup_directory=str(backup), passphrase=passphrase)
    reader.save_manifest_file(str(index))
    found: list[Job] = []
    with closing(sqlite3.connect(f"file:{index}?immutable=1", uri=True)) as manifest:
        rows = "SELECT fileID, domain, relativePath, file FROM Files WHERE flags = 1 ORDER BY domain, relativePath"
        for file_id, domain, path, record in manifest.execute(rows):
            file = utils.FilePlist(record)
            blob = backup / file_id[:2] / file_id
            key = reader.keybag.unwrap_key_for_class(file.protection_class, file.encryption_key)
            found.append((str(blob), key.hex(), f"{domain}/{path}", blob.stat().st_size))
    index.unlink()
    jobs.write_text(json.dumps(found), encoding="utf-8")


def shares(jobs: Sequence[Job], count: int) -> list[list[Job]]:
    """Split the jobs into `count` shares of about the same number of bytes, each in the order of the jobs."""
    loads = [(0, number) for number in range(count)]
    owners: dict[str, int] = {}
    for blob, _, _, size in sorted(jobs, key=lambda job: (-job[3], job[0])):
        load, owner = heapq.heappop(loads)
        owners[blob] = owner
        heapq.heappush(loads, (load + size + 4096, owner))  # a file costs something whatever its size
    return [[job for job in jobs if owners[job[0]] == number] for number in range(count)]


def loop(jobs: Sequence[tuple[str, bytes, str]]) -> None:
    """The bare loop: (blob, key, target) of each file."""
    stored, plain = memoryview(bytearray(CHUNK)), memoryview(bytearray(CHUNK + BLOCK))
    for blob, key, target in jobs:
        source = os.open(blob, os.O_RDONLY)
        temporary = target + ".partial"
        sink = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        left = os.fstat(source).st_size
        decryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK))).decryptor()
        of_stored, of_plain = hashlib.sha256(), hashlib.sha256()
        while left:
            size = os.readv(source, [stored])
            left -= size
            of_stored.update(stored[:size])
            size = decryptor.update_into(stored[:size], plain)
            if not left:
                size -= plain[size - 1]
            of_plain.update(plain[:size])
            os.write(sink, plain[:size])
        of_stored.digest(), of_plain.digest()
        os.close(source)
        os.close(sink)
        os.replace(temporary, target)  # noqa: PTH105 - no object is to be made for a path here


def _work(line: Connection, share: Sequence[tuple[str, bytes, str]]) -> None:
    line.send(None)
    line.recv()
    loop(share)
    line.send(None)


def main(jobs: Path, dest: Path) -> None:
    """Run the loop and print how many seconds it took. EOFError when a process fails."""
    found: list[Job] = [tuple(job) for job in json.loads(jobs.read_text(encoding="utf-8"))]
    for folder in {(dest / path).parent for _, _, path, _ in found}:
        folder.mkdir(parents=True, exist_ok=True)
    context, lines, processes = get_context("fork"), [], []
    for share in shares(found, len(os.sched_getaffinity(0))):
        mine, its = context.Pipe()
        ready = [(blob, bytes.fromhex(key), str(dest / path)) for blob, key, path, _ in share]
        processes.append(context.Process(target=_work, args=(its, ready), daemon=True))
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
    main(Path(sys.argv[1]), Path(sys.argv[2]))
