"""What a file is, told by its first bytes and never by its name: a zip, a tar, a tar.gz, or another archive."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bagtag.custody.durable import open_regular
from bagtag.custody.errors import EvidenceError
from bagtag.extract.stores.container import Container
from bagtag.extract.stores.gzip_file import CompressedTarContainer, holds_tar
from bagtag.extract.stores.tar_file import BLOCK, TarContainer, is_header
from bagtag.extract.stores.zip_file import ZipContainer, ends_as_zip
from bagtag.extract.workspace import Workspace

Kind = Literal["zip", "tar", "tar.gz"]

_GZIP = b"\x1f\x8b\x08"
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7z archive",
    b"Rar!\x1a\x07": "RAR archive",
    b"BZh": "bzip2 file",
    b"\xfd7zXZ\0": "xz file",
    b"\x28\xb5\x2f\xfd": "zstandard file",
    b"EVF\x09\x0d\x0a\xff\0": "EnCase image",
    b"ADSEGMENTEDFILE": "AD1 image",
    b"PK\x07\x08": "part of a split zip",
}


def kind_of(path: Path) -> Kind | None:
    """Which container the file is; None for anything else, and for what cannot be read."""
    start = _start(path)
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip"
    if start.startswith(_GZIP):
        return "tar.gz" if holds_tar(path) else None
    if is_header(start):
        return "tar"
    # Behind other bytes (a program that unpacks itself), or the last part of a split one.
    return "zip" if start and ends_as_zip(path) else None


def opened(path: Path, workspace: Workspace) -> Container:
    """The container, its members listed in the workspace. Raises EvidenceError when it is none."""
    kind = kind_of(path)
    if kind is None:
        raise EvidenceError(f"{path} is {_named(path)}", hint="give a folder, or a zip, tar or tar.gz of a backup")
    scratch = workspace.new("members.db")
    if kind == "zip":
        return ZipContainer(path, scratch)
    if kind == "tar":
        return TarContainer(path, scratch)
    return CompressedTarContainer(path, scratch, workspace.new("expanded.tar"))


def _start(path: Path) -> bytes:
    try:
        with open_regular(path.resolve()) as file:
            return file.read(BLOCK)
    except OSError:
        return b""


def _named(path: Path) -> str:
    start = _start(path)
    for magic, name in _OTHERS.items():
        if start.startswith(magic):
            return f"a {name}, which is not read in place: unpack it first"
    if start.startswith(_GZIP):
        return "a gzip file, but there is no tar in it"
    return "neither a folder nor a zip, tar or tar.gz" if path.exists() else "not there"
