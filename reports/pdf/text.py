"""Evidence text made ready for print: paragraphs with a direction, cut into runs of text, emoji and boxed code points.

A typesetter asked to print what no font holds prints an empty box or stops; a bidirectional override reorders what the
reader sees (Unicode TR 36); a word of 400 letters runs off the page. So each grapheme cluster (Unicode annex 29) is
judged once before printing: emoji go to the emoji font, text goes to a font that shapes it whole, and whatever would
stay invisible or has no glyph becomes its code point in a box. Nothing is left out.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

import regex
import uharfbuzz

from bagtag.reports.pdf.fonts import Typeface, Typefaces

Kind = Literal["t", "e", "x"]
"""Text, emoji, code point in a box. The letters are what the typst templates read."""

_BREAK = "\u200b"
_LONGEST_WORD, _PIECE = 24, 12
# Thai and its neighbours write no spaces; the typesetter finds the words of real text by a dictionary.
_LONGEST_UNSPACED, _UNSPACED_PIECE = 48, 24
_MOST_MARKS = 8  # on one letter; no script needs as many, and a stack of them is drawn over the lines above
_MOST_KNOWN = 50_000

_CLUSTER = regex.compile(r"\X", regex.DOTALL)
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_JOINERS = "\u200c\u200d"
_SELECTOR = regex.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# The flags of England, Scotland and Wales are spelt with tags, which hide text anywhere else.
_FLAG = regex.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Regional_Indicator}|\p{Emoji}\ufe0f|\p{Emoji_Modifier}|\u20e3"
    r"|\p{Extended_Pictographic}.*\u200d"
)
_AS_TEXT = "\ufe0e"
_IDEOGRAPH = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_UNSPACED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


class Run(NamedTuple):
    """A stretch that is printed in one way; of kind `x` the text is a code point such as `U+202E`."""

    kind: Kind
    text: str


class Paragraph(NamedTuple):
    """One line of the evidence, as long as it may be. `rtl`: its first strong letter is Hebrew, Arabic or the like."""

    rtl: bool
    runs: tuple[Run, ...]


class Preparation:
    """Prepares the texts of one document and remembers what it met.

    `boxed` counts the code points that were boxed, `unprintable` those of them that no font has, by character;
    `broken` is whether a long word was given places to break (U+200B, which is then found in the PDF's text too).
    """

    def __init__(self, typefaces: Typefaces) -> None:
        self.typefaces = typefaces
        self.boxed: Counter[str] = Counter()
        self.unprintable: Counter[str] = Counter()
        self.broken = False
        self._used: dict[Typeface, None] = {}
        self._known: dict[str, _Verdict] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the prepared texts: what boxes are, that long words were given places to break."""
        told = []
        if self.boxed:
            told.append(
                "A code point in a box (U+…) stands in the place of a character that is invisible, that would reorder "
                "what is read, or that no font of this document draws."
            )
        if self.broken:
            told.append(
                "So that long words do not run off the page, they hold U+200B, an invisible place to break, which is "
                "found in text that is copied from this file."
            )
        return tuple(told)

    @property
    def used(self) -> tuple[Typeface, ...]:
        """The fonts that the prepared texts need, in the order of the list; the first of the list always."""
        known = (*self.typefaces.text, *self.typefaces.emoji)
        return tuple(face for number, face in enumerate(known) if number == 0 or face in self._used)

    def block(self, text: str) -> tuple[Paragraph, ...]:
        """Running text: a paragraph for each of its lines, an empty one for an empty line."""
        return tuple(self._paragraph(line) for line in text.split("\n"))

    def line(self, text: str) -> Paragraph:
        """A name, a path, an identifier: line breaks are boxed too."""
        return self._paragraph(text)

    def _paragraph(self, text: str) -> Paragraph:
        if text.isascii() and text.isprintable() and all(len(word) <= _LONGEST_WORD for word in text.split(" ")):
            return Paragraph(False, (Run("t", text),) if text else ())
        runs = tuple(self._merged(text))
        return Paragraph(_right_to_left("".join(run.text for run in runs if run.kind == "t")), runs)

    def _merged(self, text: str) -> Iterator[Run]:
        clusters = _CLUSTER.findall(text)
        verdicts = [self._verdict(cluster) for cluster in clusters]
        breaks = _places_to_break(clusters, verdicts)
        self.broken |= bool(breaks)
        kind: Kind = "t"
        pieces: list[str] = []
        for number, verdict in enumerate(verdicts):
            runs = (*verdict.runs, Run("t", _BREAK)) if number in breaks else verdict.runs
            for run in runs:
                if pieces and (run.kind != kind or kind == "x"):
                    yield Run(kind, "".join(pieces))
                    pieces = []
                kind = run.kind
                pieces.append(run.text)
        if pieces:
            yield Run(kind, "".join(pieces))

    def _verdict(self, cluster: str) -> _Verdict:
        verdict = self._known.get(cluster)
        if verdict is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            verdict = self._known[cluster] = self._judged(cluster)
        self.boxed.update(verdict.boxed)
        self.unprintable.update(verdict.unprintable)
        for face in verdict.faces:
            self._used.setdefault(face)
        return verdict

    def _judged(self, cluster: str) -> _Verdict:
        verdict = _Verdict()
        if _FLAG.fullmatch(cluster):
            self._emoji(cluster, verdict)
            return verdict
        seen, marks = "", 0
        for number, character in enumerate(cluster):
            marks += unicodedata.category(character) in {"Mn", "Me"} and not _SELECTOR.match(character)
            if marks > _MOST_MARKS or _hides(cluster, number):
                self._visible(seen, verdict)
                seen = ""
                verdict.box(character)
            else:
                seen += character
        self._visible(seen, verdict)
        return verdict

    def _visible(self, text: str, verdict: _Verdict) -> None:
        """Judge a cluster, or what is left of one, that holds nothing hidden."""
        if not text:
            return
        if _EMOJI.search(text) and _AS_TEXT not in text:
            self._emoji(text, verdict)
        else:
            self._text(text, verdict)

    def _emoji(self, text: str, verdict: _Verdict) -> None:
        for face in self.typefaces.emoji:
            glyphs = _glyphs(face, text)
            if glyphs:
                verdict.add("e", text, face)
                if glyphs > 1:  # the font draws a family as single people, a flag as two letters: say what it is
                    for character in text:
                        verdict.box(character)
                return
        self._text(text, verdict)

    def _text(self, text: str, verdict: _Verdict) -> None:
        for face in self.typefaces.text:
            if _glyphs(face, text):
                verdict.add("t", text, face)
                return
        for face in self.typefaces.emoji:
            if _glyphs(face, text):
                verdict.add("e", text, face)
                return
        if len(text) == 1:
            verdict.box(text, unprintable=True)
            return
        for character in text:
            if _IGNORABLE.match(character):
                verdict.box(character)
            else:
                self._text(character, verdict)


class _Verdict:
    """What becomes of one cluster."""

    __slots__ = ("boxed", "faces", "runs", "unprintable")

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.boxed: list[str] = []
        self.unprintable: list[str] = []
        self.faces: list[Typeface] = []

    def add(self, kind: Kind, text: str, face: Typeface) -> None:
        self.runs.append(Run(kind, text))
        self.faces.append(face)

    def box(self, character: str, *, unprintable: bool = False) -> None:
        self.runs.append(Run("x", f"U+{ord(character):04X}"))
        self.boxed.append(character)
        if unprintable:
            self.unprintable.append(character)


def _places_to_break(clusters: list[str], verdicts: list[_Verdict]) -> set[int]:
    """The clusters after which a long word may go on in the next line. A box counts as the six letters it holds."""
    breaks: set[int] = set()
    start, length, unspaced = 0, 0, False
    for number, (cluster, verdict) in enumerate(zip(clusters, verdicts, strict=True)):
        plain = not verdict.boxed
        if plain and (cluster.isspace() or _IDEOGRAPH.match(cluster)):
            breaks |= _within(verdicts, start, number, length, unspaced=unspaced)
            start, length = number + 1, 0
            continue
        unspaced_here = plain and bool(_UNSPACED.match(cluster))
        if unspaced_here != unspaced:
            breaks |= _within(verdicts, start, number, length, unspaced=unspaced)
            start, length, unspaced = number, 0, unspaced_here
        length += _width(verdict)
    return breaks | _within(verdicts, start, len(clusters), length, unspaced=unspaced)


def _within(verdicts: list[_Verdict], start: int, end: int, length: int, *, unspaced: bool) -> set[int]:
    if length <= (_LONGEST_UNSPACED if unspaced else _LONGEST_WORD):
        return set()
    breaks, since = set(), 0
    for number in range(start, end - 1):
        since += _width(verdicts[number])
        if since >= (_UNSPACED_PIECE if unspaced else _PIECE):
            breaks.add(number)
            since = 0
    return breaks


def _width(verdict: _Verdict) -> int:
    return 1 + 5 * len(verdict.boxed)


def _hides(cluster: str, number: int) -> bool:
    """Whether this character of the cluster is one that a reader would not see, or see as something else."""
    character = cluster[number]
    if " " <= character <= "~":
        return False
    if character in _JOINERS:  # beside ASCII it joins nothing, it only makes two equal-looking words differ
        return number == 0 or cluster[0].isascii()
    if _SELECTOR.match(character):
        return number == 0 or (cluster[0].isascii() and not _EMOJI.match(cluster))
    if character == "\ufffc":  # fonts draw it, but no two alike
        return True
    category = unicodedata.category(character)
    if category == "Cf":
        return bool(_IGNORABLE.match(character)) or "\ufff9" <= character <= "\ufffb"
    return category in {"Cc", "Cs", "Co", "Zl", "Zp"} or bool(_IGNORABLE.match(character))


def _glyphs(face: Typeface, text: str) -> int:
    """How many glyphs that take up room this font draws the text with; 0 when it lacks any."""
    if not all(ord(character) in face.code_points for character in text if not _IGNORABLE.match(character)):
        return 0
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(face.font, buffer)
    # In HarfBuzz's output `codepoint` is the number of the glyph; 0 is the one for what is missing.
    if any(glyph.codepoint == 0 for glyph in buffer.glyph_infos):
        return 0
    return max(1, sum(1 for place in buffer.glyph_positions if place.x_advance))


def _right_to_left(text: str) -> bool:
    """Unicode annex 9, rules P2 and P3, of what is printed as text: a boxed character turns no line round."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return False
        if kind in {"R", "AL"}:
            return True
    return False
