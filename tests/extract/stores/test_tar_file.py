"""A tar or tar.gz read in place: tarfile is the judge; a cut or damaged one gives what is whole and says the rest."""

from __future__ import annotations

import errno
import gzip
import io
import os
import random
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import EvidenceError, StoppedError
from bagtag.extract.stores import gzip_file
from bagtag.extract.stores.container import ContainerStore
from bagtag.extract.stores.gzip_file import CompressedTarContainer, Expansion, holds_tar
from bagtag.extract.stores.store import NotRegularError, RefusedError, UnreadableError
from bagtag.extract.stores.tar_file import TarContainer, is_header

LONG = "folder/" + "long" * 60 + "/" + "name" * 50
CONTENTS = {
    "UDID/empty": b"",
    "UDID/block": b"b" * 512,
    "UDID/noise": random.Random(1).randbytes(300_001),
    "UDID/Jürgen": b"umlaut",
    LONG: b"long name",
}


def tar(fill: Callable[[tarfile.TarFile], None], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as file:
        fill(file)
    return buffer.getvalue()


def add(file: tarfile.TarFile, name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mtime = len(data), kind, 1_750_000_000
    info.linkname = "/etc/hosts" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
    file.addfile(info, io.BytesIO(data))


def files(*names: str) -> Callable[[tarfile.TarFile], None]:
    """Files of 2,000 bytes."""

    def fill(file: tarfile.TarFile) -> None:
        for name in names:
            add(file, name, bytes(2000))

    return fill


def everything(file: tarfile.TarFile) -> None:
    for name, data in CONTENTS.items():
        add(file, name, data)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., ContainerStore]]:
    """Open these bytes as a tar, or as a tar.gz."""
    stores: list[ContainerStore] = []

    def call(image: bytes, prefix: str = "", *, zipped: bool = False) -> ContainerStore:
        path = tmp_path / f"{len(stores)}.tar"
        path.write_bytes(image)
        scratch, copy = tmp_path / f"{len(stores)}.db", tmp_path / f"{len(stores)}.expanded"
        container = CompressedTarContainer(path, scratch, copy) if zipped else TarContainer(path, scratch)
        stores.append(container.store(prefix))
        container.close()
        return stores[-1]

    yield call
    for store in stores:
        store.close()
    assert not [*tmp_path.glob("*.db"), *tmp_path.glob("*.expanded")], "working copies go when the tar is closed"


def content(store: ContainerStore, path: str) -> bytes:
    file = store.open(path)
    assert file is not None
    with file:
        return file.readall()


def told(store: ContainerStore) -> list[tuple[str, str]]:
    return [(issue.effect, issue.what) for issue in store.issues]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("zipped", [False, True])
def test_every_member_is_what_tarfile_says(form: int, zipped: bool, opened: Callable[..., ContainerStore]) -> None:
    image = tar(everything, form)
    store = opened(gzip.compress(image) if zipped else image, zipped=zipped)
    assert told(store) == []
    assert [path for path, _ in store.walk()] == sorted(CONTENTS, key=os.fsencode)
    with tarfile.open(store.path) as judge:
        for info in judge:
            status = store.status(info.name)
            assert status is not None
            assert (status.size, status.mtime) == (info.size, info.mtime * 10**9)
            assert content(store, info.name) == CONTENTS[info.name]


def test_ustar_names_are_put_together_from_their_prefix(opened: Callable[..., ContainerStore]) -> None:
    name = "a" * 90 + "/" + "b" * 90
    assert content(opened(tar(lambda file: add(file, name, b"x"), tarfile.USTAR_FORMAT)), name) == b"x"


def test_any_place_can_be_read(opened: Callable[..., ContainerStore]) -> None:
    file = opened(tar(everything), "UDID/").open("noise")
    assert file is not None
    buffer, data = memoryview(bytearray(1000)), CONTENTS["UDID/noise"]
    for place in (299_999, 0, 123_456, 300_001, 16):
        file.seek(place)
        assert buffer[: file.readinto(buffer)] == data[place : place + 1000]


def test_a_name_with_a_dot_before_it_keeps_it_as_the_members_full_name(opened: Callable[..., ContainerStore]) -> None:
    store = opened(tar(lambda file: add(file, "./UDID/a", b"x")), "./UDID/")
    assert (content(store, "a"), store.prefix) == (b"x", "./UDID/")


def test_links_and_devices_are_told_and_never_opened(opened: Callable[..., ContainerStore]) -> None:
    kinds = {
        "symlink": (tarfile.SYMTYPE, stat.S_IFLNK),
        "hardlink": (tarfile.LNKTYPE, stat.S_IFLNK),
        "character": (tarfile.CHRTYPE, stat.S_IFCHR),
        "block": (tarfile.BLKTYPE, stat.S_IFBLK),
        "pipe": (tarfile.FIFOTYPE, stat.S_IFIFO),
    }

    def fill(file: tarfile.TarFile) -> None:
        for name, (kind, _) in kinds.items():
            add(file, name, kind=kind)
        add(file, "folder", kind=tarfile.DIRTYPE)

    store = opened(tar(fill))
    assert {path: status.kind for path, status in store.walk()} == {name: kind for name, (_, kind) in kinds.items()}
    for name in (*kinds, "folder"):
        with pytest.raises(NotRegularError):
            store.open(name)


