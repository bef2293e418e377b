"""`bagtag unlock`: a passphrase, a derived key, a word list in several runs, the line for guessing programs."""

from __future__ import annotations

import hashlib
import json
import signal
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagtag.extract.keybag import KeyBag
from bagtag.extract.keys import guessing, hashcat


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of its own for every test. Returns the folder where the state of word lists is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = tmp_path / "state" / "bagtag"
    monkeypatch.setattr(guessing, "user_state_path", lambda *_, **__: place)
    return place / "guessing"


@pytest.fixture
def slow_backup(mint: Any) -> Any:
    """A backup that one candidate takes some hundredths of a second on."""
    return mint(dpic=400_000)


@pytest.fixture
def words(tmp_path: Path, slow_backup: Any) -> Path:
    """A list for it that takes many seconds, with the passphrase in its last line."""
    place = tmp_path / "words"
    place.write_text("".join(f"candidate {number}\n" for number in range(1, 600)) + slow_backup.passphrase + "\n")
    return place


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def cut(words: Path, keep: int) -> None:
    """Leave `keep` of the lines that are not yet tried, as if time had passed: same size, same time, same offset."""
    (file,) = words.parent.glob("state/bagtag/guessing/*/state.json")
    kept = json.loads(file.read_bytes())
    lines = words.read_bytes().splitlines(keepends=True)
    assert 0 < kept["lines"] < len(lines) - keep
    kept["lines"] = len(lines) - keep
    kept["offset"] = len(b"".join(lines[:-keep]))
    file.write_text(json.dumps(kept))


