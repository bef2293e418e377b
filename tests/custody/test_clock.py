"""What the operating system says of its clock, and that nothing but reading is asked of it."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable

import pytest

from bagtag.custody import clock as module
from bagtag.custody.clock import clock
from bagtag.custody.times import now

UNSYNCHRONISED = 0x40  # adjtimex(2): STA_UNSYNC


class Timex(ctypes.Structure):
    """struct timex as the manual page gives it, for machines where a long holds a time_t."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("constant", ctypes.c_long),
        ("precision", ctypes.c_long), ("tolerance", ctypes.c_long), ("seconds", ctypes.c_long),
        ("fraction", ctypes.c_long), ("tick", ctypes.c_long), ("ppsfreq", ctypes.c_long), ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int), ("stabil", ctypes.c_long), ("jitcnt", ctypes.c_long), ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long), ("stbcnt", ctypes.c_long), ("tai", ctypes.c_int), ("room", ctypes.c_int * 11),
    )  # fmt: skip


def kernel(monkeypatch: pytest.MonkeyPatch, *, status: int = 0, maxerror: int = 0, code: int = 0) -> list[int]:
    """A kernel that answers so; the mode bits that it was asked with come back."""
    modes: list[int] = []

    def answer(told: module._Timex) -> int:
        modes.append(told.modes)
        told.status, told.maxerror = status, maxerror
        return code

    monkeypatch.setattr(module, "_adjtimex", lambda: answer)
    return modes


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"maxerror": 120_000}, "system, synchronised, max error 0.120 s"),
        ({"maxerror": 120_001}, "system, synchronised, max error 0.121 s"),
        ({"maxerror": 1}, "system, synchronised, max error 0.001 s"),
        ({"maxerror": 0}, "system, synchronised, max error 0.000 s"),
        ({"status": UNSYNCHRONISED, "maxerror": 16_000_000, "code": 5}, "system, not synchronised"),
        ({"status": UNSYNCHRONISED | 0x1}, "system, not synchronised"),
        ({"status": 0x2001, "maxerror": 500}, "system, synchronised, max error 0.001 s"),
        ({"code": -1}, "system"),
    ],
)
def test_the_kernels_answer_is_told_and_an_error_never_rounded_down(
    answer: dict[str, int], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = kernel(monkeypatch, **answer)
    assert clock() == said
    assert modes == [0]  # nothing is set


def test_where_nothing_is_told_only_the_source_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_adjtimex", lambda: None)
    assert clock() == "system"


def test_a_library_without_the_call_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    module._adjtimex.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(ctypes, "CDLL", lambda *_, **__: object())
        assert clock() == "system"
    module._adjtimex.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_this_kernel_says_the_same_through_a_call_of_our_own() -> None:
    if ctypes.sizeof(ctypes.c_long) != 8:
        pytest.skip("this C library has two layouts of the structure")
    told = Timex()
    code = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    if code < 0:
        assert clock() == "system"
    else:
        assert ("not synchronised" in clock()) == bool(told.status & UNSYNCHRONISED)


def test_a_moment_names_the_clock_and_the_process_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    started: Callable[..., None] = never
    for name in ("fork", "posix_spawn", "execve", "system"):
        if hasattr(os, name):
            monkeypatch.setattr(os, name, started)
    pattern = r"system(, not synchronised|, synchronised, max error \d+\.\d{3} s)?"
    assert re.fullmatch(pattern, now().clock)
