"""One command as a whole process: wall seconds, processor seconds, and the peak memory of it and its children."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """What one run took. `peak_mib` is the largest single process."""

    wall: float
    cpu: float
    peak_mib: float
    code: int


def once(command: Sequence[str], *, typed: str = "", environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end; what it prints is thrown away."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(typed.encode())
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    return Run(
        wall=time.perf_counter() - started,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        code=os.waitstatus_to_exitcode(status),
    )


def in_turn(commands: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Run the commands one after the other, `rounds` times: A B C A B C, so that a drifting machine hits all alike."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(command())
    return found


def table(title: str, found: Mapping[str, Sequence[Run]], against: str) -> None:
    """Print medians, and each command's wall time as a ratio to that of `against`, round by round."""
    print(f"\n{title}")
    print(f"{'':34}{'wall s':>9}{'cpu s':>9}{'peak MiB':>10}{'ratio (min–max)':>24}{'exit':>6}")
    for name, runs in found.items():
        ratios = [one.wall / other.wall for one, other in zip(runs, found[against], strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        wall, cpu = statistics.median(run.wall for run in runs), statistics.median(run.cpu for run in runs)
        peak = max(run.peak_mib for run in runs)
        print(f"{name:34}{wall:9.2f}{cpu:9.2f}{peak:10.0f}{spread:>24}{runs[0].code:>6}")


def environment(folder: Path, requirements: Path) -> Path:
    """A virtual environment with the peers; made once. Gives its bin folder."""
    ready = folder / "ready"
    if not ready.exists():
        subprocess.run(["python3", "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", "-r", requirements], check=True)
        ready.touch()
    return folder / "bin"
