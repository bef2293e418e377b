"""Text in columns for a terminal: wrapped to what a line holds, as the terminal counts it.

A Chinese character or an emoji takes two places, a combining mark none (Unicode TR 11); rich knows which.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

PIPED = 100
"""Places of a line that goes to a file or another program."""


def terminal_width(least: int) -> int:
    """Places of a line of the result, at least `least`."""
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else PIPED
    except (OSError, ValueError):
        width = PIPED
    return max(width or PIPED, least)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` places, broken at blanks, a longer word anywhere; one line at least."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and cell_len(line) + 1 + cell_len(word) <= width:
            line += " " + word
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width)
        lines += whole
    return [*lines, line]


def side_by_side(columns: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """The lines of the columns beside each other, two places apart."""
    for number in range(max(map(len, columns), default=0)):
        cells = [column[number] if number < len(column) else "" for column in columns]
        row = "  ".join(set_cell_size(cell, width) for cell, width in zip(cells, widths, strict=True))
        yield row.rstrip(" ")


def _pieces(word: str, width: int) -> list[str]:
    """The word cut into pieces that fit."""
    if cell_len(word) <= width:
        return [word]
    pieces, piece, places = [], "", 0
    for character in word:
        size = cell_len(character)
        if piece and places + size > width:
            pieces.append(piece)
            piece, places = "", 0
        piece += character
        places += size
    return [*pieces, piece]
