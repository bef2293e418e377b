"""A list of passphrases is tried once, in order, over as many runs as it takes; what is kept meanwhile is no secret."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.extract.keys import guessing as guessing_module
from bagtag.extract.keys.guessing import Check, Found, Guessing, by_key_bag
from bagtag.extract.keys.hashcat import parse
from bagtag.extract.keys.passphrase_forms import AS_GIVEN

# self-test of hashcat's mode 14700, passphrase "hashcat"
PUBLISHED = (
    "$itunes_backup$*9*ebd7f9b33293b2511f0a4139d5b213feff51476968863cef60ec38d720497b6ff39a0bb63fa9f84e*10000"
    "*2202015774208421818002001652122401871832**"
)
BAG = "ba" * 32


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of its own for every test. Returns the folder that all states lie in."""
    place = tmp_path / "state"
    monkeypatch.setattr(guessing_module, "user_state_path", lambda *_, **__: place)
    return place / "guessing"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A list of 300 candidates."""
    place = tmp_path / "words"
    place.write_text("".join(f"candidate {number}\n" for number in range(1, 301)))
    return place


def run(words: Path, check: Check, **arguments: Any) -> Found | None:
    with Guessing(words, BAG) as guessing:
        return guessing.run(check, **arguments)


class Tries:
    """A check that writes down what it was asked, and behaves as the test says."""

    def __init__(self, right: bytes = b"", stop_at: bytes = b"", seconds: float = 0.0) -> None:
        self.right, self.stop_at, self.seconds = right, stop_at, seconds
        self.seen: Counter[bytes] = Counter()
        self._lock = threading.Lock()

    def __call__(self, secret: bytes) -> bool:
        with self._lock:
            self.seen[secret] += 1
        if self.stop_at and secret == self.stop_at:
            raise KeyboardInterrupt
        time.sleep(self.seconds)
        return secret == self.right


def test_the_published_passphrase_is_found_by_its_line(words: Path) -> None:
    lines = [f"candidate {number}" for number in range(30)]
    lines[20] = "hashcat"
    words.write_text("\n".join(lines))
    found = run(words, by_key_bag(parse(PUBLISHED)))
    assert found is not None
    assert (found.line, found.form.name, found.form.text) == (21, AS_GIVEN, "hashcat")


def test_a_damaged_key_bag_is_told_before_anything_is_tried() -> None:
    with pytest.raises(EvidenceError, match="0 rounds"):
        by_key_bag(parse(PUBLISHED.replace("*10000*", "*0*")))


def test_every_line_is_tried_once_and_then_nothing_is_left_behind(words: Path, state: Path) -> None:
    tries = Tries()
    assert run(words, tries) is None
    assert set(tries.seen.values()) == {1}
    assert len(tries.seen) == 300
    assert list(state.iterdir()) == []


def test_the_first_line_that_fits_is_told_even_when_a_later_one_is_found_sooner(words: Path) -> None:
    class Both(Tries):
        def __call__(self, secret: bytes) -> bool:
            super().__call__(secret)
            if secret == b"candidate 2":
                time.sleep(0.3)
            return secret in (b"candidate 2", b"candidate 3")

    found = run(words, Both(), threads=4)
    assert found is not None
    assert found.line == 2


def test_other_forms_are_tried_of_lines_beyond_ascii_alone(words: Path) -> None:
    words.write_text("pass\np\u00e4ss\n", "utf-8")
    tries = Tries(right="pa\u0308ss".encode())
    found = run(words, tries)
    assert found is not None
    assert (found.line, found.form.name) == (2, "in Unicode's decomposed form (NFD)")
    assert tries.seen[b"pass"] == 1


def test_a_stopped_run_keeps_where_it_was_and_the_next_one_continues_there(words: Path, state: Path) -> None:
    first = Tries(stop_at=b"candidate 150", seconds=0.002)
    with pytest.raises(KeyboardInterrupt):
        run(words, first, threads=2)
    second = Tries()
    with Guessing(words, BAG) as guessing:
        assert guessing.continued
        assert 30 < guessing.lines < 150
        before = guessing.lines
        assert guessing.run(second) is None
        assert guessing.lines == 300
    assert set(second.seen) == {f"candidate {number}".encode() for number in range(before + 1, 301)}
    assert set(first.seen) | set(second.seen) == {f"candidate {number}".encode() for number in range(1, 301)}
    assert list(state.iterdir()) == []


def test_a_passphrase_behind_the_stop_is_found_by_the_next_run_under_its_own_number(words: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"candidate 150"))
    found = run(words, Tries(right=b"candidate 151"))
    assert found is not None
    assert found.line == 151


def test_the_state_is_private_and_holds_no_candidate(words: Path, state: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"candidate 150"))
    (file,) = state.glob("*/state.json")
    kept = json.loads(file.read_bytes())
    offset = kept.pop("offset")
    assert words.read_bytes()[:offset].count(b"\n") == kept.pop("lines")
    assert kept == {
        "key_bag_sha256": BAG,
        "word_list": str(words),
        "size": words.stat().st_size,
        "modified_ns": words.stat().st_mtime_ns,
        "too_long": 0,
    }
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_state_is_written_while_the_run_goes_on(words: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process leaves is what lies on the disk at that moment."""
    monkeypatch.setattr(guessing_module, "_SAVED_EVERY", 0.05)
    seen: list[int] = []

    class Looking(Tries):
        def __call__(self, secret: bytes) -> bool:
            seen.extend(json.loads(file.read_bytes())["lines"] for file in state.glob("*/state.json"))
            return super().__call__(secret)

    assert run(words, Looking(seconds=0.002), threads=1) is None
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


