"""`bagtag verify` of an evidence folder beside the bare hashing of the same bytes, in turn, from the page cache.

The folder is made by `bagtag bundle` of a plain minted backup. A single large file is one core's work: it is measured
too, so that the figure is known.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import measure
import samples
from extraction import HERE, PROGRAM
from figures import Figures, share
from spent import put_aside

VERIFY, LIMIT = "bagtag verify", "limit: bare hashing"
NOTE = "of the bare hashing only the loop is timed, of bagtag all; hashing takes what all cores together can"


def verify(work: Path, scale: float, rounds: int, figures: Figures) -> None:
    """4 GiB in 4 files, the same in one, and 50,000 small ones."""
    one = [(samples.PLACE, "Documents/large.bin", 4 * round(2**30 * scale))]
    for title, files in (("4 GiB in 4 files", samples.large(scale)), ("4 GiB in one file", one),
                         ("50,000 files of 1–64 KiB", samples.many(scale))):  # fmt: skip
        folder = _evidence(work, files, figures)
        size = sum(size for _, _, size in files) / 2**20
        found: dict[str, list[measure.Run]] = {VERIFY: [], LIMIT: []}
        for _ in range(rounds):
            samples.warm(folder)
            found[VERIFY].append(measure.once([PROGRAM, "verify", folder]))
            bare = measure.once([sys.executable, HERE / "hashing.py", folder], output=work / "printed")
            if bare.code == 0:
                bare = replace(bare, wall=float((work / "printed").read_text()))
            found[LIMIT].append(bare)
        rate = {name: f"{size / min(run.wall for run in runs):,.0f}" for name, runs in found.items()}
        heading = f"{title} at scale {scale:g}: {len(files):,} files, {size:,.0f} MiB"
        figures.table(heading, found, {"% of limit": share(found, LIMIT), "MiB/s": rate}, [NOTE])
        put_aside(work, "sample", "evidence", "printed")


def _evidence(work: Path, files: samples.Files, figures: Figures) -> Path:
    """An evidence folder with these files; the backup that it was made of is gone."""
    sample = samples.minted(work / "sample", encrypted=False, files=files)
    label = ["--case", "bench", "--item", "1", "--examiner", "bench"]
    made = measure.once([PROGRAM, "bundle", sample.folder, work / "evidence", *label])
    if made.code not in {0, 1}:
        figures.fail(f"bagtag bundle: exit {made.code}: {made.said}")
    put_aside(work, "sample")
    return work / "evidence"