def test_names_that_lead_elsewhere_are_set_aside_and_told(opened: Callable[..., ContainerStore]) -> None:
    def fill(file: tarfile.TarFile) -> None:
        for name in ("ok", "../up", "a/../../up", "/rooted"):
            add(file, name, b"x")

    store = opened(tar(fill))
    assert [path for path, _ in store.walk()] == ["ok", "rooted"]
    assert [effect for effect, _ in told(store)] == ["partial", "note"]


def test_of_members_of_one_name_the_last_counts_as_for_those_who_unpack(opened: Callable[..., ContainerStore]) -> None:
    def fill(file: tarfile.TarFile) -> None:
        add(file, "twice", b"first")
        add(file, "twice", b"second")

    store = opened(tar(fill))
    assert content(store, "twice") == b"second"
    ((effect, what),) = told(store)
    assert (effect, "several members" in what) == ("partial", True)


@pytest.mark.program("tar")
@pytest.mark.parametrize("form", ["gnu", "pax", "ustar", "v7"])
def test_what_the_program_tar_writes_is_read(form: str, tmp_path: Path, opened: Callable[..., ContainerStore]) -> None:
    import subprocess

    folder = tmp_path / "folder"
    (folder / "ab").mkdir(parents=True)
    (folder / "ab/file").write_bytes(b"content" * 1000)
    (folder / "link").symlink_to("ab/file")
    packed = tmp_path / "packed.tar"
    subprocess.run(["tar", f"--format={form}", "-C", folder, "-cf", packed, "."], check=True)
    store = opened(packed.read_bytes(), "./")
    assert told(store) == []
    assert content(store, "ab/file") == b"content" * 1000
    assert [path for path, _ in store.walk()] == ["ab/file", "link"]


@pytest.mark.program("tar")
@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_sparse_members_are_refused_by_name_and_the_rest_is_read(
    form: str, tmp_path: Path, opened: Callable[..., ContainerStore]
) -> None:
    import subprocess

    with (tmp_path / "a-sparse").open("wb") as file:
        for number in range(60):  # so many that the old form continues its map behind the header
            file.seek(number << 20)
            file.write(b"x" * 4096)
    (tmp_path / "b-sound").write_bytes(b"sound")
    packed = tmp_path / "packed.tar"
    names = ["a-sparse", "b-sound"]
    subprocess.run(["tar", f"--format={form}", "-S", "-C", tmp_path, "-cf", packed, *names], check=True)
    with tarfile.open(packed) as judge:
        assert judge.getmember("a-sparse").issparse(), "the file system here keeps holes"
    store = opened(packed.read_bytes())
    with pytest.raises(RefusedError):
        store.open("a-sparse")
    assert content(store, "b-sound") == b"sound"
    assert [(effect, "sparse" in what) for effect, what in told(store)] == [("partial", True)]


def test_a_tar_that_was_cut_gives_what_is_whole_and_says_so(opened: Callable[..., ContainerStore]) -> None:
    image = tar(files("a", "b"))
    inside = opened(image[: 512 + 2048 + 512 + 100])
    assert content(inside, "a") == bytes(2000)
    with pytest.raises(OSError, match="ends before"):
        content(inside, "b")
    file = inside.open("b")
    assert file is not None
    file.forgiving = True
    with file:
        assert file.readall() == bytes(100)
    assert file.damage == "the tar ends before this member does"
    assert {effect for effect, _ in told(inside)} == {"partial"}
    assert any("the tar was cut" in what for _, what in told(inside))
    header = opened(image[: 512 + 2048 + 100])
    assert any("the tar was cut" in what for _, what in told(header))
    between = opened(image[: 512 + 2048])
    assert told(between) == [("partial", "the tar has no end mark: it may have been cut")]


def test_a_damaged_header_is_told_with_its_place_where_tarfile_is_silent(opened: Callable[..., ContainerStore]) -> None:
    image = bytearray(tar(files("a", "b", "c")))
    image[2560 + 10] ^= 0xFF
    store = opened(bytes(image))
    with tarfile.open(store.path) as judge:
        assert judge.getnames() == ["a"]
    assert [path for path, _ in store.walk()] == ["a"]
    ((effect, what),) = told(store)
    assert (effect, "byte 2,560" in what) == ("partial", True)


def test_more_behind_the_end_mark_is_told(opened: Callable[..., ContainerStore]) -> None:
    image = tar(lambda file: add(file, "a"))
    assert told(opened(image)) == []
    ((effect, what),) = told(opened(image[:1536] + tar(lambda file: add(file, "b"))))
    assert (effect, "behind the end mark" in what) == ("note", True)