@pytest.mark.parametrize("change", ["longer", "touched"])
def test_a_list_that_changed_is_begun_anew(change: str, words: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"candidate 150"))
    if change == "longer":
        words.write_text("another\n" + words.read_text())
    else:
        os.utime(words, ns=(0, 0))
    with Guessing(words, BAG) as guessing:
        assert (guessing.changed, guessing.continued, guessing.lines) == (True, False, 0)
        assert guessing.run(Tries(right=b"candidate 1")) is not None


def test_another_list_and_another_backup_have_states_of_their_own(words: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"candidate 150"))
    other = tmp_path / "other"
    other.write_bytes(words.read_bytes())
    for arguments in ((other, BAG), (words, "ab" * 32)):
        with Guessing(*arguments) as guessing:
            assert not guessing.continued
    with Guessing(words, BAG) as guessing:
        assert guessing.continued


@pytest.mark.parametrize("text", ["", "{", "[]", '{"offset":-1}', '{"offset":1e99}'])
def test_a_state_that_cannot_be_read_is_begun_anew(text: str, words: Path, state: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"candidate 150"))
    (file,) = state.glob("*/state.json")
    file.write_text(text)
    tries = Tries()
    assert run(words, tries) is None
    assert len(tries.seen) == 300


def test_two_runs_of_the_same_list_are_not_made_at_once(words: Path) -> None:
    with Guessing(words, BAG), pytest.raises(UsageError, match="another process"):
        Guessing(words, BAG)


def test_a_place_for_the_state_that_cannot_be_written_is_a_wrong_call(words: Path, state: Path) -> None:
    state.parent.write_text("a file where the folder should be")
    with pytest.raises(UsageError, match="cannot be kept"):
        Guessing(words, BAG)


def test_lines_that_are_too_long_are_counted_over_all_runs(words: Path) -> None:
    long = "x" * 70_000 + "\n"
    words.write_text(long + "one\n" * 50 + "stop\n" + long + "end\n")
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"stop"))
    with Guessing(words, BAG) as guessing:
        assert guessing.run(Tries()) is None
        assert (guessing.lines, guessing.too_long) == (54, 2)


def test_progress_counts_the_bytes_of_the_list_once(words: Path) -> None:
    class Watcher:
        def __init__(self) -> None:
            self.steps: list[tuple[str, int | None]] = []
            self.amounts: list[int] = []

        def step(self, title: str, total: int | None = None) -> None:
            self.steps.append((title, total))

        def advance(self, amount: int = 1) -> None:
            self.amounts.append(amount)

    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"candidate 150", seconds=0.002), threads=2)
    watcher = Watcher()
    run(words, Tries(), progress=watcher)
    assert watcher.steps == [("trying the word list", words.stat().st_size)]
    assert sum(watcher.amounts) == words.stat().st_size
    assert watcher.amounts[0] > 300


def test_lines_that_are_not_tried_make_no_batch_that_cannot_be_stopped(words: Path) -> None:
    """Thousands of them take no time; a slow candidate after them must not be handed out by the thousand."""
    words.write_text(("x" * 65_536 + "\n") * 100 + "slow\n" * 100 + "stop\n" + "slow\n" * 100)
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(stop_at=b"stop", seconds=0.02), threads=2)
    with Guessing(words, BAG) as guessing:
        assert guessing.lines > 150


def test_all_threads_are_used(words: Path) -> None:
    names: set[str] = set()

    class Naming(Tries):
        def __call__(self, secret: bytes) -> bool:
            names.add(threading.current_thread().name)
            return super().__call__(secret)

    run(words, Naming(seconds=0.002), threads=3)
    assert len(names) == 3


def test_an_interrupt_of_the_waiting_thread_keeps_the_state(words: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C does: the exception comes up where the main thread waits, not in a check."""
    waited = guessing_module._awaited
    calls = 0

    def interrupted(result: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return waited(result)

    monkeypatch.setattr(guessing_module, "_awaited", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(words, Tries(seconds=0.06), threads=2)
    with Guessing(words, BAG) as guessing:
        assert 4 <= guessing.lines <= 12
