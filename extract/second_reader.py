"""The second reader: iphone-backup-decrypt in a process of its own, asked for one file after the other by fileID.

Run as a script, never imported: `python -I second_reader.py`. The first line on standard input is JSON with `folder`
and `key` (the derived key, hex); each line after it names a `file_id` and, maybe, `out`, a path to write to. Each gets
one line of JSON on standard output: `sha256` and `size`, or `error`. Whatever the tool itself prints goes to standard
error. Temporary files go where TMPDIR points, a private folder of the parent's.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from iphone_backup_decrypt import EncryptedBackup, utils

_LARGE = 16 * 1024 * 1024
"""Blobs from here on go through a file: the tool holds small ones in memory twice."""
_CHUNK = 1024 * 1024
_RECORD = "SELECT file FROM Files WHERE fileID = ?"


def main(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the questions end."""
    backup: Any = None
    for line in questions:
        question = json.loads(line)
        try:
            if backup is None:
                key = bytes.fromhex(question["key"])
                opened = EncryptedBackup(backup_directory=question["folder"], passphrase_key=key)
                opened.test_decryption()
                backup, answer = opened, {}
            else:
                answer = _file(backup, question["file_id"], question.get("out"))
        except Exception as trouble:  # noqa: BLE001 - a foreign tool on hostile input; the parent counts it as refused
            answer = {"error": f"{type(trouble).__name__}: {trouble}"[:500]}
        answers.write(json.dumps(answer).encode("ascii") + b"\n")
        answers.flush()
        if backup is None:
            return


def _file(backup: Any, file_id: str, out: str | None) -> dict[str, Any]:
    """Decrypt one file with the tool's own functions; the key is the one that the tool finds in its own index."""
    with backup.manifest_db_cursor() as cursor:
        row = cursor.execute(_RECORD, (file_id,)).fetchone()
    if row is None:
        raise LookupError("no such row in the index")
    record = utils.FilePlist(row[0])
    if record.encryption_key is None:
        raise LookupError("the row has no key")
    key = backup.keybag.unwrap_key_for_class(record.protection_class, record.encryption_key)
    blob = utils.backup_file_path(backup._backup_directory, file_id)  # noqa: SLF001 - as the tool itself does
    if out is None and Path(blob).stat().st_size < _LARGE:
        content = utils.remove_cbc_padding(utils.aes_decrypt_cbc(data=Path(blob).read_bytes(), key=key))
        return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    path = Path(out) if out is not None else Path(tempfile.mkdtemp()) / "content"
    utils.aes_decrypt_chunked(in_filename=blob, key=key, out_filepath=str(path))
    try:
        return _hashed(path)
    finally:
        if out is None:
            path.unlink()
            path.parent.rmdir()


def _hashed(path: Path) -> dict[str, Any]:
    whole, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            whole.update(chunk)
            size += len(chunk)
    return {"sha256": whole.hexdigest(), "size": size}


if __name__ == "__main__":
    own_answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the tool prints; its words must not mix with the answers
    main(sys.stdin.buffer, own_answers)
