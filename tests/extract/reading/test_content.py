"""The content of a file, read like any file: from any place, piece by piece, and equal to the plain truth."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st

from bagtag.custody.errors import BagtagError, EvidenceError, PassphraseError, UsageError
from bagtag.extract.backup import Backup
from bagtag.extract.reading.content import Content, NoBlobError, NoFileError

KEY = bytes(range(32))
DOMAIN = "AppDomain-com.example.faults"


def sealed(plain: bytes, *, padded: bool = True) -> bytes:
    """As a device stores it: AES-256-CBC, zero initialisation vector, PKCS#7."""
    count = 16 - len(plain) % 16
    cipher = Cipher(AES(KEY), CBC(bytes(16))).encryptor()
    return cipher.update(plain + bytes([count]) * count if padded else plain)


class Stored(io.BytesIO):
    """A stored blob that remembers where it was read."""

    forgiving = False
    damage: str | None = None
    mtime: int | None = None

    def __init__(self, content: bytes, most: int | None = None) -> None:
        super().__init__(content)
        self.size = len(content)
        self.most = most
        self.starts: list[int] = []

    def readinto(self, buffer: Any) -> int:
        self.starts.append(self.tell())
        return super().readinto(memoryview(buffer)[: self.most])

    def readall(self) -> bytes:
        return self.read()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 400)),
        st.tuples(st.just("current"), st.integers(-60, 60)),
        st.tuples(st.just("end"), st.integers(-80, 20)),
        st.tuples(st.just("read"), st.integers(-1, 200)),
    ),
    max_size=20,
)
WHENCE = {"set": os.SEEK_SET, "current": os.SEEK_CUR, "end": os.SEEK_END}


def _same(file: Any, truth: io.BytesIO, steps: list[tuple[str, int]]) -> None:
    for step, number in steps:
        if step == "read":
            assert file.read(number) == truth.read(number)
        else:
            size, place = len(truth.getvalue()), truth.tell()
            if {"set": 0, "current": place, "end": size}[step] + number < 0:
                with pytest.raises((ValueError, OSError)):
                    file.seek(number, WHENCE[step])
            else:
                assert file.seek(number, WHENCE[step]) == truth.seek(number, WHENCE[step])
        assert file.tell() == truth.tell()


@given(
    plain=st.binary(max_size=350),
    steps=STEPS,
    buffer=st.sampled_from([None, 1, 16, 40]),
    most=st.sampled_from([None, 1, 7, 16]),
)
def test_any_reading_from_any_place_gives_the_plain_truth(
    plain: bytes, steps: list[tuple[str, int]], buffer: int | None, most: int | None
) -> None:
    raw = Content(Stored(sealed(plain), most), KEY)
    # A raw file may give less than it was asked for; a buffered one does not.
    file = io.BufferedReader(raw, buffer or 8192)
    _same(file, io.BytesIO(plain), steps)
    assert file.seek(0) == 0
    assert file.read() == plain


@given(plain=st.binary(max_size=200), steps=STEPS)
def test_a_file_that_is_not_encrypted_is_read_as_it_lies_there(plain: bytes, steps: list[tuple[str, int]]) -> None:
    _same(io.BufferedReader(Content(Stored(plain), None), 16), io.BytesIO(plain), steps)


@given(plain=st.binary(min_size=1, max_size=200), cut=st.integers(1, 15))
def test_a_blob_that_was_cut_gives_every_whole_block(plain: bytes, cut: int) -> None:
    stored = sealed(plain)
    whole = len(stored) - 16
    assert Content(Stored(stored[:-cut]), KEY).readall() == plain[:whole]


def test_a_blob_without_padding_gives_all_of_it() -> None:
    plain = b"sixteen letters." * 4
    assert Content(Stored(sealed(plain, padded=False)), KEY).readall() == plain


@pytest.mark.parametrize("size", [0, 1, 15])
def test_less_than_a_block_gives_nothing(size: int) -> None:
    assert Content(Stored(bytes(size)), KEY).readall() == b""


def test_what_shrinks_while_it_is_open_ends_early() -> None:
    stored = Stored(sealed(b"x" * 1000))
    file = Content(stored, KEY)
    stored.truncate(500)
    assert file.readall() == b"x" * 496


def test_reading_in_order_never_goes_back() -> None:
    """In a compressed container going back means to start again."""
    stored = Stored(sealed(bytes(3_000_000)))
    file = io.BufferedReader(Content(stored, KEY), 65536)
    while file.read(100_000):
        pass
    assert stored.starts == sorted(stored.starts)


