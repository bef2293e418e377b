"""The eras of the container: what iOS 3 to 26 changed in how a backup is stored, from one version to the next.

Known from sets of those times: one .mdinfo and .mddata a file up to iOS 3, Manifest.mbdb from 4 to 9 (with an .mbdx in
4), Manifest.db since 10, whose `file` column iOS 10.0 encrypts, and which is one whole ciphertext since 10.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Release = tuple[int, int]


@dataclass(frozen=True)
class Era:
    """How a backup of one iOS lies on the disk.

    `double_kdf`: two derivations and a key for the index (10.2). `sealed_column`: the `file` column is encrypted with
    the passphrase (10.0). `other_flags`: the index has a row of flags 16 with nothing else in it (10.0, 10.1).
    """

    container: Literal["mdinfo", "mbdb", "db"]
    double_kdf: bool
    bag_version: int
    shelves: bool
    offsets: bool
    sealed_column: bool
    other_flags: bool
    manifest_version: str
    status_version: str

    @property
    def index(self) -> str:
        """The name of the index."""
        return f"Manifest.{self.container}"

    def blob_path(self, file_id: str) -> str:
        """Where a blob lies in the backup folder: in one of 256 shelves since iOS 10, flat before."""
        return f"{file_id[:2]}/{file_id}" if self.shelves else file_id


def release_of(ios: str) -> Release:
    """Major and minor number of a version."""
    major, _, minor = ios.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)


def era_of(ios: str) -> Era:
    """The era of a version of iOS."""
    release = release_of(ios)
    modern = release >= (10, 2)
    return Era(
        container="db" if release >= (10, 0) else "mbdb" if release >= (4, 0) else "mdinfo",
        double_kdf=modern,
        bag_version=5 if modern else 3,
        shelves=release >= (10, 0),
        offsets=release[0] == 4,
        sealed_column=release == (10, 0),
        other_flags=release in {(10, 0), (10, 1)},
        manifest_version="10.0" if release >= (10, 0) else "9.1",
        status_version="3.3" if release >= (13, 0) else "3.2" if release >= (10, 0) else "2.4",
    )
