"""The custody log: append-only, hash-chained JSON lines, the same log from the seizure to the archive.

Each step of work writes an intent before it begins and an outcome after it ended, so that a killed run leaves an
open intent behind. Nothing is ever edited: a line that a crash cut short stays, and an `error` line names it.
The shape of a line is in `bagtag.custody.line`, what makes a whole log sound in `bagtag.custody.chain`.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import platform
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bagtag.custody import durable
from bagtag.custody.errors import BagtagError, StoppedError, UsageError
from bagtag.custody.line import (
    GENESIS,
    MAX_LINE,
    Artifact,
    CustodyLine,
    Event,
    Result,
    SignedLine,
    clean,
    cleaned,
    decode,
    digest,
    encode,
    masked,
    this_tool,
)  # fmt: skip
from bagtag.custody.times import Moment, now

if TYPE_CHECKING:
    from bagtag.custody.signer import Signer  # at run time whoever signs has loaded it: its library takes a while

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        # A byte far behind any end: Windows locks are mandatory, and readers of the log must not meet this one.
        os.lseek(handle, 1 << 40, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one place of the log. `line` is None when it is no custody line, and `trouble` says why."""

    number: int
    raw: bytes
    complete: bool
    line: CustodyLine | SignedLine | None
    trouble: str | None

    @property
    def sha256(self) -> str:
        """What the next line's `prev` must be."""
        return digest(self.raw)

    def named(self) -> Artifact:
        """This place as the `error` line names it after a crash."""
        return Artifact(f"custody.jsonl line {self.number}", len(self.raw), self.sha256)


def read(path: Path) -> Iterator[Entry]:
    """Every place of the log, in order, readable or not. Raises OSError when the file cannot be read."""
    with durable.open_regular(path) as file:
        yield from entries(file)


def entries(file: BinaryIO) -> Iterator[Entry]:
    """The same of an open log, which may lie in a container."""
    number = 0
    while raw := file.readline(MAX_LINE):
        complete = raw.endswith(b"\n")
        raw = raw.removesuffix(b"\n")
        line, trouble = None, None
        try:
            line = decode(raw)
        except ValueError as reason:
            trouble = str(reason)
        yield Entry(number, raw, complete, line, trouble)
        number += 1


