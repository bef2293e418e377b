"""bagtag against its peers and against the machine, in one run on one machine: `make bench`.

    python benchmarks/run.py [--rounds N] [--only extract,messages] [--scale FRACTION] [--work DIR]

Peers write the decrypted files to disk and compute no digest; bagtag writes them too and computes SHA-256 of what is
stored and of the content, and Apple's SHA-1 where a row has one. Figures are whole processes, start-up included.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import measure  # noqa: E402 - this folder is no package

from bagtag.sample_backups.make import mint  # noqa: E402

BAGTAG = str(Path(sys.executable).parent / "bagtag")
PLACE = "AppDomain-com.example.bench"


@dataclass(frozen=True)
class Sample:
    """A minted backup, as far as a command needs to know it."""

    folder: Path
    passphrase: str
    messages: int


def minted(
    place: Path, *, encrypted: bool = True, files: Sequence[tuple[str, str, int]] = (), messages: int = 0
) -> Sample:
    """Mint in a process of its own: a child's peak memory begins at that of the process that starts it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_mint, place, encrypted=encrypted, files=files, messages=messages).result()


def _mint(place: Path, *, encrypted: bool, files: Sequence[tuple[str, str, int]], messages: int) -> Sample:
    backup = mint(place, encrypted=encrypted, extra_files=files, extra_messages=messages)
    return Sample(backup.folder, backup.passphrase or "", len(backup.truth["messages"]) + messages)


def extraction(backup: Sample, work: Path, peers: Path) -> dict[str, Callable[[], measure.Run]]:
    """The three ways to decrypt a whole backup to disk; each writes into a fresh folder."""
    passphrase = backup.passphrase

    def fresh() -> str:
        shutil.rmtree(work / "out", ignore_errors=True)
        return str(work / "out")

    def mvt() -> measure.Run:
        target = fresh()
        command = [str(peers / "mvt-ios"), "decrypt-backup", "-d", target, str(backup.folder)]
        return measure.once(command, environment={"MVT_IOS_BACKUP_PASSWORD": passphrase})

    return {
        "bagtag extract": lambda: measure.once(
            [BAGTAG, "extract", str(backup.folder), fresh()], environment={"BAGTAG_PASSPHRASE": passphrase}
        ),
        "iphone-backup-decrypt 0.11.2": lambda: measure.once(
            [sys.executable, str(HERE / "peer_iphone_backup_decrypt.py"), str(backup.folder), fresh()],
            typed=passphrase + "\n",
        ),
        "mvt 2026.10.26": mvt,
    }


def bench_extract(work: Path, scale: float, rounds: int) -> None:
    """One large file, then many small ones."""
    peers = measure.environment(HERE.parent / ".bench-venv", HERE / "peers.txt")
    size = round(2**30 * scale)
    large = minted(work / "large", files=[(PLACE, "Documents/large.bin", size)])
    found = measure.in_turn(extraction(large, work, peers), rounds)
    measure.table(f"one file of {size / 2**20:,.0f} MiB, encrypted", found, "bagtag extract")
    shutil.rmtree(work / "large")
    count = round(20_000 * scale)
    sizes = [4096 + (number * 7919) % (60 * 1024) for number in range(count)]
    files = [(PLACE, f"Documents/{n % 200:03d}/{n:05d}.bin", size) for n, size in enumerate(sizes)]
    small = minted(work / "small", files=files)
    found = measure.in_turn(extraction(small, work, peers), rounds)
    measure.table(f"{count:,} files of 4–64 KiB ({sum(sizes) / 2**20:,.0f} MiB), encrypted", found, "bagtag extract")
    shutil.rmtree(work / "small")


def bench_messages(work: Path, scale: float, rounds: int) -> None:
    """A long conversation as JSON Lines."""
    for count in (round(10_000 * scale), round(100_000 * scale)):
        backup = minted(work / f"messages-{count}", encrypted=False, messages=count)
        command = [BAGTAG, "messages", str(backup.folder), "--json"]
        found = measure.in_turn({"bagtag messages --json": lambda command=command: measure.once(command)}, rounds)
        rows = backup.messages
        measure.table(f"{rows:,} messages as JSON", found, "bagtag messages --json")
        best = min(run.wall for run in found["bagtag messages --json"])
        print(f"{rows / best:,.0f} rows a second, start-up included")
        shutil.rmtree(work / f"messages-{count}")


def main() -> None:
    """Run what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="extract,messages")
    parser.add_argument("--scale", type=float, default=1.0, help="a fraction of the full sizes, for a quick look")
    parser.add_argument("--work", type=Path, help="where inputs and outputs are written; needs about 4 GiB")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}")
    with tempfile.TemporaryDirectory(prefix="bagtag-bench-", dir=options.work) as work:
        for name in options.only.split(","):
            {"extract": bench_extract, "messages": bench_messages}[name](Path(work), options.scale, options.rounds)


if __name__ == "__main__":
    main()
