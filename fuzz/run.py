"""Feeds one target with inputs that its coverage guides (atheris, which is libFuzzer for Python).

    python fuzz/run.py TARGET RUNS

Starts from `corpus/TARGET`, which is committed, and from `grown/TARGET`, where every input goes that reached something
new: the next run goes on from there. An input that breaks a rule ends the run with an error and lies in
`findings/TARGET-…`; `python fuzz/run.py TARGET FILE` runs it again. No input may take more than a second of the
processor or 200 MiB. Atheris is published for Linux on x86-64 with CPython 3.11 to 3.13; elsewhere `make test` still
runs the targets over the corpus and some thousand mutations of it.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import atheris

HERE = Path(__file__).parent
UNDER_TEST = [
    "bagtag.extract.keybag",
    "bagtag.extract.index.mbdb",
    "bagtag.extract.index.mbfile",
    "bagtag.extract.formats.binary_plist",
    "bagtag.extract.inventory",
    "bagtag.parsers.formats",
    "bagtag.parsers.messages.odd_summary",
    "bagtag.parsers.messages.summary",
    "bagtag.parsers.messages.apps",
]
LONGEST_INPUT = {
    "keybag": 300,
    "mbdb": 512,
    "plist": 1024,
    "row": 1024,
    "attributed-string": 2048,
    "keyed-archive": 1024,
    "protobuf": 512,
    "summary": 1024,
    "handwriting": 512,
    "digital-touch": 512,
    "balloon": 1024,
    "sqlite-pages": 6144,
}
LONGEST_SECONDS = 1.0
MOST_MEMORY = 200 * 1024 * 1024
RESIDENT_UNIT = 1 if sys.platform == "darwin" else 1024  # of getrusage


def bounded(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The target, with the limits of time and memory for one input as two more rules."""

    def one_input(data: bytes) -> None:
        began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        target(data)
        taken = time.process_time() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * RESIDENT_UNIT
        if taken > LONGEST_SECONDS or grown > MOST_MEMORY:
            raise AssertionError(f"one input took {taken:.1f} s and {grown} bytes")

    return one_input


def main() -> None:
    """Run until the number of runs is reached or a rule is broken."""
    name, what = sys.argv[1:]
    with atheris.instrument_imports(include=UNDER_TEST):
        from targets import TARGETS
    if not what.isdecimal():
        bounded(TARGETS[name])(Path(what).read_bytes())
        return
    grown, findings = HERE / "grown" / name, HERE / "findings"
    for folder in (grown, findings):
        folder.mkdir(parents=True, exist_ok=True)
    options = [
        f"-runs={what}",
        f"-max_len={LONGEST_INPUT[name]}",
        "-timeout=10",
        f"-artifact_prefix={findings}/{name}-",
    ]
    atheris.Setup(
        [sys.argv[0], *options, "-print_final_stats=1", str(grown), str(HERE / "corpus" / name)], bounded(TARGETS[name])
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
