"""One read of a stored blob: digests, decryption and how it ended, by published vectors and at every block edge."""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bagtag.custody.errors import StoppedError
from bagtag.extract.reading.aside import CHUNK, Aside
from bagtag.extract.reading.blob import Blobs, Reading
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.stores.store import NotRegularError

NAME = "3d0d7e5fb2ce288813306e4d4636395e047a3d28"
OTHER = "00" + "e" * 38
# Minted for this project, cross-checked with iphone_backup_decrypt and pyiosbackup.
KEY = bytes.fromhex("3281452db23f7d4adf6ecafcda33c5c605c6fa1dff593b301fdf383e3ac0313c")
PLAINTEXT = b"hello, backup: 16-byte edge case"
BLOB = bytes.fromhex("1c1ce2182ccc3fe02fa9739f1461199aca377d6b3b21e109ac76215478f7c295b8d5c33e5b61617753b8419ccf5ab45b")
EMPTY_BLOB = bytes.fromhex("f93994aae29db6f290f9bc19cda28b22")


def encrypted(plain: bytes, *, padded: bool = True) -> bytes:
    missing = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(bytes(16))).encryptor()
    return encryptor.update(plain + bytes([missing]) * missing if padded else plain)


def shelved(folder: Path, content: bytes, name: str = NAME) -> Path:
    path = folder / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(
    folder: Path, treatment: object, *, sha1: bool = False, also: tuple[str, ...] = (), aside: Aside | None = None
) -> tuple[Reading, bytes]:
    sink = io.BytesIO()
    blob = Blobs(FolderStore(folder)).open(NAME)
    assert blob is not None
    with blob:
        reading = blob.read(lambda _head, _size: treatment, sink, sha1=sha1, also=also, aside=aside)  # type: ignore[arg-type,return-value]
    return reading, sink.getvalue()


def test_the_published_file_vector_decrypts(tmp_path: Path) -> None:
    shelved(tmp_path, BLOB)
    reading, content = read(tmp_path, KEY, sha1=True)
    assert content == PLAINTEXT
    assert reading.ending == "whole"
    assert reading.stored_sha1 == "c8b7e6565a6c1016c89a0e4e6398bc1c54dc3028"
    assert reading.plain == {"sha256": "86257ff35d309fba7753dd5bc391c113de6e7310fa7a04cabf134495338a61c2"}
    assert reading.head == PLAINTEXT[:16]


def test_a_blob_of_padding_alone_is_an_empty_file(tmp_path: Path) -> None:
    shelved(tmp_path, EMPTY_BLOB)
    reading, content = read(tmp_path, KEY)
    assert (content, reading.plain_size, reading.ending) == (b"", 0, "whole")


# Below, at and above the block, the size read in one piece, and the chunk of a stream.
EDGES = [1, 15, 16, 17, 65519, 65520, 65521, 65536, CHUNK - 17, CHUNK - 16, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 16]


@pytest.mark.parametrize("size", EDGES)
def test_whole_files_of_every_size_come_back(tmp_path: Path, size: int) -> None:
    plain = os.urandom(size)
    stored = encrypted(plain)
    shelved(tmp_path, stored)
    reading, content = read(tmp_path, KEY, sha1=True, also=("sha512", "md5"))
    assert content == plain
    assert reading == Reading(
        stored_size=len(stored),
        stored_sha256=hashlib.sha256(stored).hexdigest(),
        stored_sha1=hashlib.sha1(stored).hexdigest(),
        ending="whole",
        plain_size=size,
        plain={name: hashlib.new(name, plain).hexdigest() for name in ("sha256", "sha512", "md5")},
        plain_sha1=hashlib.sha1(plain).hexdigest(),
        head=plain[:16],
    )


LONG = [CHUNK, CHUNK + 1, 4 * CHUNK - 16, 4 * CHUNK, 9 * CHUNK + 5]


@pytest.mark.parametrize("pattern", ["idle", "busy", "now and then"])
@pytest.mark.parametrize("size", LONG)
def test_hashing_aside_changes_nothing(tmp_path: Path, size: int, pattern: str) -> None:
    stored = encrypted(os.urandom(size))
    shelved(tmp_path, stored)
    shelved(tmp_path, stored[:-3], OTHER)
    turns = itertools.cycle({"idle": [True], "busy": [False], "now and then": [True, True, False]}[pattern])
    for name in (NAME, OTHER):
        (tmp_path / NAME[:2] / NAME).write_bytes((tmp_path / name[:2] / name).read_bytes())
        for treatment in (KEY, "copy", "leave"):
            with Aside(lambda: next(turns)) as aside:
                found = read(tmp_path, treatment, sha1=True, also=("md5",), aside=aside)
            assert found == read(tmp_path, treatment, sha1=True, also=("md5",))


