"""The programs bagtag is measured against, in a virtual environment of their own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
IMESSAGEDB, IMESSAGE_READER = "imessagedb 1.4.7", "imessage-reader 0.6.1"
IMESSAGE_CHATDB = "imessage-chatdb 0.2.0"
MVT, PYIOSBACKUP, DECRYPT = "mvt 2026.10.26", "pyiosbackup 0.2.4", "iphone-backup-decrypt 0.11.2"


def environment(folder: Path = HERE.parent / ".bench-venv") -> Path:
    """The environment's bin folder; it is made anew whenever the list of what belongs into it has changed."""
    listed, ready = HERE / "peers.txt", folder / "ready"
    wanted = hashlib.sha256(listed.read_bytes()).hexdigest()
    if not ready.exists() or ready.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip: list[str | Path] = [
            folder / "bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, "--require-hashes", "--requirement", listed], check=True)
        ready.write_text(wanted)
    return folder / "bin"
