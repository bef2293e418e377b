"""Ctrl-C and a request to end (SIGTERM, a closed terminal), once and again: the exit code is 5 each time.

The first stops a command in good order: working files are removed, the state is kept. Any further one ends the process
on the spot; what the journal names is on the disk already. Imports nothing of ours, so that it can listen first.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from types import FrameType

_STOPPED, _STDERR = 5, 2
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_RIGHT_AFTER = 0.01
"""Seconds. Raised at once, it would fall into the same callback."""
_TOO_EARLY = b"bagtag: stopped before anything was done\n"
_AT_ONCE = b"bagtag: stopped at once; what was finished is kept, run the same command again: it continues\n"


class _Stage(Enum):
    """How far the program is."""

    BEFORE = auto()
    RUNNING = auto()
    STOPPING = auto()
    OVER = auto()


class _Ears:
    stage = _Stage.BEFORE


def listen() -> None:
    """From now on a signal ends the program with exit code 5, never with a traceback."""
    for number in _SIGNALS:
        signal.signal(number, _told)
    sys.unraisablehook = _not_heard


def end(code: int) -> None:
    """The command is done: its exit code stands, whoever is impatient now. Does not return after an interrupt.

    The interpreter gives signals back to the system while it winds up, so that part is left out then; all files are
    closed and both streams are empty.
    """
    if _Ears.stage is _Stage.STOPPING:
        os._exit(code)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def counted() -> Iterator[None]:
    """Inside, the first signal raises KeyboardInterrupt; any further one, later too, ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _told) for number in _SIGNALS}
    _Ears.stage = _Stage.RUNNING
    try:
        yield
    finally:
        if _Ears.stage is _Stage.RUNNING:
            _Ears.stage = _Stage.OVER
            for number, handler in before.items():
                signal.signal(number, handler)


def _told(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal handler
    match _Ears.stage:
        case _Stage.RUNNING:
            _Ears.stage = _Stage.STOPPING
            raise KeyboardInterrupt
        case _Stage.BEFORE | _Stage.STOPPING as stage:
            os.write(_STDERR, _TOO_EARLY if stage is _Stage.BEFORE else _AT_ONCE)
            os._exit(_STOPPED)
        case _Stage.OVER:
            return


def _not_heard(trouble: sys.UnraisableHookArgs) -> None:
    """An interrupt that fell into a callback of the interpreter, which drops it: it is raised again right after."""
    if trouble.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(trouble)
    elif _Ears.stage is _Stage.STOPPING:
        _Ears.stage = _Stage.RUNNING
        threading.Timer(_RIGHT_AFTER, _interrupt).start()


def _interrupt() -> None:
    main = threading.main_thread().ident
    if sys.platform != "win32" and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # wakes it from a wait, too
    else:
        _thread.interrupt_main()
