"""The fonts that a PDF is set in: ours, or from a folder that was named, and never those of this computer.

A report that took whatever fonts lie on a computer would look different in every lab, and no system can be counted on
to draw emoji or Arabic. The wheel carries Noto Sans (Latin, Cyrillic, Greek), Amiri for Arabic, Noto for Hebrew,
Devanagari, Thai and symbols, and Noto Color Emoji (see `typefaces/remake.py`); all under the SIL Open Font License.
`bagtag[fonts]` adds Chinese, Japanese, Korean and further scripts. Code here asks for nothing but folders of fonts.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import uharfbuzz

from bagtag.custody.errors import UsageError

SHIPPED = Path(__file__).parent / "typefaces"
TEXT_FAMILY = "Noto Sans"
EMOJI_FAMILY = "Noto Color Emoji"
DIGEST_FAMILY = "DejaVu Sans Mono"
"""Comes with typst itself; digests alone are set in it."""
_EXTRA_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
_SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".otc"})
_MAX_FONTS = 500
_MAX_SIZE = 256 << 20
# Amiri after the others: it holds Latin letters too, which Noto Sans is to draw.
_SHIPPED_ORDER = (
    "NotoSans.ttf", "Amiri-Regular.ttf", "NotoSansHebrew.ttf", "NotoSansDevanagari.ttf", "NotoSansThai.ttf",
    "NotoSansSymbols.ttf", "NotoSansSymbols2.ttf", "NotoColorEmoji.ttf",
)  # fmt: skip
_ALONG = ("NotoSans-Italic.ttf",)
_FAMILY, _VERSION, _TYPOGRAPHIC_FAMILY = 1, 5, 16


@dataclass(frozen=True, slots=True, eq=False)
class Typeface:
    """One face of one file. `code_points` are those it has a glyph for; `along`: files of the same family beside it."""

    family: str
    path: Path
    version: str
    code_points: frozenset[int] = field(repr=False)
    font: uharfbuzz.Font = field(repr=False)
    along: tuple[Path, ...] = ()

    @property
    def sha256(self) -> str:
        """Of the whole file, in hex."""
        return _sha256(self.path)


@dataclass(frozen=True, slots=True)
class Typefaces:
    """All fonts that may be used, in the order in which they are asked for a glyph."""

    text: tuple[Typeface, ...]
    emoji: tuple[Typeface, ...]

    @classmethod
    def load(cls, folders: Sequence[Path] = ()) -> Typefaces:
        """The fonts of the wheel, then those of `folders`, then those of `bagtag[fonts]` where it is installed.

        Of a family that came before, later files are passed by. Raises UsageError for a folder without a usable font.
        """
        found: dict[str, Typeface] = {}
        for face in _shipped():
            found.setdefault(face.family, face)
        for folder in folders:
            named = list(_faces(folder))
            if not named:
                raise UsageError(f"{folder} holds no font", hint="name a folder with .ttf, .otf or .ttc files")
            for face in named:
                found.setdefault(face.family, face)
        for face in _installed():
            found.setdefault(face.family, face)
        emoji = tuple(face for face in found.values() if "emoji" in face.family.casefold())
        return cls(tuple(face for face in found.values() if face not in emoji), emoji)


@cache
def _shipped() -> tuple[Typeface, ...]:
    along = tuple(SHIPPED / name for name in _ALONG)
    return tuple(
        face for name in _SHIPPED_ORDER
        for face in _of_file(SHIPPED / name, along if name == _SHIPPED_ORDER[0] else ())
    )  # fmt: skip


@cache
def _installed() -> tuple[Typeface, ...]:
    """The fonts of the optional packages. They are found as folders; nothing of them is imported."""
    found: list[Typeface] = []
    for package in _EXTRA_PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            found += _faces(Path(folder))
    return tuple(found)


def _faces(folder: Path) -> Iterator[Typeface]:
    """Every face of every font file in a folder and below it, sorted by path."""
    try:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    except OSError as trouble:
        raise UsageError(f"{folder} cannot be read: {trouble.strerror}", hint="name a folder of fonts") from trouble
    if len(paths) > _MAX_FONTS:
        raise UsageError(f"{folder} holds {len(paths):,} fonts", hint=f"name a folder with at most {_MAX_FONTS}")
    for path in paths:
        yield from _of_file(path, ())


def _of_file(path: Path, along: tuple[Path, ...]) -> Iterator[Typeface]:
    if path.stat().st_size > _MAX_SIZE:
        return
    blob = uharfbuzz.Blob(path.read_bytes())
    number, count = 0, 1
    while number < count:
        face = uharfbuzz.Face(blob, number)
        count = max(1, int(face.count))
        family = face.get_name(_TYPOGRAPHIC_FAMILY) or face.get_name(_FAMILY)
        code_points = frozenset(face.unicodes)
        if family and code_points:  # a file that is no font has neither
            version = face.get_name(_VERSION) or ""
            yield Typeface(family, path, version, code_points, uharfbuzz.Font(face), along)
        number += 1


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
