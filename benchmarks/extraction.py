"""A whole backup decrypted to disk: bagtag, its peers and the bare loop, on the same files, in turn.

Before each run what the one before it wrote is moved away and emptied, what is not yet on the disk is written there,
and the backup is read once, so that every run finds it in the page cache. None of this is timed. What the first round
wrote is compared with the truth of the sample, content by content.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import limit
import measure
import peers
import samples
from figures import Figures, against, share, times
from spent import put_aside

BAGTAG, LIMIT = "bagtag extract", "limit: bare loop"
WRITTEN = ("out", "out.partial", "tmp", "printed")
PROGRAM = str(Path(sys.executable).parent / "bagtag")
HERE = Path(__file__).resolve().parent
Words = Sequence[str | Path]
NOTE = "bagtag and the bare loop hash what is stored and what comes out (SHA-256); the others hash nothing"


@dataclass(frozen=True)
class Way:
    """One way to decrypt a backup: a command that takes the folder to write to as its last word but for `after`."""

    command: Words
    after: Words = ()
    typed: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    tells_wall: bool = False
    cores: Collection[int] | None = None

    def run(self, work: Path) -> measure.Run:
        """One run into a folder that is not there yet."""
        printed = work / "printed"
        temporary = work / "tmp"
        temporary.mkdir()
        run = measure.once(
            [*self.command, work / "out", *self.after], typed=self.typed, output=printed, cores=self.cores,
            environment={**self.environment, "TMPDIR": str(temporary)},
        )  # fmt: skip
        if self.tells_wall and run.code == 0:
            run = replace(run, wall=float(printed.read_text()))
        return run


def bagtag(sample: samples.Sample, cores: Collection[int] | None = None) -> Way:
    """bagtag as a user runs it."""
    secret = {"BAGTAG_PASSPHRASE": sample.passphrase}
    return Way([PROGRAM, "extract", sample.folder], environment=secret, cores=cores)


def bare(sample: samples.Sample, work: Path, cores: Collection[int] | None = None) -> Way:
    """The bare loop; what it has to know beforehand is written once."""
    jobs = work / "sample.json"
    if not jobs.exists():
        samples.apart(limit.prepare, sample.folder, sample.passphrase, jobs)
    return Way([sys.executable, HERE / "limit.py", jobs], tells_wall=True, cores=cores)


def others(sample: samples.Sample, *, one_by_one: bool) -> dict[str, Way]:
    """The peers, each by its own documented interface.

    `one_by_one`: iphone-backup-decrypt in memory too; each file is looked up by a scan of the whole index there, which
    takes many minutes for a set of many files.
    """
    programs, typed = peers.environment(), sample.passphrase + "\n"
    reader: Words = [sys.executable, HERE / "peer_iphone_backup_decrypt.py"]
    mvt: Words = [
        programs / "mvt-ios",
        "--disable-update-check",
        "--disable-indicator-update-check",
        "decrypt-backup",
        "-d",
    ]
    in_memory = {f"{peers.DECRYPT}, in memory": Way([*reader, "bytes", sample.folder], typed=typed)}
    return {
        f"{peers.DECRYPT}, to files": Way([*reader, "files", sample.folder], typed=typed),
        **(in_memory if one_by_one else {}),
        peers.MVT: Way(mvt, [sample.folder], environment={"MVT_IOS_BACKUP_PASSWORD": sample.passphrase}),
        peers.PYIOSBACKUP: Way([programs / "python", HERE / "peer_pyiosbackup.py", sample.folder], typed=typed),
    }


def race(
    sample: samples.Sample, ways: Mapping[str, Way], rounds: int, work: Path
) -> tuple[dict[str, list[measure.Run]], dict[str, str]]:
    """Run the ways one after the other, `rounds` times, and tell how many contents each got right."""
    found: dict[str, list[measure.Run]] = {name: [] for name in ways}
    right: dict[str, str] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            put_aside(work, *WRITTEN)
            os.sync()
            samples.warm(sample.folder)
            found[name].append(way.run(work))
            if name not in right:
                expected, here = samples.came_out(sample.truth, work / "out")
                right[name] = f"{here:,}/{expected:,}"
    put_aside(work, *WRITTEN)
    return found, right


def large(work: Path, scale: float, rounds: int, figures: Figures) -> None:
    """4 GiB in 4 files."""
    files = samples.large(scale)
    _extract(f"{len(files)} files of {files[0][2] / 2**20:,.0f} MiB, encrypted", files, work, rounds, figures)


def many(work: Path, scale: float, rounds: int, figures: Figures) -> None:
    """50,000 files of 1 to 64 KiB."""
    files = samples.many(scale)
    size = sum(size for _, _, size in files) / 2**20
    _extract(f"{len(files):,} files of 1–64 KiB ({size:,.0f} MiB), encrypted", files, work, rounds, figures)


def cores(work: Path, scale: float, rounds: int, figures: Figures) -> None:
    """What a second core is worth. SystemExit on a machine that has no second."""
    first, *others_ = sorted(os.sched_getaffinity(0))
    if not others_:
        raise SystemExit("cores: this machine has only one")
    both = {first, others_[0]}
    for title, files in (("many files", samples.many(scale)), ("one large file", samples.large(scale, 1))):
        sample = samples.minted(work / "sample", files=files)
        ways = {"bagtag, 1 core": bagtag(sample, {first}), "bagtag, 2 cores": bagtag(sample, both)}
        if len(files) > 1:  # the loop takes each file from begin to end in one process
            ways |= {"bare loop, 1 core": bare(sample, work, {first}), "bare loop, 2 cores": bare(sample, work, both)}
        found, right = race(sample, ways, rounds, work)
        gained = [
            f"{name}: 2 cores are {times(found, f'{name}, 1 core', f'{name}, 2 cores')} times as fast as 1"
            for name in ("bagtag", "bare loop")
            if f"{name}, 1 core" in found
        ]
        heading = f"{title}: {len(files):,} ({sample.size / 2**20:,.0f} MiB), encrypted"
        figures.table(heading, found, {"right": right}, gained)
        _judge(right, heading, figures)
        put_aside(work, "sample", "sample.json")


def _extract(title: str, files: samples.Files, work: Path, rounds: int, figures: Figures) -> None:
    sample = samples.minted(work / "sample", files=files)
    ways = {BAGTAG: bagtag(sample), **others(sample, one_by_one=len(files) < 1000), LIMIT: bare(sample, work)}
    found, right = race(sample, ways, rounds, work)
    more = {"× bagtag": against(found, BAGTAG), "% of limit": share(found, LIMIT), "right": right}
    figures.table(title, found, more, [NOTE, "of the bare loop only the loop is timed, of the others all"])
    _judge(right, title, figures)
    put_aside(work, "sample", "sample.json")


def _judge(right: Mapping[str, str], title: str, figures: Figures) -> None:
    for name, count in right.items():
        here, _, expected = count.partition("/")
        if here != expected:
            figures.fail(f"{name} of {title}: {count} contents came out right")