def test_the_string_of_a_backup_needs_no_passphrase(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("unlock", encrypted_backup.folder, "--hashcat")
    assert ran.code == 0
    assert ran.out.startswith("$itunes_backup$*10*")
    assert ran.out.count("\n") == 1
    bag = hashcat.parse(ran.out.strip())
    assert bag.unwrap(bag.derive(encrypted_backup.passphrase)).closed == {}


def test_a_right_passphrase_is_told_on_stdout(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("unlock", encrypted_backup.folder, "--json", passphrase=encrypted_backup.passphrase)
    assert ran.rows == [{"path": str(encrypted_backup.folder), "udid": encrypted_backup.udid, "unlocked": True}]


def test_the_saved_key_is_the_derived_one_and_private(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    key = tmp_path / "item7.key"
    ran = bagtag("unlock", encrypted_backup.folder, "--save-key", key, passphrase=encrypted_backup.passphrase)
    assert ran.code == 0
    assert key.read_text() == encrypted_backup.kek + "\n"
    assert sys.platform == "win32" or stat.S_IMODE(key.stat().st_mode) == 0o600
    assert encrypted_backup.kek not in ran.out + ran.err


def test_a_key_file_is_never_written_over(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("precious")
    ran = bagtag("unlock", encrypted_backup.folder, "--save-key", key, passphrase=encrypted_backup.passphrase)
    assert (ran.code, key.read_text()) == (2, "precious")
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "elsewhere")
    ran = bagtag("unlock", encrypted_backup.folder, "--save-key", dangling, passphrase=encrypted_backup.passphrase)
    assert ran.code == 2
    assert not (tmp_path / "elsewhere").exists()


def test_no_key_is_saved_when_the_passphrase_is_wrong(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert bagtag("unlock", encrypted_backup.folder, "--save-key", key, passphrase="wrong").code == 6
    assert not key.exists()


def test_of_a_word_list_only_the_number_of_the_line_is_told(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    words, key = tmp_path / "words", tmp_path / "key"
    lines = [f"candidate {number}" for number in range(40)]
    lines[17] = encrypted_backup.passphrase
    words.write_text("\n".join(lines) + "\n")
    ran = bagtag("unlock", encrypted_backup.folder, "--try", words, "--save-key", key)
    assert ran.code == 0
    assert ran.out.splitlines()[0] == "line 18 of the word list is the passphrase"
    assert encrypted_backup.passphrase not in ran.out + ran.err
    assert key.read_text().strip() == encrypted_backup.kek


def test_a_word_list_that_does_not_hold_it_ends_with_6(bagtag: Any, encrypted_backup: Any, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(b"one\ntwo\r\n\nno utf-8: \xff\xfe\n" + b"x" * 100_000)
    ran = bagtag("unlock", encrypted_backup.folder, "--try", words)
    assert (ran.code, ran.out) == (6, "")
    assert "none of the 5 lines" in ran.err
    assert "not tried: 1 line longer than 65,536 bytes" in ran.err
    assert bagtag("unlock", encrypted_backup.folder, "--try", tmp_path / "nowhere").code == 2


@pytest.mark.parametrize("option", [[], ["--hashcat"]])
def test_a_plain_backup_has_nothing_to_unlock(option: list[str], bagtag: Any, plain_backup: Any) -> None:
    ran = bagtag("unlock", plain_backup.folder, *option)
    assert (ran.code, ran.out) == (3, "")
    assert "not encrypted" in ran.err


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("truncated-keybag", "bytes at its end are no record"),
        ("no-manifest-plist", "Manifest.plist"),
        ("keybag-empty", "it holds no salt"),
        ("keybag-without-salt", "it holds no salt"),
        ("keybag-length-past-end", "bytes at its end are no record"),
        ("keybag-dpic-0", "0 rounds of key derivation (DPIC)"),
        ("keybag-dpic-huge", "2,147,483,648 rounds of key derivation (DPIC)"),
        ("keybag-iter-0", "0 rounds of key derivation (ITER)"),
        ("keybag-iter-huge", "2,147,483,647 rounds of key derivation (ITER)"),
    ],
)
@pytest.mark.parametrize("option", [[], ["--hashcat"]])
def test_a_key_bag_that_nothing_can_be_derived_with_ends_with_3(
    fault: str, said: str, option: list[str], bagtag: Any, mint: Any
) -> None:
    minted = mint(faults=[fault])
    ran = bagtag("unlock", minted.folder, *option, passphrase=minted.passphrase)
    assert (ran.code, ran.out) == (3, "")
    assert said in ran.err


@pytest.mark.parametrize("fault", ["keybag-unknown-tags", "keybag-dpsl-first"])
def test_a_key_bag_in_another_order_or_with_more_in_it_opens(fault: str, bagtag: Any, mint: Any) -> None:
    minted = mint(faults=[fault])
    assert bagtag("unlock", minted.folder, passphrase=minted.passphrase).code == 0


def test_a_set_that_was_decrypted_in_place_is_told_from_one_that_never_was_encrypted(
    bagtag: Any, mint: Any, plain_backup: Any
) -> None:
    decrypted = mint(faults=["decrypted-in-place"])
    assert "already decrypted" in bagtag("unlock", decrypted.folder).err
    assert "not encrypted" in bagtag("unlock", plain_backup.folder).err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_list_with_its_state_and_the_same_command_continues(
    number: signal.Signals, bagtag: Any, program: Any, slow_backup: Any, words: Path, state: Path
) -> None:
    process = program("unlock", slow_backup.folder, "--try", words, environment={"HOME": str(words.parent)})
    wait_for(lambda: list(state.glob("*/state.json")))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (5, b"")
    assert b"the state is kept in" in err
    assert b"run the same command again" in err
    cut(words, keep=3)
    ran = bagtag("unlock", slow_backup.folder, "--try", words)
    assert (ran.code, ran.out) == (0, "line 600 of the word list is the passphrase\n")
    assert "an earlier run has tried 597 lines: continuing after them" in ran.err
    assert slow_backup.passphrase not in ran.err
    assert list(state.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_run_is_continued_too(
    bagtag: Any, program: Any, slow_backup: Any, words: Path, state: Path, tmp_path: Path
) -> None:
    process = program("unlock", slow_backup.folder, "--try", words, environment={"HOME": str(words.parent)})
    wait_for(lambda: list(state.glob("*/state.json")))
    process.kill()
    process.communicate(timeout=30)
    cut(words, keep=2)
    key = tmp_path / "key"
    ran = bagtag("unlock", slow_backup.folder, "--try", words, "--save-key", key)
    assert ran.out.startswith("line 600 ")
    assert key.read_text().strip() == slow_backup.kek


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_second_signal_ends_a_list_without_a_traceback(program: Any, mint: Any, tmp_path: Path, state: Path) -> None:
    """Candidates of seconds each: nobody waits for those that are being tried."""
    minted = mint()
    plist = minted.folder / "Manifest.plist"
    plist.write_bytes(plist.read_bytes().replace(*(b"DPIC\0\0\0\4" + n.to_bytes(4, "big") for n in (1000, 50_000_000))))
    words = tmp_path / "words"
    words.write_text("candidate\n" * 100)
    process = program("unlock", minted.folder, "--try", words, environment={"HOME": str(tmp_path)})
    wait_for(lambda: list(state.iterdir()) if state.exists() else None)
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    wait_for(lambda: list(state.glob("*/state.json")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 3
    assert b"Traceback" not in err
    assert b"the state is kept in" in err or b"stopped at once; what was finished is kept, run the same command" in err
    assert process.returncode == 5, err


def test_a_changed_list_is_begun_anew_and_that_is_said(
    bagtag: Any, encrypted_backup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "words"
    words.write_text("one\ntwo\n")
    with monkeypatch.context() as broken:
        broken.setattr(KeyBag, "stretch", interrupted)
        assert bagtag("unlock", encrypted_backup.folder, "--try", words).code == 5
    words.write_text(f"zero\n{encrypted_backup.passphrase}\n")
    ran = bagtag("unlock", encrypted_backup.folder, "--try", words)
    assert ran.out == "line 2 of the word list is the passphrase\n"
    assert "is not as it was when an earlier run tried it: beginning anew" in ran.err


def interrupted(*_: object) -> bytes:
    raise KeyboardInterrupt


def test_the_form_of_a_line_that_fits_is_told(bagtag: Any, mint: Any, tmp_path: Path) -> None:
    minted = mint(passphrase="Caf\u00e9 M\u00fcller")
    words = tmp_path / "words"
    words.write_text("Cafe\nCafe\u0301 Mu\u0308ller\n", "utf-8")
    ran = bagtag("unlock", minted.folder, "--try", words)
    assert ran.out == "line 2 of the word list is the passphrase\n"
    assert "fits in Unicode's composed form (NFC)" in ran.err


@pytest.fixture(scope="module")
def ios_10_0(mint: Any) -> Any:
    """A backup of iOS 10.0: the records of its index are encrypted with the passphrase itself."""
    return mint(ios="10.0")


def test_the_weak_hash_of_ios_10_0_is_a_second_line(bagtag: Any, ios_10_0: Any) -> None:
    ran = bagtag("unlock", ios_10_0.folder, "--hashcat")
    first, second = ran.out.splitlines()
    assert first.startswith("$itunes_backup$*9*")
    digest, salt = map(bytes.fromhex, second.split(":"))
    assert hashlib.sha256(ios_10_0.passphrase.encode() + salt).digest() == digest
    assert "mode 1410" in ran.err
    (row,) = bagtag("unlock", ios_10_0.folder, "--hashcat", "--json").rows
    assert (row["hashcat"], row["sha256"]) == (first, second)


def test_a_list_is_tried_on_the_weak_hash_of_ios_10_0_without_deriving(
    bagtag: Any, ios_10_0: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "words"
    words.write_text("".join(f"candidate {number}\n" for number in range(5000)) + ios_10_0.passphrase)
    derived: list[bytes] = []
    stretch = KeyBag.stretch

    def counted(bag: KeyBag, secret: bytes) -> bytes:
        derived.append(secret)
        return stretch(bag, secret)

    monkeypatch.setattr(KeyBag, "stretch", counted)
    ran = bagtag("unlock", ios_10_0.folder, "--try", words)
    assert (ran.code, ran.out) == (0, "line 5001 of the word list is the passphrase\n")
    assert len(derived) <= 1


def test_saving_the_key_of_ios_10_0_warns_that_it_is_not_enough(bagtag: Any, ios_10_0: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    ran = bagtag("unlock", ios_10_0.folder, "--save-key", key, passphrase=ios_10_0.passphrase)
    assert ran.code == 0
    assert "warning: this key alone does not open this backup" in ran.err
    assert key.read_text().strip() == ios_10_0.kek
    ran = bagtag("unlock", ios_10_0.folder, "--key-file", key)
    assert (ran.code, ran.out) == (6, "")
    assert "with the passphrase itself" in ran.err


@pytest.mark.parametrize("ios", ["9.3", "10.1", "10.2"])
def test_backups_of_every_generation_unlock_and_give_their_line(ios: str, bagtag: Any, mint: Any) -> None:
    minted = mint(ios=ios)
    ran = bagtag(
        "unlock", minted.folder, "--hashcat", "--save-key", minted.folder.parent / "key", passphrase=minted.passphrase
    )
    assert ran.code == 0
    assert "warning" not in ran.err
    bag = hashcat.parse(ran.out.splitlines()[0])
    assert bag.double_protection == (ios == "10.2")
    assert bag.derive(minted.passphrase).hex() == minted.kek


def test_a_key_is_never_written_into_a_backup(bagtag: Any, mint: Any) -> None:
    minted = mint()
    before = sorted(minted.folder.rglob("*"))
    ran = bagtag("unlock", minted.folder, "--save-key", minted.folder / "key", passphrase=minted.passphrase)
    assert ran.code == 2
    assert "never written to" in ran.err
    assert sorted(minted.folder.rglob("*")) == before
