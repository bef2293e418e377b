"""A whole extraction to disk with iphone-backup-decrypt's public interface. The passphrase comes on stdin."""

from __future__ import annotations

import sys

from iphone_backup_decrypt import EncryptedBackup

backup = EncryptedBackup(backup_directory=sys.argv[1], passphrase=sys.stdin.readline().rstrip("\n"))
backup.extract_files(
    relative_paths_like="%", domain_like="%", output_folder=sys.argv[2], preserve_folders=True, domain_subfolders=True
)
