"""The tables of a run: printed as they come, and kept for `--json`."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from measure import Run


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "python": platform.python_version(),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "cores": len(os.sched_getaffinity(0)),
    }


@dataclass
class Figures:
    """All tables so far. `failed` tells the runs that ended in another way than they should."""

    tables: list[dict[str, Any]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def table(
        self,
        title: str,
        found: Mapping[str, Sequence[Run]],
        more: Mapping[str, Mapping[str, str]],
        notes: Sequence[str] = (),
        ends: int = 0,
    ) -> None:
        """Print the medians of each command, and further columns: their heading, then the command, to what it says.

        `ends` is the exit code that every command should have.
        """
        wide = max(map(len, found)) + 2
        print(f"\n{title}")
        print(
            f"{'':{wide}}{'wall s':>9}{'min':>9}{'max':>9}{'cpu s':>9}{'tree MiB':>10}{'largest':>9}{'exit':>6}"
            + "".join(f"{heading:>{_width(heading, column)}}" for heading, column in more.items())
        )
        for name, runs in found.items():
            walls = [run.wall for run in runs]
            cpu = statistics.median(run.cpu for run in runs)
            tree, largest = max(run.tree_mib for run in runs), max(run.largest_mib for run in runs)
            codes = "/".join(str(code) for code in sorted({run.code for run in runs}))
            print(
                f"{name:{wide}}{statistics.median(walls):9.3f}{min(walls):9.3f}{max(walls):9.3f}{cpu:9.2f}{tree:10.0f}"
                f"{largest:9.0f}{codes:>6}"
                + "".join(f"{column.get(name, ''):>{_width(heading, column)}}" for heading, column in more.items())
            )
        for note in notes:
            print(f"  {note}")
        for name, runs in found.items():
            self._failures(name, title, runs, ends)
        commands = {
            name: {
                "runs": [asdict(run) for run in runs],
                **{heading: column[name] for heading, column in more.items() if name in column},
            }
            for name, runs in found.items()
        }
        self.tables.append({"title": title, "commands": commands, "notes": list(notes)})

    def write(self, path: Path) -> None:
        """All of it as JSON."""
        told = {"machine": machine(), "tables": self.tables, "failed": self.failed}
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def fail(self, what: str) -> None:
        """Note and say that something did not end as it should."""
        self.failed.append(what)
        print(f"  FAILED {what}")

    def _failures(self, name: str, title: str, runs: Sequence[Run], ends: int) -> None:
        for number, run in enumerate(runs, 1):
            if run.code != ends:
                self.fail(f"{name}, round {number} of {title}: exit {run.code}: {run.said.strip()[-500:]}")


def against(found: Mapping[str, Sequence[Run]], reference: str) -> dict[str, str]:
    """Each command's wall time as a multiple of that of `reference`, round by round: the median, and min to max."""
    return {name: _spread(_ratios(runs, found[reference])) for name, runs in found.items()}


def share(found: Mapping[str, Sequence[Run]], limit: str) -> dict[str, str]:
    """How near each command comes to `limit`: that one's wall time as a percentage of its own, round by round."""
    shares = {name: [100 * ratio for ratio in _ratios(found[limit], runs)] for name, runs in found.items()}
    return {name: f"{statistics.median(each):.0f} ({min(each):.0f}–{max(each):.0f})" for name, each in shares.items()}


def times(found: Mapping[str, Sequence[Run]], slow: str, fast: str) -> str:
    """How many times as fast `fast` is, round by round."""
    return _spread(_ratios(found[slow], found[fast]))


def _ratios(ones: Sequence[Run], others: Sequence[Run]) -> list[float]:
    return [one.wall / other.wall for one, other in zip(ones, others, strict=True)]


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _width(heading: str, column: Mapping[str, str]) -> int:
    return max(map(len, [heading, *column.values()])) + 2
