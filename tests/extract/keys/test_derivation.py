"""A long derivation can be watched and stopped; it gives the same key as one that nobody watches."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from bagtag.extract.keys import derivation
from bagtag.extract.keys.derivation import Stage, derive, derive_watched

STAGES = [Stage(hashes.SHA256(), b"first salt", 300_000), Stage(hashes.SHA1(), b"second salt", 10_000)]
ROUNDS = 310_000


class Watcher:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int | None]] = []
        self.amounts: list[int] = []

    def step(self, title: str, total: int | None = None) -> None:
        self.steps.append((title, total))

    def advance(self, amount: int = 1) -> None:
        self.amounts.append(amount)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Rounds that take as long as the test says: the sample is quick, the derivation lasts until the event is set."""
    done = threading.Event()

    def pbkdf2(algorithm: Any, secret: bytes, salt: bytes, rounds: int) -> bytes:
        if secret == b"sample":
            time.sleep(0.1)  # 300,000 rounds are told to take 1.5 s, and 10,000 take 0.05 s
        else:
            assert done.wait(10)
        return bytes(32)

    monkeypatch.setattr(derivation, "_pbkdf2", pbkdf2)
    monkeypatch.setattr(derivation, "_GLANCE", 0.01)
    return done


def test_two_stages_are_what_hashlib_gives_for_each() -> None:
    first = hashlib.pbkdf2_hmac("sha256", b"pass", b"first salt", 300_000, 32)
    key = hashlib.pbkdf2_hmac("sha1", first, b"second salt", 10_000, 32)
    assert derive(STAGES, b"pass") == derive_watched(STAGES, b"pass", Watcher()) == key


def test_what_takes_less_than_a_second_shows_no_step() -> None:
    watcher = Watcher()
    derive_watched(STAGES, b"pass", watcher)
    assert (watcher.steps, watcher.amounts) == ([], [])


def test_the_bar_moves_with_the_clock_and_never_reaches_its_end_before_the_key_is_there(slow: threading.Event) -> None:
    class Ending(Watcher):
        def advance(self, amount: int = 1) -> None:
            super().advance(amount)
            if sum(self.amounts) == ROUNDS - 1:
                slow.set()

    watcher = Ending()
    derive_watched(STAGES, b"pass", watcher)
    assert watcher.steps == [("deriving the key", ROUNDS)]
    assert sum(watcher.amounts) == ROUNDS
    assert len(watcher.amounts) > 10
    assert min(watcher.amounts) >= 0
    assert watcher.amounts[-1] == 1


def test_a_derivation_can_be_interrupted_at_once(slow: threading.Event) -> None:
    class Impatient(Watcher):
        def advance(self, amount: int = 1) -> None:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        derive_watched(STAGES, b"pass", Impatient())
    assert time.monotonic() - began < 5
    assert not slow.is_set()
    slow.set()


def test_trouble_in_the_thread_reaches_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def pbkdf2(algorithm: Any, secret: bytes, salt: bytes, rounds: int) -> bytes:
        if secret == b"sample":
            return b""
        raise MemoryError

    monkeypatch.setattr(derivation, "_pbkdf2", pbkdf2)
    with pytest.raises(MemoryError):
        derive_watched(STAGES, b"pass", Watcher())
