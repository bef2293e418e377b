"""`python -m bagtag.cli`: the same as the command `bagtag`."""

from __future__ import annotations

from bagtag.cli.start import main

if __name__ == "__main__":
    main()
