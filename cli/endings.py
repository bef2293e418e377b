"""How a command ends: every exception becomes an exit code of the public contract and a sentence on stderr.

Never a bare traceback: its lines may quote evidence or a secret. What a fault report shows is the type of the
exception, the version, and where in bagtag it happened.
"""

from __future__ import annotations

import errno
import platform
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import typer

from bagtag.cli import console, interrupts
from bagtag.custody.errors import BagtagError, EvidenceError, StoppedError, UsageError

DONE, ISSUES, USAGE, FAILED, STOPPED, FAULT = 0, 1, 2, 4, 5, 70

_INTERRUPTED = 130
_DISK = frozenset({errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.ENODEV, errno.ENXIO})
_SQLITE_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_FRAMES = 6
# Typer brings its own copy of click since 0.26 and used the package before; this is the class in either.
_CALL_ERROR: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def ended(call: Callable[[], object]) -> int:
    """Run a command and return its exit code; whatever it raised has been said.

    Signals count inside the fence alone: one that comes when the command is done changes nothing any more.
    """
    try:
        with interrupts.counted():
            code = call()
            console.flush()
    except console.OutputClosedError:
        console.discard_output()
        return DONE
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except BagtagError as trouble:
        return _explained(trouble)
    except _CALL_ERROR as trouble:
        return _wrong_call(trouble)
    except Exception as trouble:  # noqa: BLE001 - the last fence: whatever comes here is reported as a fault
        return _explained(stopped) if (stopped := _of_the_disk(trouble)) else _fault(trouble)
    # Typer turns an interrupt into this code before it can be seen here.
    return _stopped() if code == _INTERRUPTED else code if isinstance(code, int) else DONE


@contextmanager
def resumable(partial: Path) -> Iterator[None]:
    """Work that keeps its state in `partial`: a signal or a failing disk becomes a StoppedError that says so."""
    hint = "run the same command again: it continues"
    try:
        yield
    except KeyboardInterrupt as trouble:
        if not partial.is_dir():
            raise
        raise StoppedError(f"stopped; the state is kept in {partial}", hint=hint) from trouble
    except (OSError, sqlite3.OperationalError) as trouble:
        if (stopped := _of_the_disk(trouble)) is None or not isinstance(stopped, StoppedError):
            raise
        raise StoppedError(
            f"{stopped.message}; the state is kept in {partial}", hint=f"make room or reconnect, then {hint}"
        ) from trouble


def _of_the_disk(trouble: Exception) -> BagtagError | None:
    """The trouble as an error of the disk or of access to it; None when it is neither."""
    if isinstance(trouble, sqlite3.OperationalError):
        # The low byte is the primary code, the rest tells which operation failed.
        if getattr(trouble, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DISK:
            return StoppedError(f"stopped: {trouble}", hint="make room or reconnect the drive, then run it again")
        return None
    if not isinstance(trouble, OSError):
        return None
    where = f": {trouble.filename}" if isinstance(trouble.filename, str) else ""
    if trouble.errno in _DISK:
        return StoppedError(
            f"stopped: {trouble.strerror}{where}", hint="make room or reconnect the drive, then run it again"
        )
    if isinstance(trouble, PermissionError):
        return EvidenceError(
            f"not permitted{where}", hint="on macOS the terminal needs Full Disk Access to read backups"
        )
    return None


def _stopped() -> int:
    console.say("stopped before it was done; the backup is as it was")
    return STOPPED


def _explained(trouble: BagtagError) -> int:
    console.say(trouble.message)
    if trouble.hint:
        console.say(f"hint: {trouble.hint}")
    return trouble.exit_code


def _wrong_call(trouble: Exception) -> int:
    """A call that the parser of the command line refused. Its message quotes argv, which holds no secret."""
    if type(trouble).__name__ == "NoArgsIsHelpError":
        console.help_text(str(trouble))
        return UsageError.exit_code
    context = getattr(trouble, "ctx", None)
    command = getattr(context, "command_path", "bagtag")
    message = str(getattr(trouble, "message", "") or "")
    telling = getattr(trouble, "format_message", None)
    console.say(str(telling()) if callable(telling) else message)
    console.say(f"hint: `{command} --help` shows what can be asked, with an example")
    return UsageError.exit_code


def _fault(trouble: Exception) -> int:
    frames = [
        f"{name}, line {line}, in {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trouble.__traceback__)
        if str(name := frame.f_globals.get("__name__", "")).startswith("bagtag.")
    ]
    console.say(
        "\n".join(
            [
                f"fault in bagtag itself: {type(trouble).__name__}",
                "please report what you called together with these lines; they hold nothing from the evidence:",
                f"bagtag {version('bagtag')}, Python {platform.python_version()}, {platform.system()}",
                *frames[-_FRAMES:],
            ]
        )
    )
    return FAULT
