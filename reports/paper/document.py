"""What a page of custody is made of, before it becomes HTML or PDF: blocks of words, digests and blanks.

One document feeds both forms, so that both say the same. A blank is a ruled line for a hand: it stands wherever the
evidence folder does not tell a fact. All words count as hostile; whoever prints them escapes or prepares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Words:
    """Text as it stands; lines are kept."""

    kind: ClassVar[str] = "words"
    text: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A SHA-256 in hex, set so that no two of its digits look alike."""

    kind: ClassVar[str] = "digest"
    text: str


@dataclass(frozen=True, slots=True)
class Blank:
    """A ruled line, with what belongs on it in small letters below; no caption: a plain line."""

    kind: ClassVar[str] = "blank"
    caption: str = ""


Cell = tuple[Words | Digest | Blank, ...]
BLANK: Cell = (Blank(),)


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph. `strong`: it warns."""

    kind: ClassVar[str] = "prose"
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what the folder says to each."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. `widths` are shares of the line; `caption` says what the table shows."""

    kind: ClassVar[str] = "table"
    caption: str
    heads: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Ticks:
    """Statements that a person confirms by a tick of the pen, each with what the folder records about it."""

    kind: ClassVar[str] = "ticks"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Ruled lines side by side, each with its caption: name, signature, date."""

    kind: ClassVar[str] = "lines"
    captions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Blocks that no page break may part: a signature never stands alone on a page."""

    kind: ClassVar[str] = "together"
    blocks: tuple[Heading | Prose | Facts | Ticks | Lines, ...]


Block = Heading | Prose | Facts | Table | Ticks | Lines | Together


@dataclass(frozen=True, slots=True)
class Document:
    """`mark` stands on every page (a draft says so), `running` and the bag digest in every footer.

    `created` is RFC 3339, UTC.
    """

    title: str
    mark: str
    running: str
    bag_digest: str
    created: str
    blocks: tuple[Block, ...]


def said(text: str | None) -> Cell:
    """The text, or a blank where there is none."""
    return (Words(text),) if text else BLANK
