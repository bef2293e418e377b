"""`--log [FILE]`: an option whose value may be left out.

The parser below Typer knows no such option, so the words are mended before it sees them. The option without a value
stands last, or before another option; everywhere else the next word is its value.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

OPTION = "--log"
OWN = ""
"""The value where none was given."""


class CommandWithLog(TyperCommand):
    """A command whose `--log` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a lone `--log` its empty value."""
        return super().parse_args(ctx, mended(args))


def mended(words: list[str]) -> list[str]:
    """The words with `--log=` in the place of each lone `--log`."""
    out: list[str] = []
    for number, word in enumerate(words):
        if word == "--":
            return out + words[number:]
        following = words[number + 1] if number + 1 < len(words) else "-"
        alone = word == OPTION and (following.startswith("--") or number + 1 == len(words) or following == "-h")
        out.append(f"{OPTION}={OWN}" if alone else word)
    return out
