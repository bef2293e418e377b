"""`bagtag unlock`. The hashcat vectors are the published self-test strings of hashcat and john (modes 14700, 14800)."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bagtag.cli.unlock import puzzle
from bagtag.extract.keybag import ClassKey, KeyBag

PUBLISHED = {
    # self-test of mode 14700, passphrase "hashcat"
    "hashcat, until iOS 10.1": (
        "$itunes_backup$*9*ebd7f9b33293b2511f0a4139d5b213feff51476968863cef60ec38d720497b6ff39a0bb63fa9f84e*10000"
        "*2202015774208421818002001652122401871832**"
    ),
    # self-test of mode 14800, passphrase "hashcat"
    "hashcat, since iOS 10.2": (
        "$itunes_backup$*10*17a3b858e79bc273be43a9f113b71efe7ec8e7e401396b350180b4592ef45db67ffef7b2d64329a5*10000"
        "*2721336781705041205314422175267631184867*1000*99fafc983e732998adb9fadc162a2e382143f115"
    ),
    # itunes_fmt_plug.c, passphrase "855632538858211"
    "john": (
        "$itunes_backup$*10*31021f9c5a705c3625af21739d397082d90f7a00718a9307687625abc35fc3e4d78371e95cc708b6*10000"
        "*8840233131165307147445064802216857558435*1000*c77a159b325d10efee51a1c05701ef63fb85b599"
    ),
}


def bag_of(text: str, *others: ClassKey) -> KeyBag:
    """The key bag that a published string was taken from, as far as the string tells it."""
    _, kind, wrapped, iterations, salt, double_iterations, double_salt = text.split("*")
    item = ClassKey(number=11, wrap=3, key_type=0, uuid="", wrapped=bytes.fromhex(wrapped))
    return KeyBag(
        version=3, kind=1, uuid=None, salt=bytes.fromhex(salt), iterations=int(iterations),
        double_protection_salt=bytes.fromhex(double_salt) if kind == "10" else None,
        double_protection_iterations=int(double_iterations) if kind == "10" else None,
        classes=(*others, item), unknown=(), tail=b"", size=0,
    )  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_strings_come_out_of_their_key_bags(name: str) -> None:
    text = PUBLISHED[name]
    assert puzzle(SimpleNamespace(state="encrypted", key_bag=bag_of(text))) == text  # type: ignore[arg-type]


def test_classes_that_only_the_device_wraps_are_no_puzzle() -> None:
    text = PUBLISHED["hashcat, since iOS 10.2"]
    device_only = ClassKey(number=11, wrap=1, key_type=0, uuid="", wrapped=bytes(40))
    other = bag_of(text, device_only)
    assert puzzle(SimpleNamespace(state="encrypted", key_bag=other)) == text  # type: ignore[arg-type]


def test_the_string_of_a_backup_needs_no_passphrase(bagtag: Any, encrypted_backup: Any) -> None:
    ran = bagtag("unlock", encrypted_backup.folder, "--hashcat")
    assert ran.code == 0
    assert ran.out.startswith("$itunes_backup$*10*")
    assert ran.out.count("\n") == 1


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
    assert bagtag("unlock", encrypted_backup.folder, "--try", tmp_path / "nowhere").code == 2


@pytest.mark.parametrize("option", [[], ["--hashcat"]])
def test_a_plain_backup_has_nothing_to_unlock(option: list[str], bagtag: Any, plain_backup: Any) -> None:
    ran = bagtag("unlock", plain_backup.folder, *option)
    assert (ran.code, ran.out) == (3, "")
    assert "not encrypted" in ran.err


@pytest.mark.parametrize("fault", ["truncated-keybag", "no-manifest-plist"])
def test_a_key_bag_that_is_cut_or_gone_ends_with_3(fault: str, bagtag: Any, mint: Any) -> None:
    minted = mint(faults=[fault])
    ran = bagtag("unlock", minted.folder, passphrase=minted.passphrase)
    assert (ran.code, ran.out) == (3, "")


def test_a_set_that_was_decrypted_in_place_is_told_from_one_that_never_was_encrypted(
    bagtag: Any, mint: Any, plain_backup: Any
) -> None:
    decrypted = mint(faults=["decrypted-in-place"])
    assert "already decrypted" in bagtag("unlock", decrypted.folder).err
    assert "not encrypted" in bagtag("unlock", plain_backup.folder).err
