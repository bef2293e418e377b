"""The second reading: iphone-backup-decrypt, a tool by other hands, decrypts files again and the digests are compared.

It runs in a child process (`second_reader.py`), gets the derived key on standard input, keeps its decrypted index in a
private folder that is removed with the child, and is asked by fileID. It covers encrypted backups of iOS 10.2 and
later; what it does not cover or refuses is said, never passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from bagtag.custody.errors import StoppedError
from bagtag.extract.backup import Backup
from bagtag.extract.evidence import Issue, Provenance
from bagtag.extract.inventory import InventoryRow
from bagtag.extract.manifest import MAGIC
from bagtag.extract.stores.store import chunks
from bagtag.extract.workspace import Workspace

TOOL = "iphone-backup-decrypt"
Verdict = Literal["agree", "differ", "refused", "not-covered"]

_SCRIPT = Path(__file__).with_name("second_reader.py")
_COPIES = "backup"
_SAMPLE_PREFIX = "00"
_MOST_STARTS = 3
"""After so many deaths of the child every further file counts as refused."""
_MOST_REASONS = 1000
_SAFE_VARIABLES = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


class SecondReading(msgspec.Struct, kw_only=True):
    """One line of `second-reading.jsonl` (public contract, section 5)."""

    file_id: str
    sha256_first: str | None
    sha256_second: str | None
    verdict: Verdict
    tool: str
    version: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the second reader says about one file: digest and size, or why it refused."""

    sha256: str | None = None
    size: int | None = None
    error: str | None = None