def test_a_sink_that_fails_ends_the_hashing_aside_too(tmp_path: Path) -> None:
    shelved(tmp_path, encrypted(bytes(9 * CHUNK)))

    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            if self.tell() >= 3 * CHUNK:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    blob = Blobs(FolderStore(tmp_path)).open(NAME)
    assert blob is not None
    with blob, pytest.raises(OSError, match="No space left"), Aside(lambda: True) as aside:
        blob.read(lambda _head, _size: KEY, Full(), aside=aside)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("digest")]


@pytest.mark.parametrize("size", [*EDGES, 2 * CHUNK + 5])
def test_a_cut_blob_keeps_every_whole_block(tmp_path: Path, size: int) -> None:
    plain = os.urandom(size)
    stored = encrypted(plain)[:-3]
    shelved(tmp_path, stored)
    reading, content = read(tmp_path, KEY)
    assert reading.ending == "truncated"
    assert content == plain[: len(stored) // 16 * 16]
    assert reading.plain == {"sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("size", [16, 65536, CHUNK, CHUNK + 16, 2 * CHUNK])
def test_a_blob_without_padding_keeps_all_its_bytes(tmp_path: Path, size: int) -> None:
    plain = os.urandom(size - 1) + b"\xff"
    shelved(tmp_path, encrypted(plain, padded=False))
    reading, content = read(tmp_path, KEY)
    assert (reading.ending, content) == ("unterminated", plain)


@pytest.mark.parametrize("size", [0, 5, 65537, CHUNK + 1])
def test_a_plain_blob_is_copied_and_a_closed_one_only_hashed(tmp_path: Path, size: int) -> None:
    stored = os.urandom(size)
    shelved(tmp_path, stored)
    copied, content = read(tmp_path, "copy")
    left, nothing = read(tmp_path, "leave")
    sha256 = hashlib.sha256(stored).hexdigest()
    assert (content, copied.plain, copied.stored_sha256) == (stored, {"sha256": sha256}, sha256)
    assert (nothing, left.plain, left.stored_sha256) == (b"", None, sha256)


def test_the_shelf_comes_before_the_flat_place(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"flat")
    assert read(tmp_path, "copy")[1] == b"flat"
    shelved(tmp_path, b"shelved")
    assert read(tmp_path, "copy")[1] == b"shelved"


@pytest.mark.parametrize("name", ["../../etc/passwd", NAME.upper(), NAME[:-1], NAME + "0", "", "/" + NAME[1:]])
def test_only_forty_lower_case_hex_digits_name_a_blob(tmp_path: Path, name: str) -> None:
    shelved(tmp_path, b"x")
    assert Blobs(FolderStore(tmp_path)).open(name) is None


def test_links_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not evidence")
    backup = tmp_path / "backup"
    link, folder, pipe = ("00" + "a" * 38, "00" + "b" * 38, "00" + "c" * 38)
    (backup / "00").mkdir(parents=True)
    (backup / "00" / link).symlink_to(secret)
    (backup / "00" / folder).mkdir()
    os.mkfifo(backup / "00" / pipe)
    (tmp_path / "aa").mkdir()
    shelved(tmp_path, b"outside", "aa" + "d" * 38)
    (backup / "aa").symlink_to(tmp_path / "aa", target_is_directory=True)
    for name in (link, folder, pipe, "aa" + "d" * 38):
        with pytest.raises(NotRegularError):
            Blobs(FolderStore(backup)).open(name)


def test_a_folder_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="can no longer be read"):
        Blobs(FolderStore(tmp_path / "unplugged")).open(NAME)


def test_a_drive_that_stops_answering_stops_the_run(tmp_path: Path) -> None:
    blobs = Blobs(FolderStore(tmp_path))
    for _ in range(49):
        blobs.failed("00/x")
    blobs.succeeded()
    for _ in range(49):
        blobs.failed("00/x")
    with pytest.raises(StoppedError):
        blobs.failed("00/x")


MEASURE = """
import resource, sys
from pathlib import Path
from bagtag.extract.reading.blob import Blobs
from bagtag.extract.stores.folder import FolderStore
folder, key = Path(sys.argv[1]), bytes.fromhex(sys.argv[2])
def one(name):
    with Blobs(FolderStore(folder)).open(name) as blob, open(folder / "out", "wb") as sink:
        blob.read(lambda head, size: key, sink, sha1=True)
one("00" + "0" * 38)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
one("00" + "1" * 38)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    shelved(tmp_path, encrypted(bytes(2 * CHUNK)), "00" + "0" * 38)
    shelved(tmp_path, encrypted(bytes(64 * CHUNK)), "00" + "1" * 38)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path), KEY.hex()], capture_output=True, text=True, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 8 * CHUNK