def test_extended_headers_are_bounded_and_their_lengths_checked(opened: Callable[..., ContainerStore]) -> None:
    def with_header(record: bytes) -> bytes:
        info = tarfile.TarInfo("pax")
        info.type, info.size = tarfile.XHDTYPE, len(record)
        header = info.tobuf(tarfile.USTAR_FORMAT) + record.ljust(-(-len(record) // 512) * 512, b"\0")
        return tar(lambda file: add(file, "a"))[:512] + header + tar(lambda file: add(file, "b"))

    for record in (b"99 path=x\n", b"path=x\n", b"0 path=x\n", b"10 pathxxx\n", b"13 size=many\n"):
        store = opened(with_header(record))
        assert [path for path, _ in store.walk()] == ["a"]
        assert any(effect == "partial" and "damaged at byte" in what for effect, what in told(store)), record
    assert [path for path, _ in opened(with_header(b"10 path=x\n")).walk()] == ["a", "x"]
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 2**33 - 1
    store = opened(tar(lambda file: add(file, "a"))[:512] + info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    assert any("8,589,934,591 bytes" in what for _, what in told(store))


def test_a_member_that_claims_to_be_endless_is_refused_at_once(opened: Callable[..., ContainerStore]) -> None:
    info = tarfile.TarInfo("endless")
    info.size = 2**62 + 5
    store = opened(tar(lambda file: add(file, "a", b"x"))[:1024] + info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(RefusedError):
        store.open("endless")
    assert content(store, "a") == b"x"


def test_a_header_is_told_by_its_checksum() -> None:
    image = tar(lambda file: add(file, "ü"))
    assert is_header(image[:512])
    assert not is_header(bytes(512))
    assert not is_header(image[:511])
    assert not is_header(b"PK\3\4" + bytes(508))


def test_the_private_copy_of_a_tar_gz_is_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(tar(everything)))
    container = CompressedTarContainer(path, tmp_path / "members", tmp_path / "copy")
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    assert container.path == path
    container.close()
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_gzip_of_several_streams_and_zeros_at_its_end_is_one(opened: Callable[..., ContainerStore]) -> None:
    image = tar(everything)
    zipped = gzip.compress(image[:1000]) + gzip.compress(image[1000:]) + bytes(5000)
    assert told(opened(zipped, zipped=True)) == []
    damaged = opened(gzip.compress(image) + b"garbage behind", zipped=True)
    assert [effect for effect, _ in told(damaged)] == ["partial"]


@pytest.mark.parametrize("harm", ["cut", "bits"])
def test_a_damaged_gzip_gives_what_came_before_and_says_so(harm: str, opened: Callable[..., ContainerStore]) -> None:
    image = bytearray(gzip.compress(tar(everything)))
    if harm == "cut":
        del image[-100_000:]
    else:
        image[-4] ^= 0xFF
    store = opened(bytes(image), zipped=True)
    assert content(store, "UDID/block") == b"b" * 512
    assert any("the gzip stream of the tar.gz" in what for effect, what in told(store) if effect == "partial")


def test_a_bomb_is_named_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, copy = tmp_path / "bomb.tgz", tmp_path / "copy"
    path.write_bytes(gzip.compress(tar(lambda file: add(file, "a", bytes(30 << 20)))))
    monkeypatch.setattr(gzip_file, "_BOMB_SIZE", 4 << 20)
    with pytest.raises(EvidenceError, match="200 times its size"):
        CompressedTarContainer(path, tmp_path / "members", copy)
    assert not copy.exists()


def test_a_full_disk_stops_and_leaves_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, copy = tmp_path / "a.tgz", tmp_path / "copy"
    path.write_bytes(gzip.compress(tar(everything)))
    real = os.fdopen

    class Full(io.RawIOBase):
        def __init__(self, file: Any) -> None:
            self._file = file

        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            self._file.close()
            super().close()

    monkeypatch.setattr(os, "fdopen", lambda *arguments: Full(real(*arguments)))
    with pytest.raises(StoppedError, match="disk is full"):
        CompressedTarContainer(path, tmp_path / "members", copy)
    assert not copy.exists()


def test_a_gzip_without_a_tar_in_it_is_known_from_its_first_block(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(bytes(50 << 20)))
    assert not holds_tar(path)
    path.write_bytes(gzip.compress(tar(everything)))
    assert holds_tar(path)
    path.write_bytes(gzip.compress(b""))
    assert not holds_tar(path)
    assert b"".join(Expansion(path)) == b""


def test_random_damage_ends_in_a_sentence_or_in_bytes(tmp_path: Path) -> None:
    image = tar(everything)
    dice = random.Random(3)
    for number in range(200):
        out = bytearray(image)
        for _ in range(dice.randrange(1, 4)):
            out[dice.choice((0, 1024, 2048)) + dice.randrange(512)] = dice.randrange(256)
        path = tmp_path / f"{number}.tar"
        path.write_bytes(out[: dice.randrange(1024, len(out))])
        container = TarContainer(path, tmp_path / f"{number}.db")
        store = container.store("")
        for name, _ in list(store.walk()):
            try:
                content(store, name)
            except (OSError, UnreadableError, NotRegularError):
                continue
        assert isinstance(store.issues, list)
        store.close()
        container.close()
