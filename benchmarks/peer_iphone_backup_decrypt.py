"""A whole extraction to disk with iphone-backup-decrypt's public interface. The passphrase comes on stdin.

    python peer_iphone_backup_decrypt.py {files|bytes} BACKUP DEST

`files` is its `extract_files`, which decrypts from file to file; `bytes` is `extract_file_as_bytes` for each file that
its index names, decrypted whole in memory and then written.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from iphone_backup_decrypt import EncryptedBackup

how, folder, dest = sys.argv[1:]
backup = EncryptedBackup(backup_directory=folder, passphrase=sys.stdin.readline().rstrip("\n"))
if how == "files":
    backup.extract_files(
        relative_paths_like="%", domain_like="%", output_folder=dest, preserve_folders=True, domain_subfolders=True
    )
else:
    target = Path(dest)
    target.mkdir()
    index = target / "Manifest.db"
    backup.save_manifest_file(str(index))
    made = set()
    with closing(sqlite3.connect(index)) as manifest:
        for domain, path in manifest.execute("SELECT domain, relativePath FROM Files WHERE flags = 1"):
            file = target / domain / path
            if file.parent not in made:
                file.parent.mkdir(parents=True, exist_ok=True)
                made.add(file.parent)
            file.write_bytes(backup.extract_file_as_bytes(path, domain_like=domain))
