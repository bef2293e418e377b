"""A backup as it is seized: packed into a zip or a tar, perhaps several folders down, perhaps not alone.

Known from how examiners receive backups: zipped by a file manager, tarred (and gzipped) by a tool that keeps modes.
Names are sorted and times fixed, so that the same backup gives the same archive from the same zlib.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Literal

from bagtag.sample_backups.make import Minted

Form = Literal["zip", "zip-stored", "tar", "tar.gz"]
FORMS: tuple[Form, ...] = ("zip", "zip-stored", "tar", "tar.gz")

TIME = (2025, 6, 1, 10, 15, 0)
UNIX_TIME = 1748772900
SECOND = "second backup"
"""The folder of another backup in the same archive."""

UNIX = 3
"""What a zip says made it, so that it can tell a link from a file."""


def packed(minted: Minted, dest: Path, form: Form, *, within: str = "", beside: Minted | None = None) -> Path:
    """Pack a backup into the file `dest`, below the folders `within` (`a/b`); `beside`: a second one. Gives `dest`."""
    with dest.open("xb") as file:
        file.write(archive(members(minted, within=within, beside=beside), form))
    return dest


Member = tuple[str, Path]
"""A name in an archive, and what to put there: a file, a folder, a link or a pipe."""


def members(minted: Minted, *, within: str = "", beside: Minted | None = None) -> Iterator[Member]:
    """Everything of the backup, sorted, its own folder first."""
    root = f"{within.strip('/')}/{minted.udid}".lstrip("/")
    yield from _below(minted.folder, root)
    if beside is not None:
        yield from _below(beside.folder, f"{within.strip('/')}/{SECOND}/{beside.udid}".lstrip("/"))


def _below(folder: Path, root: str) -> Iterator[Member]:
    yield root, folder
    for path in sorted(folder.rglob("*")):
        yield f"{root}/{path.relative_to(folder).as_posix()}", path


def archive(found: Iterator[Member], form: Form) -> bytes:
    """The archive's bytes."""
    if form in {"zip", "zip-stored"}:
        return _zip(found, zipfile.ZIP_STORED if form == "zip-stored" else zipfile.ZIP_DEFLATED)
    plain = _tar(found)
    return gzipped(plain) if form == "tar.gz" else plain


def gzipped(content: bytes) -> bytes:
    """Content as gzip writes it, without name and time."""
    buffer = BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def zip_member(name: str, mode: int = stat.S_IFREG | 0o644, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """The head of a member with a fixed time and st_mode; a name that ends in a slash is a folder."""
    info = zipfile.ZipInfo(name, TIME)
    info.create_system = UNIX
    info.external_attr = mode << 16
    info.compress_type = method
    return info


def tar_member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    """The head of a member with a fixed time and no owner."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mtime = kind, size, link, UNIX_TIME
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info


def _zip(found: Iterator[Member], method: int) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, path in found:
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                file.writestr(zip_member(f"{name}/", stat.S_IFDIR | 0o755, zipfile.ZIP_STORED), b"")
            elif stat.S_ISLNK(mode):
                target = str(path.readlink()).encode()
                file.writestr(zip_member(name, stat.S_IFLNK | 0o777, zipfile.ZIP_STORED), target)
            elif stat.S_ISREG(mode):
                file.writestr(zip_member(name, method=method), path.read_bytes())
    return buffer.getvalue()


def _tar(found: Iterator[Member]) -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as file:
        for name, path in found:
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                file.addfile(tar_member(name, tarfile.DIRTYPE))
            elif stat.S_ISLNK(mode):
                file.addfile(tar_member(name, tarfile.SYMTYPE, link=str(path.readlink())))
            elif stat.S_ISFIFO(mode):
                file.addfile(tar_member(name, tarfile.FIFOTYPE))
            else:
                content = path.read_bytes()
                file.addfile(tar_member(name, size=len(content)), BytesIO(content))
    return buffer.getvalue()
