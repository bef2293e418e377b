"""Archives made to harm whoever opens them: names that climb, links, bombs, sizes that lie, ends that are missing.

Known from attacks on unpackers (zip slip, overlapping members, high ratios) and from copies that were cut. Each holds a
sound backup besides, so that a reader that reads in place and checks every member still has something to read.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from bagtag.sample_backups.archives import altered_zip
from bagtag.sample_backups.archives.packing import archive, gzipped, members, tar_member, zip_member
from bagtag.sample_backups.make import Minted

SLIPS = (
    "../outside-slip.txt",
    "../../outside-slip.txt",
    "/outside-slip.txt",
    "C:\\outside-slip.txt",
    "a/../../outside-slip.txt",
)
BOMB = 50 << 20
"""Bytes of zeros that a few thousand bytes inflate to."""

OVERLAPS = 200
ORPHAN = "00/" + "0" * 40


@dataclass(frozen=True)
class HostileArchive:
    """`what` is wrong, what is `expected`, and the exit codes that a reader may end with."""

    name: str
    suffix: str
    what: str
    expected: str
    exits: frozenset[int]
    build: Callable[[Minted], bytes]

    def write(self, minted: Minted, folder: Path) -> Path:
        """Write it into `folder`; gives its path."""
        path = folder / f"{self.name}{self.suffix}"
        with path.open("xb") as file:
            file.write(self.build(minted))
        return path


def first_blob(minted: Minted) -> str:
    """The name in the archive of the first blob of the truth that has more than a block."""
    stored = (fact["stored"] for fact in minted.truth["manifest"] if fact["stored"] and fact["plain"])
    return f"{minted.udid}/{next(each['path'] for each in stored if each['size'] > 64)}"


def _zip_with(minted: Minted, more: Callable[[zipfile.ZipFile], None], without: str = "") -> bytes:
    """A sound zip, without one member perhaps, and more in it."""
    buffer = BytesIO(archive(_members(minted, without), "zip"))
    with zipfile.ZipFile(buffer, "a") as file:
        more(file)
    return buffer.getvalue()


def _tar_with(minted: Minted, more: Callable[[tarfile.TarFile], None], without: str = "") -> bytes:
    buffer = BytesIO(archive(_members(minted, without), "tar"))
    with tarfile.open(fileobj=buffer, mode="a", format=tarfile.PAX_FORMAT) as file:
        more(file)
    return buffer.getvalue()


def _members(minted: Minted, without: str) -> Iterator[tuple[str, Path]]:
    return (member for member in members(minted) if member[0] != without)


def _zip_slip(minted: Minted) -> bytes:
    def more(file: zipfile.ZipFile) -> None:
        for name in SLIPS:
            info = zip_member("x")
            info.filename = name
            file.writestr(info, b"outside\n")

    return _zip_with(minted, more)


def _tar_slip(minted: Minted) -> bytes:
    def more(file: tarfile.TarFile) -> None:
        for name in SLIPS:
            file.addfile(tar_member(name, size=8), BytesIO(b"outside\n"))

    return _tar_with(minted, more)


def _zip_link(minted: Minted) -> bytes:
    blob = first_blob(minted)
    info = zip_member(blob, stat.S_IFLNK | 0o777)
    return _zip_with(minted, lambda file: file.writestr(info, b"/etc/hosts"), blob)


def _tar_links(kind: bytes, link: str = "") -> Callable[[Minted], bytes]:
    def build(minted: Minted) -> bytes:
        blob = first_blob(minted)
        return _tar_with(minted, lambda file: file.addfile(tar_member(blob, kind, link=link)), blob)

    return build


def _zip_duplicates(minted: Minted) -> bytes:
    buffer = BytesIO(archive(members(minted), "zip"))
    with zipfile.ZipFile(buffer, "a") as file:
        file.NameToInfo.clear()  # no warning about the name that is there already
        file.writestr(zip_member(first_blob(minted)), b"another version")
    return buffer.getvalue()


def _tar_duplicates(minted: Minted) -> bytes:
    info = tar_member(first_blob(minted), size=15)
    return _tar_with(minted, lambda file: file.addfile(info, BytesIO(b"another version")))


def _orphan(minted: Minted, content: bytes) -> bytes:
    return _zip_with(minted, lambda file: file.writestr(zip_member(f"{minted.udid}/{ORPHAN}"), content))


def _tar_gz_ratio(minted: Minted) -> bytes:
    info = tar_member(f"{minted.udid}/{ORPHAN}", size=BOMB)
    return gzipped(_tar_with(minted, lambda file: file.addfile(info, BytesIO(bytes(BOMB)))))


def _altered(change: Callable[[bytes, str], bytes]) -> Callable[[Minted], bytes]:
    """A sound zip in which one blob's member was altered."""
    return lambda minted: change(archive(members(minted), "zip"), first_blob(minted))


def _whole(change: Callable[[bytes], bytes]) -> Callable[[Minted], bytes]:
    return lambda minted: change(archive(members(minted), "zip"))


