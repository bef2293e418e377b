"""The listing of an index of 1,300,000 rows: `bagtag files`, plain and encrypted.

The index is that of a small minted backup to which rows are added that no blob stands behind. What a command prints
goes to a file, and its lines are counted.
"""

from __future__ import annotations

import os
from pathlib import Path

import index_rows
import measure
import open_index
import samples
from extraction import PROGRAM
from figures import Figures
from spent import put_aside

ROWS = 1_300_000
COMMANDS = (["files"], ["files", "--json"], ["files", "--long"], ["files", "--long", "--json"])


def listing(work: Path, scale: float, rounds: int, figures: Figures) -> None:
    """Every form of `bagtag files`, on the plain index and on the encrypted one."""
    for encrypted in (False, True):
        sample = samples.minted(work / "sample", encrypted=encrypted)
        count, least, mean, most = samples.apart(grow, sample.folder, sample.passphrase, round(ROWS * scale))
        found: dict[str, list[measure.Run]] = {f"bagtag {' '.join(command)}": [] for command in COMMANDS}
        lines: dict[str, int] = {}
        for _ in range(rounds):
            for name, words in zip(found, COMMANDS, strict=True):
                os.sync()
                samples.warm(sample.folder)
                run = measure.once(
                    [PROGRAM, *words, sample.folder], output=work / "printed",
                    environment={"BAGTAG_PASSPHRASE": sample.passphrase},
                )  # fmt: skip
                found[name].append(run)
                lines[name] = _lines(work / "printed")
        size = (sample.folder / "Manifest.db").stat().st_size / 2**20
        title = f"{'encrypted' if encrypted else 'plain'} index of {count:,} rows ({size:,.0f} MiB)"
        a_row = {name: f"{min(run.wall for run in runs) / count * 1e6:.1f}" for name, runs in found.items()}
        shown = {name: f"{number:,}" for name, number in lines.items()}
        note = f"records of {least:,} to {most:,} bytes, {mean:,.0f} on average; µs a row of the fastest round"
        figures.table(title, found, {"µs a row": a_row, "lines": shown}, [note])
        for name, number in lines.items():
            if number != count:
                figures.fail(f"{name} of {title}: {number:,} lines for {count:,} rows")
        put_aside(work, "sample", "printed")


def grow(backup: Path, passphrase: str, count: int) -> tuple[int, int, float, int]:
    """Bring the index of a minted backup to `count` rows; its rows, and least, mean and greatest size of a record."""
    with open_index.changed(backup, passphrase) as manifest:
        named = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
        indexes = manifest.execute(named).fetchall()
        for name, _ in indexes:
            manifest.execute(f"DROP INDEX {name}")
        (there,) = manifest.execute("SELECT count(*) FROM Files").fetchone()
        added = index_rows.rows(max(0, count - there), encrypted=bool(passphrase))
        manifest.executemany("INSERT INTO Files (fileID, domain, relativePath, flags, file) VALUES (?,?,?,?,?)", added)
        for _, sql in indexes:
            manifest.execute(sql)
        facts = "SELECT count(*), min(length(file)), avg(length(file)), max(length(file)) FROM Files"
        total, least, mean, most = manifest.execute(facts).fetchone()
    return total, least, mean, most


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(samples.CHUNK), b""))
