"""How good this computer's clock is, as far as the operating system itself tells.

Linux keeps a verdict of its time discipline (adjtimex(2)): synchronised or not, and the largest error the clock can
have by now. Asked with no mode bits the call changes nothing and needs no rights. A daemon that steers the clock
without telling the kernel looks the same as none: then it says `not synchronised`, which claims too little, never too
much. Other systems tell nothing without a program being run, so nothing is said of theirs.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Final

SOURCE = "system"
_UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC


class _Timex(ctypes.Structure):
    """struct timex up to the fields read here, which are the same in every C library, and room for all the others."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 1024),
    )


def clock() -> str:
    """The clock that times come from and its state, for example `system, synchronised, max error 0.121 s`.

    `system` alone where nothing is told. Never raises, starts no program, takes microseconds.
    """
    adjtimex = _adjtimex()
    if adjtimex is None:
        return SOURCE
    told = _Timex()
    if adjtimex(told) < 0:  # a sandbox may forbid it
        return SOURCE
    if told.status & _UNSYNCHRONISED:
        return f"{SOURCE}, not synchronised"
    return f"{SOURCE}, synchronised, max error {math.ceil(told.maxerror / 1000) / 1000:.3f} s"


@cache
def _adjtimex() -> Callable[[_Timex], int] | None:
    """adjtimex(2) of the C library; None where there is none."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError, AttributeError):
        function = ctypes.CDLL(None, use_errno=True).adjtimex
        function.argtypes = [ctypes.POINTER(_Timex)]
        call: Callable[[_Timex], int] = function
        return lambda told: call(ctypes.byref(told))  # type: ignore[arg-type]
    return None