def _overlaps(minted: Minted) -> bytes:
    return altered_zip.overlapping(_orphan(minted, bytes(1 << 20)), f"{minted.udid}/{ORPHAN}", OVERLAPS)


def _half(image: bytes) -> bytes:
    return image[: len(image) // 2 + 100]


def _huge_member(minted: Minted) -> bytes:
    """The last member claims 2^62 bytes, in the binary form of the size field."""
    image = bytearray(_tar_with(minted, lambda file: file.addfile(tar_member(f"{minted.udid}/{ORPHAN}"))))
    at = image.rindex(ORPHAN[-40:].encode()) // 512 * 512
    image[at + 124 : at + 136] = b"\x80" + (1 << 62).to_bytes(11, "big")
    image[at + 148 : at + 156] = b" " * 8
    image[at + 148 : at + 156] = f"{sum(image[at : at + 512]):06o}\0 ".encode()
    return bytes(image)


READ = frozenset({0, 1})
REFUSED = frozenset({3})
EITHER = READ | REFUSED

ALL: Mapping[str, HostileArchive] = {
    each.name: each
    for each in (
        HostileArchive("zip-slip", ".zip", "members that climb out", "read; nothing outside", READ, _zip_slip),
        HostileArchive("tar-slip", ".tar", "members that climb out", "read; nothing outside", READ, _tar_slip),
        HostileArchive("zip-link", ".zip", "a blob is a symbolic link", "not-a-regular-file", READ, _zip_link),
        HostileArchive(
            "tar-symlink",
            ".tar",
            "a blob is a symbolic link",
            "not-a-regular-file",
            READ,
            _tar_links(tarfile.SYMTYPE, "/etc/hosts"),
        ),
        HostileArchive(
            "tar-hardlink",
            ".tar",
            "a blob is a hard link out",
            "not-a-regular-file",
            READ,
            _tar_links(tarfile.LNKTYPE, "/etc/hosts"),
        ),
        HostileArchive(
            "tar-device", ".tar", "a blob is a device", "not-a-regular-file", READ, _tar_links(tarfile.CHRTYPE)
        ),
        HostileArchive(
            "tar-fifo", ".tar", "a blob is a pipe", "not-a-regular-file", READ, _tar_links(tarfile.FIFOTYPE)
        ),
        HostileArchive(
            "zip-duplicates",
            ".zip",
            "one name, two contents",
            "one of them, and told; or refused",
            EITHER,
            _zip_duplicates,
        ),
        HostileArchive(
            "tar-duplicates",
            ".tar",
            "one name, two contents",
            "one of them, and told; or refused",
            EITHER,
            _tar_duplicates,
        ),
        HostileArchive(
            "zip-overlap", ".zip", "200 members of 1 MiB that are one", "bounded time and memory", EITHER, _overlaps
        ),
        HostileArchive(
            "zip-size-too-small",
            ".zip",
            "a member inflates to more than it claims",
            "told, or refused; bounded",
            EITHER,
            _altered(lambda image, name: altered_zip.claiming(image, name, lambda size: size // 2)),
        ),
        HostileArchive(
            "zip-size-too-big",
            ".zip",
            "a member inflates to less than it claims",
            "told, or refused",
            EITHER,
            _altered(lambda image, name: altered_zip.claiming(image, name, lambda size: size * 2)),
        ),
        HostileArchive(
            "zip-ratio",
            ".zip",
            "an orphan of 50 MiB of zeros",
            "read in bounded memory",
            EITHER,
            lambda minted: _orphan(minted, bytes(BOMB)),
        ),
        HostileArchive(
            "tar-gz-ratio", ".tar.gz", "an orphan of 50 MiB of zeros", "read in bounded memory", EITHER, _tar_gz_ratio
        ),
        HostileArchive(
            "zip-encrypted-member",
            ".zip",
            "a member is flagged as encrypted",
            "that file is told; or refused",
            EITHER,
            _altered(altered_zip.flagged_encrypted),
        ),
        HostileArchive(
            "zip-wrong-checksum",
            ".zip",
            "a member's CRC is wrong",
            "that file is told; or refused",
            EITHER,
            _altered(altered_zip.wrong_checksum),
        ),
        HostileArchive(
            "zip64", ".zip", "counts of 64 bits (sound)", "read as ever", READ, _whole(altered_zip.of_64_bits)
        ),
        HostileArchive(
            "zip-truncated", ".zip", "the end record is missing", "3", REFUSED, _whole(altered_zip.without_end)
        ),
        HostileArchive(
            "tar-truncated",
            ".tar",
            "the second half is missing",
            "what is there is read and told; or 3",
            EITHER,
            lambda minted: _half(archive(members(minted), "tar")),
        ),
        HostileArchive(
            "tar-gz-truncated",
            ".tar.gz",
            "the second half is missing",
            "what is there is read and told; or 3",
            EITHER,
            lambda minted: _half(archive(members(minted), "tar.gz")),
        ),
        HostileArchive(
            "tar-huge-member", ".tar", "a member claims 2^62 bytes", "told, or refused; at once", EITHER, _huge_member
        ),
    )
}
"""Every hostile archive by its name."""
