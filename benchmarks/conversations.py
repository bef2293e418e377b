"""A long conversation as JSON Lines: `bagtag messages --json`."""

from __future__ import annotations

from pathlib import Path

import measure
import samples
from extraction import PROGRAM
from figures import Figures
from spent import put_aside


def messages(work: Path, scale: float, rounds: int, figures: Figures) -> None:
    """10,000 messages and 100,000: the second says whether memory stays flat.

    The sample has lost an attachment, so the command ends with 1.
    """
    for count in (round(10_000 * scale), round(100_000 * scale)):
        sample = samples.minted(work / "sample", encrypted=False, messages=count)
        name, printed = "bagtag messages --json", work / "printed"
        found = {
            name: [measure.once([PROGRAM, "messages", sample.folder, "--json"], output=printed) for _ in range(rounds)]
        }
        speed = f"{sample.messages / min(run.wall for run in found[name]):,.0f}"
        figures.table(f"{sample.messages:,} messages as JSON", found, {"a second": {name: speed}}, ends=1)
        put_aside(work, "sample", "printed")
