"""The passphrase of a signing key: where it may come from, and that it goes nowhere else."""

from __future__ import annotations

import getpass
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.cli.signing import load_signer, new_passphrase
from bagtag.custody.errors import PassphraseError, UsageError
from bagtag.custody.signer import Signer

RIGHT, WRONG = "a long passphrase of the lab", "not that one"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def key(tmp_path: Path) -> Path:
    Signer.create(tmp_path / "lab.key", RIGHT)
    return tmp_path / "lab.key"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Somebody sits at a terminal and gives these answers; the questions come back."""

    def sit(*given: str) -> list[str]:
        asked: list[str] = []
        waiting = iter(given)

        def answer(question: str, stream: object = None) -> str:
            assert stream is sys.stderr
            asked.append(question)
            return next(waiting)

        monkeypatch.delenv("BAGTAG_SIGNER_PASSPHRASE", raising=False)
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(sys, "stderr", Terminal())
        monkeypatch.setattr(getpass, "getpass", answer)
        return asked

    return sit


def test_the_environment_may_hold_it(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", RIGHT)
    assert load_signer(key).keyid == Signer.load(key, RIGHT).keyid
    assert new_passphrase() == RIGHT
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", WRONG)
    with pytest.raises(PassphraseError) as refused:
        load_signer(key)
    assert WRONG not in refused.value.message + refused.value.hint


def test_on_a_terminal_a_slip_is_forgiven_and_the_third_wrong_answer_is_the_last(
    key: Path, answers: Callable[..., list[str]]
) -> None:
    asked = answers(WRONG, RIGHT)
    assert load_signer(key).keyid
    assert len(asked) == 2
    assert str(key) in asked[0]
    asked = answers(WRONG, WRONG, WRONG, RIGHT)
    with pytest.raises(PassphraseError):
        load_signer(key)
    assert len(asked) == 3


def test_a_file_that_holds_no_key_is_told_before_anybody_is_asked(
    tmp_path: Path, answers: Callable[..., list[str]]
) -> None:
    (tmp_path / "text").write_text("nothing of the kind")
    asked = answers()
    for name in ("text", "absent"):
        with pytest.raises(UsageError):
            load_signer(tmp_path / name)
    assert asked == []


def test_a_new_passphrase_is_asked_for_twice_and_must_be_the_same(answers: Callable[..., list[str]]) -> None:
    asked = answers(RIGHT, RIGHT)
    assert new_passphrase() == RIGHT
    assert len(asked) == 2
    answers(RIGHT, WRONG)
    with pytest.raises(PassphraseError, match="differ"):
        new_passphrase()
    answers("", "")
    with pytest.raises(PassphraseError, match="never kept without"):
        new_passphrase()


def test_a_passphrase_that_openssl_would_not_take_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "é" * 511 + "x")  # 1,023 bytes
    assert Signer.create(tmp_path / "longest", new_passphrase())
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "é" * 512)
    with pytest.raises(PassphraseError, match="1,023"):
        new_passphrase()


def test_without_a_terminal_and_the_variable_nobody_waits(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAGTAG_SIGNER_PASSPHRASE", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    for call in (lambda: load_signer(key), new_passphrase):
        with pytest.raises(PassphraseError) as refused:
            call()
        assert "BAGTAG_SIGNER_PASSPHRASE" in refused.value.hint


def test_without_a_terminal_the_missing_passphrase_is_told_once(
    tmp_path: Path, bagtag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAGTAG_SIGNER_PASSPHRASE", "p")
    assert bagtag("signer", "new", tmp_path / "lab.key").code == 0
    monkeypatch.delenv("BAGTAG_SIGNER_PASSPHRASE")
    ran = bagtag("signer", "show", tmp_path / "lab.key")
    assert (ran.code, ran.err.count("kept under a passphrase")) == (6, 1)
