"""From a passphrase to a key: rounds of PBKDF2 (RFC 8018), one stage after the other.

OpenSSL does ten million rounds in a second or two and tells nothing on the way. So that a person can watch and stop
it, a long derivation runs in a thread of its own, and its bar follows what a short sample of rounds took.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from bagtag.custody.progress import Progress

KEY_LENGTH = 32

_FEW_ROUNDS = 200_000
"""So many take some hundredths of a second: nothing to watch."""
_SAMPLE_ROUNDS = 20_000
_WORTH_A_BAR, _GLANCE = 1.0, 0.1
"""Seconds: from how long on a derivation is shown as a step, and how often its bar moves."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One PBKDF2 with HMAC of `algorithm`."""

    algorithm: HashAlgorithm
    salt: bytes
    rounds: int

    def derive(self, secret: bytes) -> bytes:
        """32 bytes."""
        return _pbkdf2(self.algorithm, secret, self.salt, self.rounds)

    def expected_seconds(self) -> float:
        """What it will take, by what a few rounds take now."""
        began = time.perf_counter()
        _pbkdf2(self.algorithm, b"sample", self.salt, _SAMPLE_ROUNDS)
        return (time.perf_counter() - began) * self.rounds / _SAMPLE_ROUNDS


def derive(stages: Sequence[Stage], secret: bytes) -> bytes:
    """The secret through every stage. Lets other threads run meanwhile, but cannot be interrupted."""
    for stage in stages:
        secret = stage.derive(secret)
    return secret


def derive_watched(stages: Sequence[Stage], secret: bytes, progress: Progress) -> bytes:
    """The same, interruptible. `progress` hears of a step, counted in rounds, when it takes a second or more."""
    total = sum(stage.rounds for stage in stages)
    if total < _FEW_ROUNDS:
        return derive(stages, secret)
    expected = sum(stage.expected_seconds() for stage in stages)
    result: Future[bytes] = Future()

    def work() -> None:
        try:
            result.set_result(derive(stages, secret))
        except Exception as trouble:  # noqa: BLE001 - raised again in the thread that waits
            result.set_exception(trouble)

    # A daemon: after Ctrl-C nobody waits for the rest of the rounds.
    threading.Thread(target=work, name="key derivation", daemon=True).start()
    if expected < _WORTH_A_BAR:
        return _awaited(result, lambda: None)
    bar = _Bar(progress, total, expected)
    key = _awaited(result, bar.move)
    bar.fill()
    return key


class _Bar:
    """Moves with the clock, and never to its end before the work is done."""

    def __init__(self, progress: Progress, total: int, expected: float) -> None:
        self._progress, self._total, self._expected = progress, total, expected
        self._told = 0
        self._began = time.monotonic()
        progress.step("deriving the key", total)

    def move(self) -> None:
        part = (time.monotonic() - self._began) / self._expected
        self._tell(min(self._total - 1, int(self._total * part)))

    def fill(self) -> None:
        self._tell(self._total)

    def _tell(self, now: int) -> None:
        self._progress.advance(now - self._told)
        self._told = now


def _awaited(result: Future[bytes], meanwhile: Callable[[], None]) -> bytes:
    """Wait in glances: a wait without end could not be interrupted on Windows."""
    while True:
        try:
            return result.result(timeout=_GLANCE)
        except TimeoutError:
            meanwhile()


def _pbkdf2(algorithm: HashAlgorithm, secret: bytes, salt: bytes, rounds: int) -> bytes:
    return PBKDF2HMAC(algorithm=algorithm, length=KEY_LENGTH, salt=salt, iterations=rounds).derive(secret)
