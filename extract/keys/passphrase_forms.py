"""The byte strings that one passphrase may have been when it was set.

Apple derives the key from the UTF-8 of what was typed, and no source says that anything is normalised first. The same
ä is one code point (NFC) from one keyboard and two (NFD) from another or from a file name; a list or file made on
Windows may have kept the carriage return of its line. Each form costs a whole derivation, so only distinct ones count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

AS_GIVEN = "as it was given"


@dataclass(frozen=True, slots=True)
class Form:
    """One form: what tells it apart, in words that follow "the passphrase"; and the text, never shown."""

    name: str
    text: str = field(repr=False)

    @property
    def secret(self) -> bytes:
        """What the key is derived from: UTF-8, with bytes that were no UTF-8 as they were."""
        return self.text.encode("utf-8", "surrogateescape")


def forms(passphrase: str, *, carriage_return: bool = False) -> Iterator[Form]:
    """The distinct forms, likeliest first: as given, NFC, NFD; last with the carriage return that its line ended in.

    A passphrase of ASCII has one form, two where `carriage_return`.
    """
    yield Form(AS_GIVEN, passphrase)
    seen = {passphrase}
    others = [
        Form("in Unicode's composed form (NFC)", unicodedata.normalize("NFC", passphrase)),
        Form("in Unicode's decomposed form (NFD)", unicodedata.normalize("NFD", passphrase)),
    ]
    if carriage_return:
        others.append(Form("with the carriage return at the end of its line", passphrase + "\r"))
    for form in others:
        if form.text not in seen:
            seen.add(form.text)
            yield form
