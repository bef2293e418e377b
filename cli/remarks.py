"""Issues as a terminal shows them: harmful ones by their words, the first few of them; notes as a number.

A backup may hold a million of them. The whole list belongs into a file: `bagtag bundle` writes it.
"""

from __future__ import annotations

from collections import Counter

from bagtag.cli import console
from bagtag.extract.evidence import HARMFUL, Issue

_MOST = 20


class Remarks:
    """Issues summed up. `effects` counts them by what they mean for the result."""

    def __init__(self) -> None:
        self.effects: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._more = 0

    @property
    def harmful(self) -> bool:
        """Whether anything was lost or only partly read: exit code 1."""
        return any(self.effects[effect] for effect in HARMFUL)

    def take(self, issue: Issue) -> None:
        """Count an issue."""
        self.effects[issue.effect] += 1
        if issue.effect not in HARMFUL:
            return
        words = f"{issue.effect}: {issue.what}"
        if words in self._told or len(self._told) < _MOST:
            self._told[words] += 1
        else:
            self._more += 1

    def say(self) -> None:
        """Say what was counted."""
        for words, count in self._told.items():
            console.say(words if count == 1 else f"{words} ({count:,} times)")
        if self._more:
            console.say(f"and {console.number(self._more, 'further issue')} (lost or partial)")
        others = self.effects.total() - sum(self.effects[effect] for effect in HARMFUL)
        if others:
            console.say(f"{console.number(others, 'note')}; `bagtag bundle` lists every one")
