"""`bagtag unlock`: test a passphrase, keep the derived key, try a list of passphrases, hand the puzzle to hashcat.

The string for hashcat and john is their own format (modes 14800 and 14700): the wrapped key of one class with what the
derivation needs. A candidate is never printed; of a word list only the number of the line that fits is told.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bagtag.cli import console
from bagtag.cli.opening import harmed, opened
from bagtag.cli.options import BackupArgument, JsonOption, KeyFileOption, PassphraseFileOption
from bagtag.cli.passphrase import Secrets, key_bag
from bagtag.custody.errors import EvidenceError, PassphraseError, UsageError

if TYPE_CHECKING:
    from bagtag.custody.progress import Progress
    from bagtag.extract.backup import Backup
    from bagtag.extract.keybag import ClassKey, KeyBag

_FIRST_CLASS = 11
_BY_PASSPHRASE = 2
_WRAPPED = 40
_LONGEST_LINE = 64 * 1024
_AHEAD = 4


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
    told: dict[str, Any] = {}
    with opened(backup) as (source, _):
        key_bag(source)
        if hashcat:
            told["hashcat"] = puzzle(source)
        if words is not None:
            told["line"] = _tried(source, words)
        elif save_key is not None or not hashcat:
            secrets.unlock(source)
        if not source.locked:
            told["unlocked"] = True
        if save_key is not None:
            _save(source.key, save_key)
            told["key_file"] = str(save_key)
        if as_json:
            console.json_line({"path": source.location, "udid": source.udid, **told})
        else:
            for line in _lines(told):
                console.result(line)
        return int(harmed(source))


def puzzle(backup: Backup) -> str:
    """The string that hashcat and john take. Raises EvidenceError when the key bag holds nothing to guess at."""
    bag = key_bag(backup)
    item = _guessable(bag)
    if item is None or item.wrapped is None:
        raise EvidenceError(
            "the key bag holds no class key that the passphrase wraps: there is nothing to guess at",
            hint="look for another copy of Manifest.plist",
        )
    head = f"{item.wrapped.hex()}*{bag.iterations}*{bag.salt.hex()}"
    if bag.double_protection_salt is not None and bag.double_protection_iterations is not None:
        tail = f"{bag.double_protection_iterations}*{bag.double_protection_salt.hex()}"
        return f"$itunes_backup$*10*{head}*{tail}"
    return f"$itunes_backup$*9*{head}**"


def _guessable(bag: KeyBag) -> ClassKey | None:
    """Class 11 where it can be, as other extractors take it, else the first class with the passphrase's bit."""
    usable = [
        item
        for item in bag.classes
        if item.wrap & _BY_PASSPHRASE and item.wrapped is not None and len(item.wrapped) == _WRAPPED
    ]
    return next((item for item in usable if item.number == _FIRST_CLASS), usable[0] if usable else None)


def _tried(backup: Backup, words: Path) -> int:
    """Unlock with the first line of the list that fits, and return its number. Raises PassphraseError."""
    bag = key_bag(backup)
    number, key = 0, None
    try:
        with console.watching() as progress, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            progress.step("trying the word list", words.stat().st_size)
            for number, key in _keys(bag, words, pool, progress):  # noqa: B007 - told after the loop
                if key is not None:
                    break
    except OSError as trouble:
        raise UsageError(f"{words} cannot be read: {trouble.strerror}", hint="one passphrase a line") from trouble
    if key is None:
        raise PassphraseError(
            f"none of the {console.number(number, 'line')} of {words} is the passphrase",
            hint="`--hashcat` prints the string for a tool that guesses faster",
        )
    backup.unlock(key=key)
    return number


def _keys(bag: KeyBag, words: Path, pool: ThreadPoolExecutor, progress: Progress) -> Iterator[tuple[int, bytes | None]]:
    """Each line's number with its key when it fits, in order, while the next lines are being tried on all cores."""
    ahead: deque[tuple[int, int, Future[bytes | None]]] = deque()
    try:
        for number, line in enumerate(_lines_of(words), 1):
            candidate = line.removesuffix(b"\n").removesuffix(b"\r")
            ahead.append((number, len(line), pool.submit(_fits, bag, candidate)))
            if len(ahead) > _AHEAD * (os.cpu_count() or 1):
                yield _next(ahead, progress)
        while ahead:
            yield _next(ahead, progress)
    finally:
        for _, _, future in ahead:
            future.cancel()


def _next(ahead: deque[tuple[int, int, Future[bytes | None]]], progress: Progress) -> tuple[int, bytes | None]:
    number, size, future = ahead.popleft()
    key = future.result()
    progress.advance(size)
    return number, key


def _lines_of(words: Path) -> Iterator[bytes]:
    with words.open("rb") as source:
        while line := source.readline(_LONGEST_LINE):
            yield line


def _fits(bag: KeyBag, candidate: bytes) -> bytes | None:
    key = bag.derive(candidate.decode("utf-8", "surrogateescape"))
    try:
        bag.unwrap(key)
    except PassphraseError:
        return None
    return key


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
    if "line" in told:
        yield f"line {told['line']} of the word list is the passphrase"
    elif "unlocked" in told:
        yield "the passphrase or key is right"
    if "key_file" in told:
        yield f"derived key written to {console.safe(told['key_file'])}"