class SecondReader:
    """The child process. A context manager: leaving it ends the child and removes its private folder."""

    def __init__(self, backup: Backup, workspace: Workspace) -> None:
        self._backup = backup
        self._key = backup.key
        self._private = workspace.new("second-reader")
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._error = "the second reader ended too often"

    def read(self, file_id: str, out: Path | None = None) -> Answer:
        """Decrypt that file again; with `out` its content stays there. Never raises for what the tool refuses."""
        if self._process is None and not self._start():
            return Answer(error=self._error)
        if self._backup.store.container is None:
            return self._answered(file_id, out)
        path = self._backup.blob_path(file_id)
        if path is None:
            return Answer(error="there is no such blob in the container")
        copy = self._private / _COPIES / path
        try:
            self._copied(path)
            return self._answered(file_id, out)
        except StoppedError:
            if self._backup.store.is_gone():
                raise
            return Answer(error="its member cannot be copied out of the container")
        finally:
            copy.unlink(missing_ok=True)

    def _answered(self, file_id: str, out: Path | None) -> Answer:
        answer = self._ask({"file_id": file_id, "out": None if out is None else str(out)})
        if answer is None:
            self._end()
            return Answer(error="the second reader ended without an answer")
        return Answer(sha256=answer.get("sha256"), size=answer.get("size"), error=answer.get("error"))

    def close(self) -> None:
        """End the child and remove what it left."""
        self._end()
        self._starts = _MOST_STARTS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> bool:
        if self._starts >= _MOST_STARTS:
            return False
        self._starts += 1
        self._private.mkdir(mode=0o700)
        environment = {name: os.environ[name] for name in _SAFE_VARIABLES if name in os.environ}
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._private))
        with (self._private / "said").open("wb") as said:
            self._process = subprocess.Popen(  # noqa: S603 - our own script, no shell
                [sys.executable, "-I", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment,
                cwd=self._private,
            )
        answer = self._ask({"folder": str(self._folder()), "key": self._key.hex()})
        if answer is not None and "error" not in answer:
            return True
        self._error = answer["error"] if answer else "the second reader did not start"
        self._end()
        self._starts = _MOST_STARTS  # it would refuse this backup again
        return False

    def _folder(self) -> Path:
        """The backup's folder. The tool knows no containers: of one it gets a folder with copies, blobs one by one."""
        store = self._backup.store
        if store.container is None:
            return store.path
        for path in ("Manifest.plist", "Manifest.db"):
            self._copied(path)
        return self._private / _COPIES

    def _copied(self, path: str) -> None:
        """A private copy of a file of the container. Raises StoppedError."""
        copy = self._private / _COPIES / path
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(copy, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as sink:
            sink.writelines(chunks(self._backup.store, path))

    def _ask(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """One question, one answer; None when the child is gone."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(json.dumps(question).encode("ascii") + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            return None
        if not line.endswith(b"\n"):
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:  # what was still to be written to a dead child
                        continue
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._private, ignore_errors=True)


class Crosscheck:
    """Compares digests with the second reader's. `totals` counts verdicts, `refusals` says why files were refused.

    `reason` says why nothing of this backup is covered; None when it is.
    """

    def __init__(self, backup: Backup, workspace: Workspace) -> None:
        self.reason = not_covered(backup)
        self.totals: Counter[Verdict] = Counter()
        self.refusals: dict[str, str] = {}
        self.version = version(TOOL)
        self._backup = backup
        self._workspace = workspace

    def compare(
        self, rows: Iterable[InventoryRow], progress: Callable[[int], None] | None = None
    ) -> Iterator[SecondReading]:
        """One reading for each row that has content; choose the rows with `in_sample` and `is_database`.

        `progress` hears how many were read.
        """
        with_content = (row for row in rows if row.plain is not None)
        if self.reason is not None:
            for row in with_content:
                yield self._reading(row, Answer(), "not-covered")
            return
        with SecondReader(self._backup, self._workspace) as reader:
            for count, row in enumerate(with_content, 1):
                answer = reader.read(row.file_id)
                yield self._reading(row, answer, _verdict(row, answer))
                if progress is not None:
                    progress(count)

    def issue(self, row: InventoryRow, reading: SecondReading) -> Issue | None:
        """What a reading means: `differ` is harmful, `refused` a note; None for the rest."""
        if reading.verdict not in {"differ", "refused"}:
            return None
        where = Provenance(
            file_id=row.file_id, domain=row.domain, relative_path=row.relative_path, sha256=reading.sha256_first
        )
        if reading.verdict == "differ":
            what = f"differ: {TOOL} {self.version} reads other content: {reading.sha256_second}"
            return Issue(effect="partial", what=what, where=where)
        why = self.refusals.get(row.file_id, "too many refusals to tell each reason")
        return Issue(effect="note", what=f"refused: {TOOL} {self.version} does not read this file: {why}", where=where)

    def _reading(self, row: InventoryRow, answer: Answer, verdict: Verdict) -> SecondReading:
        self.totals[verdict] += 1
        if verdict == "refused" and len(self.refusals) < _MOST_REASONS:
            self.refusals[row.file_id] = answer.error or ""
        return SecondReading(
            file_id=row.file_id,
            sha256_first=row.plain.sha256 if row.plain is not None else None,
            sha256_second=answer.sha256,
            verdict=verdict,
            tool=TOOL,
            version=self.version,
        )


def not_covered(backup: Backup) -> str | None:
    """Why the second reader cannot read this backup at all; None when it can."""
    if backup.index.form == "mbdb":
        return f"the index is a Manifest.mbdb, of iOS 4 to 9; {TOOL} reads iOS 10.2 and later"
    if backup.state == "plain":
        return f"the backup is not encrypted; {TOOL} reads encrypted ones alone"
    if backup.state == "already-plain":
        return f"the backup was decrypted in place; {TOOL} expects it encrypted"
    if backup.protection is not None:
        return f"the records of the index are encrypted the way iOS 10.0 did it; {TOOL} reads iOS 10.2 and later"
    if not backup.double_protection:
        return f"encrypted the way iOS 10.1 did it, its index plain; {TOOL} reads iOS 10.2 and later"
    if not backup.index_encrypted:
        return f"the index was decrypted in place; {TOOL} expects it encrypted"
    if backup.index.path != "Manifest.db" or backup.plists.manifest.snapshot:
        return f"the index or Manifest.plist lies in Snapshot/, where {TOOL} does not look"
    return None


def in_sample(file_id: str) -> bool:
    """Whether the file belongs to the sample that is read a second time: SHA-256 of its fileID begins with 00."""
    return hashlib.sha256(file_id.encode("utf-8", "surrogatepass")).hexdigest().startswith(_SAMPLE_PREFIX)


def is_database(head: bytes) -> bool:
    """Whether content with these first 16 bytes is an SQLite database: all of those are read a second time."""
    return head.startswith(MAGIC)


def _verdict(row: InventoryRow, answer: Answer) -> Verdict:
    if answer.sha256 is None:
        return "refused"
    return "agree" if row.plain is not None and answer.sha256 == row.plain.sha256 else "differ"