class CustodyLog:
    """A log that is written to. Several processes may: each line is appended under a lock on the file itself."""

    def __init__(self, path: Path, clock: Callable[[], Moment], host: str) -> None:
        self.path = path
        self._clock = clock
        self._host = host

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], Moment] = now, host: str | None = None) -> CustodyLog:
        """The log at `path`; the first line makes the file. Raises UsageError when something else lies there."""
        if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
            raise UsageError(f"{path} is no regular file", hint="name the custody.jsonl of an evidence folder")
        return cls(path, clock, host if host is not None else platform.node() or "unknown")

    def append(
        self,
        event: Event,
        *,
        result: Result,
        actor: str,
        reason: str | None = None,
        authority: str | None = None,
        command: Sequence[str] | None = None,
        inputs: Sequence[Artifact] = (),
        outputs: Sequence[Artifact] = (),
        note: str | None = None,
        signer: Signer | None = None,
    ) -> CustodyLine:
        """Write one line and have it on the disk. Sequence, times, host, tool and chain are filled in here.

        A line that a crash cut short, and a clock that went back, each get a line of their own first. `signer` signs
        the line in the one after it: no other writer comes between.
        Raises UsageError when the log cannot be written, StoppedError when the disk is full.
        """
        if event == "signed":
            raise ValueError("a signature has a line of its own shape")
        with self._held() as handle:
            end = self._end()
            out = bytearray()

            def add(kind: Event, outcome: Result, **more: object) -> CustodyLine:
                nonlocal end
                line = CustodyLine(
                    seq=end.count, event=kind, at=moment.at, at_local=moment.at_local, zone=moment.zone,
                    clock=moment.clock, actor=clean(actor), host=clean(self._host), tool=this_tool(), result=outcome,
                    prev=end.head, **{**_NOTHING, **more},  # type: ignore[arg-type]
                )  # fmt: skip
                raw = encode(line)
                if len(raw) >= MAX_LINE:
                    raise UsageError(f"a custody line of {len(raw)} bytes", hint="shorten the note or the command")
                out.extend(raw + b"\n")
                end = _End(end.count + 1, digest(raw), max(end.last_at, line.at), None)
                return line

            moment = self._clock()
            if end.torn is not None:
                out.extend(b"\n")
                add("error", "issues", inputs=(end.torn.named(),), note=_TORN)
            if moment.at < end.last_at:
                add("clock-anomaly", "issues", note=f"the clock went back: a line before says {end.last_at}")
            written = add(
                event,
                result,
                reason=_clean(reason),
                authority=_clean(authority),
                command=None if command is None else masked(command),
                inputs=cleaned(inputs),
                outputs=cleaned(outputs),
                note=_clean(note),
            )
            if signer is not None:
                out += encode(_signature(signer, written.seq, encode(written), moment.at)) + b"\n"
            _write_all(handle, bytes(out))
            return written

    def sign(self, signer: Signer) -> SignedLine:
        """Sign the last line of the log, which by its `prev` holds all before it, in a line of its own.

        Raises UsageError when there is no whole line to sign or the log cannot be written, StoppedError on a full disk.
        """
        if not self.path.exists():
            raise UsageError(f"there is no {self.path}", hint="name an evidence folder")
        with self._held() as handle:
            last = deque(read(self.path), maxlen=1)
            if not last or last[0].line is None or not last[0].complete:
                raise UsageError(
                    f"{self.path} ends with no whole custody line", hint="`bagtag custody verify` says what is wrong"
                )
            line = _signature(signer, last[0].number, last[0].raw, self._clock().at)
            _write_all(handle, encode(line) + b"\n")
            return line

    def go_on_from(self, other: Path) -> None:
        """Have this log begin with the bytes of `other`, all of them; a new or half-made copy of it is completed.

        Raises UsageError, with the line, when it begins otherwise, or when either cannot be read or written.
        """
        with self._held() as handle, durable.open_regular(other) as source, durable.open_regular(self.path) as ours:
            number, ended = 0, False
            while line := source.readline(MAX_LINE):
                # What is appended here stands behind the end where `ours` met it, and is not read again.
                held = b"" if ended else ours.readline(len(line))
                ended = len(held) < len(line)
                if not line.startswith(held) or (ended and held and ours.read(1)):
                    raise UsageError(
                        f"{self.path} does not begin with {other}: it differs from line {number} on",
                        hint="a log that is kept elsewhere goes on from the folder's own; name that file, or a new one",
                    )
                _write_all(handle, line[len(held) :])
                number += line.endswith(b"\n")

    def begin(
        self,
        event: Event,
        *,
        actor: str,
        reason: str | None = None,
        authority: str | None = None,
        command: Sequence[str] | None = None,
        inputs: Sequence[Artifact] = (),
        note: str | None = None,
    ) -> CustodyLine:
        """Write the intent of a step. Hand it to `finish` when the step has ended, however it ended."""
        return self.append(
            event, result="begun", actor=actor, reason=reason, authority=authority, command=command, inputs=inputs,
            note=note,
        )  # fmt: skip

    def finish(
        self,
        intent: CustodyLine,
        *,
        result: Result,
        inputs: Sequence[Artifact] | None = None,
        outputs: Sequence[Artifact] = (),
        note: str | None = None,
    ) -> CustodyLine:
        """Write the outcome of a step. It repeats the intent's event, actor, reason, authority, command and inputs."""
        return self.append(
            intent.event, result=result, actor=intent.actor, reason=intent.reason, authority=intent.authority,
            command=intent.command, inputs=intent.inputs if inputs is None else inputs, outputs=outputs, note=note,
        )  # fmt: skip

    def open_intents(self) -> list[CustodyLine]:
        """Intents without an outcome, oldest first. An outcome closes the latest open intent of its event."""
        if not self.path.exists():
            return []
        return open_intents(entry.line for entry in read(self.path))

    @property
    def head(self) -> str:
        """SHA-256 of the last line; 64 zeros while there is none."""
        return self._end().head

    @property
    def torn(self) -> bool:
        """Whether the last line was cut short: the next `append` closes it, and `sign` does not sign it."""
        return self._end().torn is not None

    def _end(self) -> _End:
        end = _End(0, GENESIS, "", None)
        if not self.path.exists():
            return end
        for entry in read(self.path):
            at = end.last_at if entry.line is None else max(end.last_at, entry.line.at)
            end = _End(entry.number + 1, entry.sha256, at, None if entry.complete else entry)
        return end

    @contextlib.contextmanager
    def _held(self) -> Iterator[int]:
        new = not self.path.exists()
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
            handle = os.open(self.path, flags, durable.PRIVATE_FILE)
            try:
                _lock(handle)
                size = os.fstat(handle).st_size
                try:
                    yield handle
                    os.fsync(handle)
                except OSError:
                    # Nobody was told that these lines are written: half of them stays no more than all of them, so
                    # that the same command, given again, writes none twice.
                    with contextlib.suppress(OSError):
                        os.ftruncate(handle, size)
                    raise
            finally:
                os.close(handle)  # which frees the lock
            if new:
                durable.flush_folder(self.path.parent)
        except OSError as trouble:
            raise _unwritable(self.path, trouble) from trouble


@dataclass(frozen=True, slots=True)
class _End:
    count: int
    head: str
    last_at: str
    torn: Entry | None


_TORN = "the line before was cut short, as a crash does; it stands as it was found, closed with a newline"
_NOTHING: dict[str, object] = {
    "reason": None, "authority": None, "command": None, "inputs": (), "outputs": (), "note": None,
}  # fmt: skip


def open_intents(lines: Iterator[CustodyLine | SignedLine | None]) -> list[CustodyLine]:
    """The intents among `lines` that no later outcome of the same event closes, oldest first."""
    still: list[CustodyLine] = []
    for line in lines:
        if not isinstance(line, CustodyLine):
            continue
        if line.result == "begun":
            still.append(line)
            continue
        latest = next((intent for intent in reversed(still) if intent.event == line.event), None)
        if latest is not None:
            still.remove(latest)
    return still


def _signature(signer: Signer, number: int, raw: bytes, at: str) -> SignedLine:
    """The line that signs line `number`, whose bytes are `raw`, and follows it."""
    head = digest(raw)
    return SignedLine(
        seq=number + 1, event="signed", at=at, of=head, keyid=signer.keyid,
        sig=base64.b64encode(signer.sign(raw)).decode("ascii"), prev=head,
    )  # fmt: skip


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _unwritable(path: Path, trouble: OSError) -> BagtagError:
    if trouble.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
        return StoppedError(
            f"the custody log {path} could not be written: {trouble.strerror}",
            hint="make room (or bring the drive back) and run the same command again",
        )
    return UsageError(
        f"the custody log {path} cannot be written: {trouble.strerror or trouble}",
        hint="make the folder writable; where it must stay read-only, keep the log in a file elsewhere: --log FILE",
    )