@pytest.mark.parametrize("key", [KEY, None])
def test_memory_stays_flat_whatever_the_size(key: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "large"
    plain = bytes(1024 * 1024)
    cipher = Cipher(AES(KEY), CBC(bytes(16))).encryptor()
    with path.open("wb") as sink:
        for _ in range(40):
            sink.write(cipher.update(plain) if key else plain)
        sink.write(cipher.update(bytes([16] * 16)) if key else b"")

    class OnDisk(io.FileIO):
        size = path.stat().st_size
        forgiving = False
        damage: str | None = None
        mtime: int | None = None

    with io.BufferedReader(Content(OnDisk(path), key)) as file:
        tracemalloc.start()
        try:
            count = 0
            while piece := file.read(1024 * 1024):
                count += len(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == 40 * 1024 * 1024
    assert peak < 12 * 1024 * 1024


def _opened(minted: Any) -> Backup:
    backup = Backup.open(minted.folder)
    if backup.locked:
        backup.unlock(passphrase=minted.passphrase)
    return backup


@pytest.mark.parametrize("name", ["encrypted_backup", "plain_backup"])
def test_every_file_of_a_backup_opens_to_what_the_device_had(name: str, request: pytest.FixtureRequest) -> None:
    minted = request.getfixturevalue(name)
    with _opened(minted) as backup:
        for fact in minted.truth["manifest"]:
            entry = backup.resolve(fact["domain"], fact["relative_path"])
            assert entry is not None
            if fact["flags"] != 1:
                with pytest.raises(NoFileError) as refused:
                    entry.open()
                assert isinstance(refused.value, IsADirectoryError)
            elif fact["stored"] is None:
                with pytest.raises(NoBlobError) as missing:
                    entry.open()
                assert isinstance(missing.value, FileNotFoundError)
            else:
                assert hashlib.sha256(entry.read_bytes()).hexdigest() == fact["plain"]["sha256"]


def test_other_libraries_can_read_a_file_in_place(mint: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.txt", "first " * 5000)
        made.writestr("b.txt", "second " * 5000)
    minted = mint(extra_files=[("HomeDomain", "Documents/x.zip", packed.getvalue())])
    with _opened(minted) as backup:
        entry = backup.resolve("HomeDomain", "Documents/x.zip")
        assert entry is not None
        with entry.open() as file, zipfile.ZipFile(file) as held:
            assert held.read("b.txt") == b"second " * 5000
            assert held.testzip() is None


def test_several_files_can_be_open_at_once_and_read_in_turn(mint: Any) -> None:
    files = [("HomeDomain", f"Documents/{name}", os.urandom(50_000)) for name in "ab"]
    with _opened(mint(extra_files=files)) as backup:
        entries = [backup.resolve(domain, path) for domain, path, _ in files]
        opened = [entry.open() for entry in entries if entry is not None]
        pieces = [b"", b""]
        for _ in range(60):
            for number, file in enumerate(opened):
                pieces[number] += file.read(1000)
        assert pieces == [content for _, _, content in files]
        for file in opened:
            file.close()


def _entry(backup: Backup, wanted: Callable[[dict[str, Any]], bool], truth: Any) -> Any:
    (fact,) = (row for row in truth["manifest"] if wanted(row))
    (entry,) = (each for each in backup.files() if each.file_id == fact["file_id"])
    return entry, fact


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("missing-blob", NoBlobError),
        ("symlinked-blob", EvidenceError),
        ("key-unavailable", EvidenceError),
        ("bad-record", EvidenceError),
        ("other-flags", NoFileError),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_what_to_do(
    fault: str, trouble: type[BagtagError], mint: Any
) -> None:
    minted = mint(faults=[fault])
    outcome = {"missing-blob": "missing", "symlinked-blob": "not-a-regular-file"}.get(fault, fault)
    with _opened(minted) as backup:
        entry, _ = _entry(
            backup, lambda row: row["outcome"] == outcome and (row["domain"] or DOMAIN) == DOMAIN, minted.truth
        )
        with pytest.raises(trouble) as caught:
            entry.open()
    assert caught.value.hint
    assert caught.value.message == str(caught.value)


@pytest.mark.parametrize("fault", ["truncated", "unterminated", "unsafe-path", "absolute-path", "size-mismatch"])
def test_what_can_be_recovered_can_be_read(fault: str, mint: Any) -> None:
    minted = mint(faults=[fault])
    facts = [row for row in minted.truth["manifest"] if row["domain"] == DOMAIN and row["plain"]]
    with _opened(minted) as backup:
        entries = {entry.file_id: entry for entry in backup.files()}
        for fact in facts:
            assert hashlib.sha256(entries[fact["file_id"]].read_bytes()).hexdigest() == fact["plain"]["sha256"]
    assert facts


def test_a_set_that_was_decrypted_in_place_is_read_as_it_is(mint: Any) -> None:
    minted = mint(faults=["decrypted-in-place"])
    with Backup.open(minted.folder) as backup:
        entry = backup.resolve("HomeDomain", "Library/SMS/sms.db")
        assert entry is not None
        assert entry.read_bytes().startswith(b"SQLite format 3\0")


def test_an_orphan_has_no_row_to_be_opened_by(mint: Any) -> None:
    minted = mint(faults=["orphan-blob"])
    (orphan,) = minted.truth["orphans"]
    with _opened(minted) as backup:
        assert backup.manifest.get(orphan["path"].rpartition("/")[2]) is None


def test_a_locked_backup_opens_nothing_and_a_closed_one_neither(encrypted_backup: Any, mint: Any) -> None:
    minted = mint(faults=["decrypted-in-place"])
    with Backup.open(minted.folder) as backup:
        entry = backup.resolve("HomeDomain", "Library/SMS/sms.db")
        assert entry is not None
    with pytest.raises(UsageError, match="closed"):
        entry.open()
    with Backup.open(encrypted_backup.folder) as backup, pytest.raises(PassphraseError) as caught:
        next(backup.files())
    assert caught.value.hint
