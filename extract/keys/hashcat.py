"""What guessing programs take: the key bag as one line of text, for hashcat (modes 14700, 14800) and John the Ripper.

    $itunes_backup$*9*<WPKY>*<ITER>*<SALT>**                until iOS 10.1
    $itunes_backup$*10*<WPKY>*<ITER>*<SALT>*<DPIC>*<DPSL>   since iOS 10.2

WPKY is the wrapped key of one class, bytes are hex, counts decimal; known from the self-tests that both programs
publish. The line gives no content away, but whoever has it can guess the passphrase: it is to be kept like evidence.
iOS 10.0 kept a plain SHA-256 of passphrase and salt beside it, which is guessed millions of times faster (mode 1410).
"""

from __future__ import annotations

import re

from bagtag.custody.errors import EvidenceError
from bagtag.extract.keybag import BY_PASSPHRASE, SALT_LENGTH, WRAPPED_KEY_LENGTH, ClassKey, KeyBag

_FIRST_CLASS = 11
_WRAPPED, _SALT = rf"[0-9a-f]{{{2 * WRAPPED_KEY_LENGTH}}}", rf"[0-9a-f]{{{2 * SALT_LENGTH}}}"
_LINE = re.compile(
    rf"\$itunes_backup\$\*(?:9\*({_WRAPPED})\*(\d{{1,10}})\*({_SALT})\*\*"
    rf"|10\*({_WRAPPED})\*(\d{{1,10}})\*({_SALT})\*(\d{{1,10}})\*({_SALT}))",
    re.ASCII,
)


def puzzle(bag: KeyBag) -> str:
    """The line for this bag. Raises EvidenceError when the bag is damaged or holds nothing to guess at."""
    bag.check()
    wrapped = _guessable(bag)
    if wrapped is None:
        raise EvidenceError(
            "the key bag holds no class key that the passphrase wraps: there is nothing to guess at",
            hint="look for another copy of Manifest.plist",
        )
    head = f"{wrapped.hex()}*{bag.iterations}*{bag.salt.hex()}"
    if bag.double_protection_salt is not None and bag.double_protection_iterations is not None:
        tail = f"{bag.double_protection_iterations}*{bag.double_protection_salt.hex()}"
        return f"$itunes_backup$*10*{head}*{tail}"
    return f"$itunes_backup$*9*{head}**"


def parse(line: str) -> KeyBag:
    """The key bag as far as such a line tells it: one class key, under the passphrase. Raises ValueError."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError("this is no $itunes_backup$ line of kind 9 or 10")
    wrapped, iterations, salt = (
        old or new for old, new in zip(found.group(1, 2, 3), found.group(4, 5, 6), strict=True)
    )
    rounds, first_salt = found.group(7, 8)
    key = ClassKey(_FIRST_CLASS, BY_PASSPHRASE, key_type=None, uuid="", wrapped=bytes.fromhex(wrapped))
    return KeyBag(
        version=None,
        kind=None,
        uuid=None,
        salt=bytes.fromhex(salt),
        iterations=int(iterations),
        double_protection_salt=bytes.fromhex(first_salt) if first_salt else None,
        double_protection_iterations=int(rounds) if rounds else None,
        classes=(key,),
        unknown=(),
        tail=b"",
        size=0,
    )


def weak_hash(password_hash: bytes, salt: bytes) -> str:
    """The line for hashcat's mode 1410 with --hex-salt: SHA-256 of passphrase and salt, from iOS 10.0's Properties."""
    return f"{password_hash.hex()}:{salt.hex()}"


def _guessable(bag: KeyBag) -> bytes | None:
    """The wrapped key of class 11 where it can be, as other extractors take it, else the first under the passphrase."""
    usable = {
        item.number: item.wrapped
        for item in reversed(bag.classes)
        if item.wrap & BY_PASSPHRASE and item.wrapped is not None and len(item.wrapped) == WRAPPED_KEY_LENGTH
    }
    return usable.get(_FIRST_CLASS) or next(reversed(usable.values()), None)
