"""`python -m bagtag.cli`: the same as the command `bagtag`."""

from __future__ import annotations

import sys

from bagtag.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
