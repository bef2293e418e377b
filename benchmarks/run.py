"""bagtag against its peers and against the machine, in one run on one machine: `make bench`.

    make bench [ONLY=extract-large,extract-many,cores,index,messages,verify]
               [SCALE=0.1] [ROUNDS=3] [WORK=DIR] [JSON=FILE]

or the same as options of `python benchmarks/run.py`. Figures are whole processes, start-up included. Everything that
is minted or written is removed at the end, which can slow the files of the next run down for some minutes (spent.py):
let the machine rest between two. Linux only.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import conversations
import extraction
import index
import verification
from figures import Figures, machine

BENCHMARKS: Mapping[str, Callable[[Path, float, int, Figures], None]] = {
    "extract-large": extraction.large,
    "extract-many": extraction.many,
    "cores": extraction.cores,
    "index": index.listing,
    "messages": conversations.messages,
    "verify": verification.verify,
}


def main() -> int:
    """Run what was asked for and print the tables; 1 when a run failed or did not write what it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked = os.environ.get
    parser.add_argument("--only", default=asked("ONLY", ",".join(BENCHMARKS)), help="names, with commas")
    parser.add_argument("--scale", type=float, default=asked("SCALE", "1"), help="a fraction of the full sizes")
    parser.add_argument("--rounds", type=int, default=asked("ROUNDS", "3"))
    parser.add_argument("--work", type=Path, default=asked("WORK"), help="where all is written; full size takes 12 GiB")
    parser.add_argument("--json", type=Path, default=asked("JSON"), help="a file for the figures")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds and --scale must be above 0")
    sys.stdout = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")  # a table is seen when it is made
    print(", ".join(f"{name} {value}" for name, value in machine().items()), f"- scale {options.scale:g}")
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="bagtag-bench-", dir=options.work) as work:
        for name in names:
            BENCHMARKS[name](Path(work), options.scale, options.rounds, figures)
            if options.json:
                figures.write(options.json)
    return int(bool(figures.failed))


if __name__ == "__main__":
    sys.exit(main())
