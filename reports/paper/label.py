"""The label for the evidence bag: what is in it, when it was sealed, and the bag digest for the eye and for a scanner.

It says what does not change after sealing, so it can be printed again and is the same. The QR code holds `sha256:` and
the bag digest in hex: what `bagtag verify --expect` takes, and what any reader of QR codes shows as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import segno

from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import words
from bagtag.reports.paper.folder import Folder

PREFIX = "sha256:"
_QUIET = 4  # modules of white round the code (ISO/IEC 18004)


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on it. `facts` and `digests` are name and text, `blanks` captions of ruled lines, `matrix` rows
    of modules (True is dark)."""

    title: str
    created: str
    facts: tuple[tuple[str, str], ...]
    digests: tuple[tuple[str, str], ...]
    code: str
    matrix: tuple[tuple[bool, ...], ...]
    blanks: tuple[str, ...]
    footer: str


def label(folder: Folder, clock: Clock) -> Label:
    """The label of this folder."""
    wanted = (
        ("Case", folder.case), ("Item", folder.item), ("Exhibit", folder.label("Evidence-Exhibit-Reference")),
        ("Agency", folder.label("Source-Organization")), ("Examiner", folder.label("Evidence-Examiner")),
        ("Sealed", words.moment(clock, folder.sealed.line.at)), ("Device", folder.label("Evidence-Source-Device")),
    )  # fmt: skip
    digests = [("Bag digest", folder.bag.sha256), ("Payload digest", folder.payload_digest)]
    digests += [("Signed with key", keyid) for keyid in folder.signatures]
    unsigned = "" if folder.signatures else "Closed, unsigned. "
    code = PREFIX + folder.bag.sha256
    return Label(
        title="Evidence",
        created=folder.named.line.at,
        facts=tuple((name, text) for name, text in wanted if text),
        digests=tuple((name, grouped(value)) for name, value in digests),
        code=code,
        matrix=matrix(code),
        blanks=("number of the seal", "signature", "date"),
        footer=f"{unsigned}Digests are SHA-256. The code holds “{PREFIX}” and the bag digest. {words.KIND}.",
    )


def grouped(digest: str) -> str:
    """The digest in groups of eight, for reading aloud."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def matrix(text: str) -> tuple[tuple[bool, ...], ...]:
    """The QR code of a text, without its white border. A quarter of it may be smudged (error correction Q)."""
    made = segno.make_qr(text, error="q", boost_error=False)
    return tuple(tuple(bool(module) for module in row) for row in made.matrix)


def path(modules: tuple[tuple[bool, ...], ...]) -> tuple[int, str]:
    """The code as one SVG path in units of a module, and the width of the square with its white border."""
    strokes: list[str] = []
    for y, row in enumerate(modules):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                strokes.append(f"M{x + _QUIET} {y + _QUIET}h{end - x}v1h-{end - x}z")
            x = end + 1
    return len(modules) + 2 * _QUIET, "".join(strokes)


def svg(modules: tuple[tuple[bool, ...], ...]) -> bytes:
    """The code as a picture of its own."""
    width, strokes = path(modules)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {width}" width="{width}" height="{width}">'
        f'<path fill="#fff" d="M0 0h{width}v{width}H0z"/><path d="{strokes}"/></svg>\n'
    ).encode("ascii")
