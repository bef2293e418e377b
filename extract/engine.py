"""A whole extraction by the second reader: `--engine iphone-backup-decrypt`.

Its content is what is written and what the inventory tells; outcomes, findings and the digests of the stored blobs are
bagtag's own, from a read of its own, so each line also says where the two disagree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from bagtag.custody.errors import UsageError
from bagtag.extract.backup import Backup
from bagtag.extract.crosscheck import TOOL, SecondReader, not_covered
from bagtag.extract.decrypt import Scope, extract
from bagtag.extract.inventory import InventoryRow, Plain
from bagtag.extract.naming import Names
from bagtag.extract.reading.entry_reading import BAG_PREFIX
from bagtag.extract.reading.written_file import make_folder
from bagtag.extract.workspace import Workspace

_CHUNK = 1024 * 1024


def extract_with_second_reader(
    backup: Backup,
    scope: Scope,
    files: Path,
    names: Names,
    workspace: Workspace,
    *,
    also: Sequence[str] = (),
    progress: Callable[[float], None] | None = None,
    prefix: str = BAG_PREFIX,
    folders: Path | None = None,
) -> Iterator[InventoryRow]:
    """As `bagtag.extract.decrypt.extract`, the content decrypted and written by iphone-backup-decrypt.

    A file that it refuses is not written (finding `second-reader-refused`, an issue of effect lost). Raises UsageError
    for a backup that it does not cover.
    """
    reason = not_covered(backup)
    if reason is not None:
        raise UsageError(f"{TOOL} cannot extract this backup: {reason}", hint="leave --engine out")
    with SecondReader(backup, workspace) as reader:
        for row in extract(backup, scope, None, names, progress=progress, prefix=prefix, folders=folders):
            if row.plain is not None and row.bag_path is not None:
                _replace_content(row, files / row.bag_path.removeprefix(prefix), reader, also)
            yield row


def _replace_content(row: InventoryRow, path: Path, reader: SecondReader, also: Sequence[str]) -> None:
    """Have the file written by the second reader; the row's content becomes what it wrote."""
    make_folder(str(path.parent))
    answer = reader.read(row.file_id, path)
    if answer.sha256 is None or answer.size is None:
        row.findings.append("second-reader-refused")
        row.plain = row.bag_path = row.name_changed = None
        with suppress(OSError):  # not empty
            path.parent.rmdir()
        return
    if row.plain is not None and row.plain.sha256 != answer.sha256:
        row.findings.append("second-reader-differs")
    row.plain = Plain(size=answer.size, sha256=answer.sha256, **_digests(path, also))


def _digests(path: Path, also: Sequence[str]) -> dict[str, str]:
    sums = {name: hashlib.new(name, usedforsecurity=False) for name in also}
    if sums:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                for each in sums.values():
                    each.update(chunk)
    return {name: each.hexdigest() for name, each in sums.items()}
