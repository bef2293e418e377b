"""`bagtag unlock`: test a passphrase, keep the derived key, try a list of passphrases, hand the puzzle to hashcat.

A candidate is never printed; of a word list only the number of the line that fits is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console, endings
from bagtag.cli.opening import harmed, opened
from bagtag.cli.options import BackupArgument, JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets, key_bag, say_form
from bagtag.custody.errors import PassphraseError, UsageError

if TYPE_CHECKING:
    from bagtag.extract.backup import Backup
    from bagtag.extract.keybag import KeyBag
    from bagtag.extract.keys.guessing import Check, Guessing


def unlock(
    *,
    backup: BackupArgument,
    save_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default=False, help="Write the derived key here (64 hex digits, mode 0600)."),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(
            "--try", metavar="WORDLIST", show_default=False, help="Try each line of WORDLIST instead of a passphrase."
        ),
    ] = None,
    hashcat: Annotated[bool, typer.Option("--hashcat", help="Print the string for hashcat and john.")] = False,
    passphrase_file: PassphraseFileOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Test the passphrase of an encrypted backup.

    Exit code 6 when it is wrong, or when no line of the word list fits.
    """
    secrets = Secrets(passphrase_file, key_file)
    if save_key is not None and save_key.exists():
        raise UsageError(f"{save_key} exists and is not written over", hint="name a new file")
    from bagtag.extract.discover import backup_above

    if save_key is not None and (above := backup_above(save_key)) is not None:
        raise UsageError(
            f"{save_key} lies inside the backup {above}, which is never written to", hint="name a file elsewhere"
        )
    told: dict[str, Any] = {}
    with opened(backup) as (source, _):
        bag = key_bag(source)
        if hashcat:
            told.update(_puzzles(source, bag))
        if words is not None:
            told["line"] = _tried(source, bag, words)
        elif save_key is not None or not hashcat:
            secrets.unlock(source)
        if not source.locked:
            told["unlocked"] = True
        if save_key is not None:
            _save(source.key, save_key)
            told["key_file"] = str(save_key)
            if source.needs_passphrase_itself:
                console.say(
                    "warning: this key alone does not open this backup: iOS 10.0 encrypts the records of its index "
                    "with the passphrase itself, so keep the passphrase too"
                )
        if as_json:
            console.json_line({"path": source.location, "udid": source.udid, **told})
        else:
            for line in _lines(told):
                console.result(line)
        return int(harmed(source))


def _puzzles(backup: Backup, bag: KeyBag) -> Iterator[tuple[str, str]]:
    """The lines for guessing programs by their names. Raises EvidenceError when there is nothing to guess at."""
    from bagtag.extract.keys import hashcat

    yield "hashcat", hashcat.puzzle(bag)
    protection = backup.protection
    if protection is not None and protection.password_hash:
        yield "sha256", hashcat.weak_hash(protection.password_hash, protection.salt)
        console.say(
            "iOS 10.0 kept a weak hash of the passphrase too: the second line, for hashcat's mode 1410 with "
            "--hex-salt, is guessed far faster"
        )


def _tried(backup: Backup, bag: KeyBag, words: Path) -> int:
    """Unlock with the first line of the list that fits, and return its number.

    Raises PassphraseError when none does, StoppedError when it was stopped: the same command continues there.
    """
    from bagtag.extract.keys.guessing import Guessing
    from bagtag.extract.keys.word_list import LONGEST_LINE

    check = _check(backup, bag)
    with Guessing(words, backup.key_bag_sha256 or "") as guessing, endings.resumable(guessing.folder):
        _say_start(guessing, words)
        with console.watching() as progress:
            found = guessing.run(check, progress)
        if guessing.too_long:
            console.say(f"not tried: {console.number(guessing.too_long, 'line')} longer than {LONGEST_LINE:,} bytes")
        if found is None:
            raise PassphraseError(
                f"none of the {console.number(guessing.lines, 'line')} of {words} is the passphrase",
                hint="`--hashcat` prints the string for a tool that guesses faster",
            )
    with console.watching() as progress:
        backup.unlock(passphrase=found.form.text, progress=progress)
    say_form(found.form)
    return found.line


def _check(backup: Backup, bag: KeyBag) -> Check:
    """The fastest test of a candidate: iOS 10.0 kept a hash of the passphrase, else a key must be derived."""
    from bagtag.extract.keys.guessing import by_key_bag

    protection = backup.protection
    return protection.opens if protection is not None and protection.password_hash else by_key_bag(bag)


def _say_start(guessing: Guessing, words: Path) -> None:
    if guessing.changed:
        console.say(f"{words} is not as it was when an earlier run tried it: beginning anew")
    if guessing.continued:
        console.say(f"an earlier run has tried {console.number(guessing.lines, 'line')}: continuing after them")


def _save(key: bytes, path: Path) -> None:
    """64 hex digits for the owner alone. Never over a file that is there, never through a link."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as trouble:
        raise UsageError(f"{path} exists and is not written over", hint="name a new file") from trouble
    except OSError as trouble:
        raise UsageError(f"{path} cannot be written: {trouble.strerror}", hint="name a writable place") from trouble
    with os.fdopen(descriptor, "w", encoding="ascii") as sink:
        sink.write(key.hex() + "\n")
        sink.flush()
        os.fsync(sink.fileno())
    console.say(f"{path} opens this backup as the passphrase does: keep it as secret")


def _lines(told: dict[str, Any]) -> Iterator[str]:
    if "hashcat" in told:
        yield str(told["hashcat"])
    if "sha256" in told:
        yield str(told["sha256"])
    if "line" in told:
        yield f"line {told['line']} of the word list is the passphrase"
    elif "unlocked" in told:
        yield "the passphrase or key is right"
    if "key_file" in told:
        yield f"derived key written to {console.safe(told['key_file'])}"
