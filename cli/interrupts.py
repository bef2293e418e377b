"""Ctrl-C, once and twice: the first stops a run in good order and keeps its state, the second ends it on the spot.

Either way the exit code is that of a run that can be continued: what the journal names is on the disk already.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bagtag.cli.endings import STOPPED

_SAID = b"bagtag: stopped at once; what was finished is kept, run the same command again: it continues\n"
_STDERR = 2


@contextmanager
def counted() -> Iterator[None]:
    """Inside, the first interrupt raises KeyboardInterrupt; any further one ends the process with exit code 5."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupted = False

    def told(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal handler
        nonlocal interrupted
        if interrupted:
            os.write(_STDERR, _SAID)
            os._exit(STOPPED)
        interrupted = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, told)
    try:
        yield
    finally:
        # After an interrupt the process is on its way out: whoever is impatient then is heard, too.
        if not interrupted:
            signal.signal(signal.SIGINT, before)
