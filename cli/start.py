"""The program `bagtag`: listens for signals before it loads the rest, which takes a tenth of a second."""

from __future__ import annotations

import sys

from bagtag.cli import interrupts


def main() -> None:
    """Run one command line and end with its exit code."""
    interrupts.listen()
    from bagtag.cli.main import main as run

    code = run()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads any more, which was taken for what it is already
            continue
    interrupts.end(code)
    sys.exit(code)
