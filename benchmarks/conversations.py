"""Long conversations as JSON Lines: `bagtag messages --json` against the Python readers that decode bodies.

The peers read the lone database, on one core as they are written for, by a few lines round their documented interface
that print what they found: `peer_imessagedb.py` and the like. Texts are compared one by one with those that were
written; a reader that cuts bodies apart by guess gets many of them wrong.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import measure
import peers
import samples
from extraction import HERE, PROGRAM, Words
from figures import Figures, against, times
from spent import put_aside

MESSAGES = 1_000_000
ONE, TWO = "bagtag, 1 core", "bagtag, 2 cores"


def messages(work: Path, scale: float, rounds: int, figures: Figures) -> None:
    """1,000,000 messages of a realistic mix: alone with the peers, then in a backup with their attachments.

    A tenth of them goes before, which says whether time and memory grow with the number.
    """
    first, *others = sorted(os.sched_getaffinity(0))
    cores: dict[str, Collection[int]] = {ONE: {first}, **({TWO: {first, others[0]}} if others else {})}
    each: list[float] = []
    for count in (round(MESSAGES / 10 * scale), round(MESSAGES * scale)):
        said = samples.conversations(work / "sample", count)
        ways: dict[str, tuple[Words, Collection[int]]] = {
            name: ([PROGRAM, "messages", said.database, "--json"], allowed) for name, allowed in cores.items()
        }
        whole = count == round(MESSAGES * scale)
        if whole:
            copy = shutil.copyfile(said.database, work / "chat.db")
            ways |= {name: ([*words, copy], {first}) for name, words in readers().items()}
        found = _race(f"{count:,} messages in sms.db alone", said, ways, work, rounds, figures)
        each.append(min(run.cpu for run in found[ONE]) / count)
        if whole:
            inside = {name: ([PROGRAM, "messages", said.folder, "--json"], allowed) for name, allowed in cores.items()}
            title = f"{count:,} messages in a backup with {said.files:,} attachments"
            _race(title, said, inside, work, rounds, figures)
        put_aside(work, "sample", "printed", "chat.db")
    print(
        f"  one message among ten times as many takes {each[1] / each[0]:.2f} times the processor time, start included"
    )


def readers() -> Mapping[str, Words]:
    """The peers that this Python can run, without the database, which is their last word."""
    python = peers.environment() / "python"
    found: dict[str, Words] = {
        peers.IMESSAGEDB: [python, HERE / "peer_imessagedb.py"],
        peers.IMESSAGE_READER: [python, HERE / "peer_imessage_reader.py"],
    }
    if sys.version_info >= (3, 12):
        found[peers.IMESSAGE_CHATDB] = [python, HERE / "peer_imessage_chatdb.py"]
    return found


def _race(
    title: str,
    said: samples.Said,
    ways: Mapping[str, tuple[Words, Collection[int]]],
    work: Path,
    rounds: int,
    figures: Figures,
) -> Mapping[str, Sequence[measure.Run]]:
    """Run the ways one after the other, `rounds` times, and print their table."""
    found: dict[str, list[measure.Run]] = {name: [] for name in ways}
    right: dict[str, str] = {}
    for _ in range(rounds):
        for name, (words, allowed) in ways.items():
            put_aside(work, "printed")
            os.sync()
            samples.warm(said.folder)
            found[name].append(measure.once(words, output=work / "printed", cores=allowed))
            if name not in right:
                right[name] = f"{samples.texts_right(said.texts, work / 'printed'):,}/{said.judged:,}"
    speed = {name: f"{said.messages / min(run.wall for run in runs):,.0f}" for name, runs in found.items()}
    notes = [f"{TWO} are {times(found, ONE, TWO)} times as fast as 1"] if TWO in found else []
    more = {"a second": speed, "× bagtag": against(found, ONE), "texts right": right}
    figures.table(title, found, more, notes)
    for name in (ONE, TWO):
        here, _, expected = right.get(name, "/").partition("/")
        if here != expected:
            figures.fail(f"{name} of {title}: {here} texts of {expected} came out right")
    return found
