"""Where a passphrase may come from, and that it goes nowhere else."""

from __future__ import annotations

import getpass
import io
import plistlib
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bagtag.cli.passphrase import Secrets
from bagtag.custody.errors import UsageError
from bagtag.custody.progress import Progress
from bagtag.extract.keybag import KeyBag

WRONG = "not the passphrase at all"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_first_line_of_a_file_is_the_passphrase(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    for number, text in enumerate(("{}\nsecond line\n", "{}\r\nsecond line", "{}", "\ufeff{}\n")):
        file = tmp_path / str(number)
        file.write_text(text.format(encrypted_backup.passphrase), "utf-8", newline="")
        assert bagtag("unlock", encrypted_backup.folder, "--passphrase-file", file).code == 0


def test_a_dash_means_standard_input(program: Any, encrypted_backup: Any) -> None:
    process = program("unlock", encrypted_backup.folder, "--passphrase-file", "-")
    out, err = process.communicate(encrypted_backup.passphrase.encode() + b"\n", timeout=30)
    assert process.returncode == 0, err
    assert out == b"the passphrase or key is right\n"
    assert b"standard input" in err


def test_the_environment_may_hold_it_and_that_is_said_without_the_value(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("unlock", encrypted_backup.folder, passphrase=encrypted_backup.passphrase)
    assert ran.code == 0
    assert "BAGTAG_PASSPHRASE" in ran.err
    assert encrypted_backup.passphrase not in ran.out + ran.err


def test_the_derived_key_opens_it_too(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(encrypted_backup.kek.upper() + "\n")
    ran = bagtag("files", encrypted_backup.folder, "--json", "--key-file", key)
    assert ran.code == 0
    assert len(ran.rows) == len(encrypted_backup.truth["manifest"])
    assert encrypted_backup.kek not in (ran.out + ran.err).lower()


@pytest.mark.parametrize("command", ["files", "messages", "unlock", "crosscheck"])
def test_a_wrong_passphrase_ends_with_6_and_is_not_repeated(command: str, bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag(command, encrypted_backup.folder, passphrase=WRONG)
    assert (ran.code, ran.out) == (6, "")
    assert WRONG not in ran.err
    assert "wrong passphrase" in ran.err


@pytest.mark.parametrize("command", ["files", "messages", "unlock", "crosscheck"])
def test_without_a_terminal_a_missing_passphrase_ends_with_6(command: str, bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag(command, encrypted_backup.folder)
    assert (ran.code, ran.out) == (6, "")
    assert "--passphrase-file" in ran.err


@pytest.mark.parametrize("text", ["", "\n", "\r\nsecond"])
def test_an_empty_first_line_is_no_passphrase(text: str, bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.write_bytes(text.encode())
    assert bagtag("files", encrypted_backup.folder, "--passphrase-file", file).code == 6


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 63, "0" * 65])
def test_a_key_file_without_64_hex_digits_ends_with_6(
    text: str, bagtag: Any, encrypted_backup: Any, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    ran = bagtag("files", encrypted_backup.folder, "--key-file", file)
    assert ran.code == 6
    assert not text or text not in ran.err


def test_a_key_of_another_backup_ends_with_6(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("0" * 64)
    assert bagtag("unlock", encrypted_backup.folder, "--key-file", file).code == 6


def test_a_file_that_is_not_there_is_a_wrong_call(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    for option in ("--passphrase-file", "--key-file"):
        assert bagtag("files", encrypted_backup.folder, option, tmp_path / "nowhere").code == 2


def test_two_secrets_are_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both"):
        Secrets(tmp_path, tmp_path)


def test_nobody_is_asked_for_the_passphrase_of_a_plain_backup(bagtag: Any, plain_backup: Any) -> None:
    ran = bagtag("files", plain_backup.folder)
    assert (ran.code, ran.err) == (0, "")


def test_on_a_terminal_it_is_asked_for_without_echo_and_a_slip_is_forgiven(
    bagtag: Any, encrypted_backup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [WRONG, encrypted_backup.passphrase]
    monkeypatch.setattr(sys, "stdin", Terminal())
    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(getpass, "getpass", lambda *_, **__: answers.pop(0))
    assert bagtag("unlock", encrypted_backup.folder).code == 0
    assert not answers
    assert "wrong passphrase" in said.getvalue()
    assert WRONG not in said.getvalue()


def test_three_wrong_answers_are_enough(bagtag: Any, encrypted_backup: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [WRONG] * 5
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda *_, **__: answers.pop())
    assert bagtag("unlock", encrypted_backup.folder).code == 6
    assert len(answers) == 2


def test_closing_the_terminal_at_the_question_ends_with_6(
    bagtag: Any, encrypted_backup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(getpass, "getpass", closed)
    assert bagtag("unlock", encrypted_backup.folder).code == 6


COMPOSED, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"


@pytest.mark.parametrize(
    ("set_as", "given", "said"), [(COMPOSED, DECOMPOSED, "composed form (NFC)"), (DECOMPOSED, COMPOSED, "(NFD)")]
)
def test_the_other_unicode_form_of_a_passphrase_opens_it_and_that_is_said(
    set_as: str, given: str, said: str, bagtag: Any, mint: Any
) -> None:
    minted = mint(passphrase=set_as)
    ran = bagtag("unlock", minted.folder, passphrase=given)
    assert ran.code == 0
    assert said in ran.err
    assert given not in ran.err
    assert set_as not in ran.err
    ran = bagtag("unlock", minted.folder, passphrase=set_as)
    assert ran.code == 0
    assert "form" not in ran.err


def test_a_wrong_passphrase_of_ascii_costs_one_derivation_and_another_one_two(
    bagtag: Any, encrypted_backup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: list[str] = []
    derive = KeyBag.derive

    def counted(bag: KeyBag, text: str, progress: Progress | None = None) -> bytes:
        derived.append(text)
        return derive(bag, text, progress)

    monkeypatch.setattr(KeyBag, "derive", counted)
    assert bagtag("unlock", encrypted_backup.folder, passphrase=WRONG).code == 6
    assert derived == [WRONG]
    assert bagtag("unlock", encrypted_backup.folder, passphrase=COMPOSED).code == 6
    assert derived == [WRONG, COMPOSED, DECOMPOSED]


def test_a_passphrase_that_was_set_with_the_end_of_its_dos_line_opens_it(
    bagtag: Any, mint: Any, tmp_path: Path
) -> None:
    minted = mint(passphrase="hunter2\r")
    file = tmp_path / "passphrase"
    file.write_bytes(b"hunter2\r\n")
    ran = bagtag("unlock", minted.folder, "--passphrase-file", file)
    assert ran.code == 0
    assert "fits with the carriage return" in ran.err
    file.write_bytes(b"hunter2\n")
    assert bagtag("unlock", minted.folder, "--passphrase-file", file).code == 6


def test_bytes_that_are_no_utf_8_are_a_passphrase_too(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(b"caf\xe9\n")
    ran = bagtag("unlock", encrypted_backup.folder, "--passphrase-file", file)
    assert (ran.code, ran.out) == (6, "")
    assert "wrong passphrase" in ran.err


def test_the_derived_key_does_not_open_ios_10_0_and_it_is_said_why(bagtag: Any, mint: Any, tmp_path: Path) -> None:
    minted = mint(ios="10.0")
    key = tmp_path / "key"
    key.write_text(minted.kek)
    ran = bagtag("messages", minted.folder, "--key-file", key)
    assert (ran.code, ran.out) == (6, "")
    assert "iOS 10.0 encrypts the records of its index with the passphrase itself" in ran.err
    assert bagtag("unlock", minted.folder, passphrase=minted.passphrase).code == 0
    assert bagtag("unlock", minted.folder, passphrase=WRONG).code == 6


def with_rounds(minted: Any, count: int) -> Path:
    """The backup with another DPIC in its key bag: no passphrase opens it, but each is derived for that many rounds."""
    plist = minted.folder / "Manifest.plist"
    values = plistlib.loads(plist.read_bytes())
    bag = values["BackupKeyBag"]
    at = bag.index(b"DPIC") + 8
    values["BackupKeyBag"] = bag[:at] + count.to_bytes(4, "big") + bag[at + 4 :]
    plist.write_bytes(plistlib.dumps(values, fmt=plistlib.FMT_BINARY))
    return Path(minted.folder)


@pytest.mark.slow
def test_the_derivation_of_apples_ten_million_rounds_shows_a_bar_on_a_terminal_alone(
    bagtag: Any, mint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_rounds(mint(), 10_000_000)
    assert "deriving" not in bagtag("unlock", folder, passphrase=WRONG).err
    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    assert bagtag("unlock", folder, passphrase=WRONG).code == 6
    assert "deriving the key" in said.getvalue()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_derivation_is_stopped_by_ctrl_c_at_once(program: Any, mint: Any) -> None:
    process = program("unlock", with_rounds(mint(), 50_000_000), environment={"BAGTAG_PASSPHRASE": WRONG})
    time.sleep(2.5)
    assert process.poll() is None
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert b"Traceback" not in err
    assert time.monotonic() - began < 2
