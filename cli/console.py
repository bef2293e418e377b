"""The terminal. Everything that bagtag prints goes through here.

Rules: the result goes to stdout, the conversation to stderr with the prefix `bagtag:`. Evidence is hostile: a text that
a phone held may carry escape sequences (ECMA-48), bidirectional overrides (Unicode TR 36) or line breaks that forge
output, so each such character is written as its code point. Bars are drawn on a terminal only, and rich sees no text of
ours as markup. With `--json` stdout is JSON Lines in UTF-8, with the same characters escaped the JSON way.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from bagtag.custody.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

# C0, DEL and C1 controls; marks, overrides and isolates of the bidirectional algorithm; line and paragraph separators;
# zero-width characters (joiners excepted: Persian, Hindi and emoji need them); surrogates. Nothing else moves a cursor.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# The same in the UTF-8 of a JSON text; C0 controls never stand in one unescaped. Soft hyphen and zero-width space stay.
_UNSAFE_UTF8 = re.compile(
    b"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xef\xbf[\xb9-\xbb]"
)
_ASCII = bytes(range(0x80))
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


class OutputClosedError(Exception):
    """Whoever read our output has gone (`| head`): the command ends quietly."""


def safe(text: str) -> str:
    """The text on one line with every character that could steer a terminal or deceive a reader as its code point."""
    return _UNSAFE.sub(_code_point, text)


def block(text: str, indent: str) -> str:
    """A text of several lines, each indented: what stands in it can never pass for a line of ours."""
    return "\n".join(indent + safe(line) for line in text.split("\n"))


def result(line: str = "") -> None:
    """One line of the result. Pass evidence through `safe` or `block` first. Raises OutputClosedError."""
    try:
        sys.stdout.write(line + "\n")
    except BrokenPipeError as trouble:
        raise OutputClosedError from trouble


def json_line(value: Any) -> None:
    """One JSON line of the result. Raises OutputClosedError."""
    try:
        sys.stdout.buffer.write(encoded(value) + b"\n")
    except BrokenPipeError as trouble:
        raise OutputClosedError from trouble


def json_lines(lines: bytes) -> None:
    """Finished JSON lines of the result. Raises OutputClosedError."""
    try:
        sys.stdout.buffer.writelines(escaped(line) for line in lines.splitlines(keepends=True))
    except BrokenPipeError as trouble:
        raise OutputClosedError from trouble


def encoded(value: Any) -> bytes:
    """The value as JSON in which every character that could steer a terminal is escaped."""
    try:
        plain = msgspec.json.encode(value, enc_hook=_path)
    except UnicodeEncodeError:
        plain = msgspec.json.encode(_legible(msgspec.to_builtins(value, enc_hook=_path)))
    return escaped(plain)


def escaped(plain: bytes) -> bytes:
    """JSON texts in UTF-8 with every character that could steer a terminal escaped."""
    # Most lines hold little beyond ASCII: to look at that alone is many times as fast.
    if b"\x7f" not in plain and (plain.isascii() or not _UNSAFE_UTF8.search(plain.translate(None, _ASCII))):
        return plain
    return _UNSAFE_UTF8.sub(_json_escape, plain)


def flush() -> None:
    """Hand over everything that was printed. Raises OutputClosedError."""
    try:
        sys.stdout.flush()
    except BrokenPipeError as trouble:
        raise OutputClosedError from trouble


def discard_output() -> None:
    """Nobody reads stdout any more: what is still buffered goes nowhere, without a word at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def say(text: str) -> None:
    """One remark of the conversation on stderr; further lines of it are indented."""
    first, *rest = text.split("\n")
    lines = [f"bagtag: {safe(first)}", *(f"  {safe(line)}" for line in rest)]
    # A closed stderr must never end a command that works on evidence.
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()


def help_text(text: str) -> None:
    """A command's help on stderr, for a call that said too little. It is all our own text."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")


def table(rows: Iterable[Sequence[str]]) -> None:
    """Rows in aligned columns, the last one ragged. The cells are made safe here; all rows are held in memory."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        result("  ".join(padded).rstrip())


def number(count: int, one: str, several: str | None = None) -> str:
    """`1 file`, `1,234 files`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


class TerminalProgress:
    """Bars on stderr, drawn by rich from the first step on and erased at the end."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def step(self, title: str, total: int | None = None) -> None:
        """A new step begins: its bar takes the place of the last one."""
        if self._task is None:
            self._bars.start()
        else:
            self._bars.remove_task(self._task)
        self._task = self._bars.add_task(safe(title), total=total)

    def advance(self, amount: int = 1) -> None:
        """So much of the step has been done."""
        if self._task is not None:
            self._bars.advance(self._task, amount)

    def stop(self) -> None:
        """Erase the bar."""
        self._bars.stop()


_drawing: list[TerminalProgress] = []


@contextlib.contextmanager
def watching() -> Iterator[Progress]:
    """Progress for a long job: bars when stderr is a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    progress = TerminalProgress(
        Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False, highlight=False),
            transient=True,
        )
    )
    _drawing.append(progress)
    try:
        yield progress
    finally:
        _drawing.remove(progress)
        progress.stop()


FRACTIONS = 1000
"""The total of a step whose function tells a fraction of its work, 0 to 1."""


def fraction(progress: Progress) -> Callable[[float], None]:
    """A listener for such functions, told of a step of FRACTIONS. They call it from one thread at a time."""
    done = 0

    def tell(part: float) -> None:
        nonlocal done
        now = round(part * FRACTIONS)
        progress.advance(now - done)
        done = now

    return tell


def pause() -> None:
    """Erase a bar that is being drawn, so that a question can be asked; the next step draws one again."""
    for progress in _drawing:
        progress.stop()


def _path(value: Any) -> str:
    """The one type of ours that JSON does not know."""
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"JSON has no {type(value).__name__}")


def _code_point(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _json_escape(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode())


def _legible(value: Any) -> Any:
    """Text that is no Unicode (bytes of a broken name kept as surrogates) becomes U+FFFD, as everywhere in JSON."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_legible(key): _legible(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_legible(item) for item in value]
    return value
