"""A whole extraction to disk with pyiosbackup's public interface. The passphrase comes on stdin.

    python peer_pyiosbackup.py BACKUP DEST

Its `unback` reads each file whole, decrypts it and writes it to DEST/<domain>/<path>.
"""

from __future__ import annotations

import sys

from pyiosbackup import Backup

Backup.from_path(sys.argv[1], sys.stdin.readline().rstrip("\n")).unback(sys.argv[2], strict=True)
