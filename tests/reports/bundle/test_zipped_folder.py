"""A zip of one evidence folder: judged like the folder itself, and whatever a tool that unpacks could stumble over."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import EvidenceError
from bagtag.reports.bundle.verdict import Verification
from bagtag.reports.bundle.verify import verify

INFO = "bag/data/source/Info.plist"
TIME = (2024, 3, 1, 12, 0, 0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own: the list of a zip's members lies there while it is read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "cache"


def things(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def packed(folder: Path, place: Path, top: str = "evidence/", method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(place, "w", method) as container:
        for name, content in things(folder):
            container.writestr(zipfile.ZipInfo(top + name, TIME), content, method)
    return place


@pytest.fixture
def zipped(evidence: Path, tmp_path: Path) -> Path:
    return packed(evidence, tmp_path / "evidence.zip")


def added(container: Path, name: str, content: bytes = b"x", **fields: Any) -> None:
    member = zipfile.ZipInfo(name, TIME)
    for field, value in fields.items():
        setattr(member, field, value)
    with zipfile.ZipFile(container, "a") as opened:
        opened.writestr(member, content)


def broken(container: Path) -> Verification:
    result = verify(container)
    assert result.verdict == "broken"
    return result


def told(result: Verification) -> str:
    return "\n".join(map(str, result.problems))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("top", ["evidence/", "Fall 7/"])
def test_a_zip_of_a_folder_is_judged_as_the_folder_is(stamped_evidence: Path, tmp_path: Path, method: int, top: str,
                                                      lab: Any, authority: Any) -> None:  # fmt: skip
    container = packed(stamped_evidence, tmp_path / "e.zip", top, method)
    anchors: dict[str, Any] = {
        "trust": [lab.public],
        "tsa_ca": [authority.ca],
        "other_log": stamped_evidence / "custody.jsonl",
    }
    assert verify(container, **anchors) == verify(stamped_evidence, **anchors)
    assert verify(container, **anchors).verdict == "authentic"


@pytest.mark.program("zip")
def test_what_info_zip_packs_is_sound(signed_evidence: Path, tmp_path: Path) -> None:
    subprocess.run(
        ["zip", "-q", "-r", tmp_path / "e.zip", signed_evidence.name], cwd=signed_evidence.parent, check=True
    )
    assert verify(tmp_path / "e.zip").problems == ()


def test_what_pythons_shutil_packs_is_sound(signed_evidence: Path, tmp_path: Path) -> None:
    made = shutil.make_archive(str(tmp_path / "e"), "zip", signed_evidence.parent, signed_evidence.name)
    assert verify(Path(made)).problems == ()


def test_nothing_is_unpacked_and_nothing_is_left(zipped: Path, cache: Path, tmp_path: Path) -> None:
    before = zipped.read_bytes(), zipped.stat().st_mtime_ns
    seen: list[str] = []

    class Watcher:
        def step(self, title: str, total: int | None = None) -> None:
            return

        def advance(self, amount: int = 1) -> None:
            seen.extend(path.name for path in cache.rglob("*") if path.is_file())

    verify(zipped, progress=Watcher())
    assert seen
    assert not any("plist" in name or "sms" in name or "manifest" in name for name in seen)
    assert (zipped.read_bytes(), zipped.stat().st_mtime_ns) == before
    assert [path for path in cache.rglob("*") if path.is_file() and path.name != "lock"] == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_changed_file_in_a_zip_is_named(folder: Path, tmp_path: Path, method: int) -> None:
    (folder / INFO).write_bytes(b"<plisT/>")
    result = broken(packed(folder, tmp_path / "e.zip", method=method))
    assert [problem.path for problem in result.problems] == [INFO]


def test_every_file_that_is_missing_from_a_zip_is_named(evidence: Path, folder: Path, tmp_path: Path) -> None:
    for name, content in things(evidence):
        (folder / name).unlink()
        result = broken(packed(folder, tmp_path / "e.zip"))
        # A folder that holds nothing is not in the zip either, so it is the one that is missed.
        assert {name, name.rpartition("/")[0]} & {problem.path for problem in result.problems}, name
        (folder / name).write_bytes(content)


def test_a_file_more_in_a_zip_is_named(zipped: Path) -> None:
    added(zipped, "evidence/bag/data/new.txt")
    added(zipped, "evidence/bag/tag.txt")
    # The label's count of the payload is another than its size now.
    assert {problem.path for problem in broken(zipped).problems} == {
        "bag/data/new.txt", "bag/tag.txt", "bag/bag-info.txt"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["evidence/bag/data/empty/", "evidence/empty/", "evidence/seal/empty/"])
def test_an_empty_folder_in_a_zip_is_named(zipped: Path, name: str) -> None:
    added(zipped, name, b"")
    assert name.removeprefix("evidence/").rstrip("/") in {problem.path for problem in broken(zipped).problems}


@pytest.mark.parametrize("name", ["other/a.txt", "__MACOSX/._evidence", "evidence.txt"])
def test_a_zip_with_a_second_thing_at_the_top_is_told(zipped: Path, name: str) -> None:
    added(zipped, name)
    (problem,) = broken(zipped).problems
    assert problem.path == f"evidence.zip: {name.partition('/')[0]}"
    assert "lies beside the evidence folder" in problem.what


def test_two_evidence_folders_in_one_zip_are_one_too_many(zipped: Path, evidence: Path) -> None:
    with zipfile.ZipFile(zipped, "a") as container:
        for name, content in things(evidence):
            container.writestr(zipfile.ZipInfo(f"second/{name}", TIME), content)
    assert "evidence.zip: second: lies beside the evidence folder" in told(broken(zipped))


def test_a_zip_without_the_folder_round_all_is_told(evidence: Path, tmp_path: Path) -> None:
    (problem,) = broken(packed(evidence, tmp_path / "e.zip", top="")).problems
    assert "without the one folder round them" in problem.what


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("content", [b"<plist/>", b"<plisT/>"])
def test_two_members_of_one_name_are_told_whichever_a_tool_would_take(zipped: Path, content: bytes) -> None:
    added(zipped, f"evidence/{INFO}", content)
    assert f"{INFO}: is the name of several members of the zip" in told(broken(zipped))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (f"evidence/{INFO}".replace("Info", "INFO"), INFO.replace("Info", "INFO")),
        ("evidence/bag/DATA/x.txt", "bag/data"),
        ("evidence/bag/data/scope.JSON", "bag/data/scope.JSON"),
    ],
)
def test_names_that_differ_in_case_alone_are_told(zipped: Path, name: str, first: str) -> None:
    added(zipped, name)
    assert "is one name with" in told(broken(zipped))
    assert first in told(broken(zipped))


def test_names_that_differ_in_composition_alone_are_told(zipped: Path) -> None:
    for form in ("NFC", "NFD"):
        added(zipped, unicodedata.normalize(form, "evidence/bag/data/é"))
    assert "is one name with" in told(broken(zipped))


def test_a_file_that_is_the_folder_of_another_is_told(zipped: Path) -> None:
    added(zipped, f"evidence/{INFO}/inside")
    assert f"{INFO}: is a member and the folder of others at once" in told(broken(zipped))


@pytest.mark.parametrize(
    "name", ["evidence/../../etc/passwd", "../x", "/etc/passwd", "C:/x", "evidence\\..\\x", "evidence/./x", "a//b"]
)
def test_a_name_that_leads_elsewhere_is_told(zipped: Path, name: str) -> None:
    # ZipInfo mends some of these names itself, so it is written into the finished zip.
    placeholder = "?" * len(name)
    added(zipped, placeholder)
    zipped.write_bytes(zipped.read_bytes().replace(placeholder.encode(), name.encode()))
    assert "may lead elsewhere" in told(broken(zipped))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wrong_crc_is_told_though_the_bytes_are_right(evidence: Path, tmp_path: Path, method: int) -> None:
    container = packed(evidence, tmp_path / "e.zip", method=method)
    raw = bytearray(container.read_bytes())
    place = raw.rindex(f"evidence/{INFO}".encode()) - 46 + 16  # its entry in the list of members: APPNOTE 4.3.12
    raw[place] ^= 1
    container.write_bytes(raw)
    (problem,) = broken(container).problems
    assert problem.path == INFO
    assert "CRC-32" in problem.what


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_member_that_is_a_link_or_a_device_is_named(zipped: Path, kind: int) -> None:
    added(zipped, "evidence/bag/data/odd", b"../../../etc/passwd", external_attr=(kind | 0o777) << 16, create_system=3)
    (problem,) = broken(zipped).problems
    assert problem.path == "bag/data/odd"
    assert ("symbolic link" if kind == stat.S_IFLNK else "special file") in problem.what


def test_a_link_in_the_place_of_a_file_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / INFO).unlink()
    container = packed(folder, tmp_path / "e.zip")
    added(container, f"evidence/{INFO}", b"Other.plist", external_attr=(stat.S_IFLNK | 0o777) << 16, create_system=3)
    assert f"{INFO}: is a symbolic link, not a file" in told(broken(container))


def test_an_encrypted_member_is_told(zipped: Path) -> None:
    raw = bytearray(zipped.read_bytes())
    entry = raw.rindex(f"evidence/{INFO}".encode()) - 46
    raw[entry + 8] |= 1
    zipped.write_bytes(raw)
    assert "encrypted with a password of the zip itself" in told(broken(zipped))
    assert INFO in {problem.path for problem in broken(zipped).problems}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_packed_in_another_way_is_told(evidence: Path, tmp_path: Path, method: int) -> None:
    result = broken(packed(evidence, tmp_path / "e.zip", method=method))
    assert "which is not read in place" in told(result)


def test_bytes_before_and_behind_a_zip_are_told(zipped: Path) -> None:
    raw = zipped.read_bytes()
    zipped.write_bytes(raw + b"PK")
    assert "has bytes behind the zip itself" in told(broken(zipped))
    # A zip that begins like one and is glued to another: tools differ in which they read.
    zipped.write_bytes(raw + raw)
    assert "has bytes before the zip itself" in told(broken(zipped))


def test_a_member_whose_own_header_has_another_name_is_told(zipped: Path) -> None:
    raw = zipped.read_bytes()
    name = f"evidence/{INFO}".encode()
    zipped.write_bytes(raw.replace(name, name.replace(b"Info", b"Onfo"), 1))
    assert "another name in its own header" in told(broken(zipped))


def test_a_bit_that_is_turned_anywhere_in_the_members_is_noticed(evidence: Path, tmp_path: Path) -> None:
    container = packed(evidence, tmp_path / "e.zip", method=zipfile.ZIP_STORED)
    raw = container.read_bytes()
    with zipfile.ZipFile(container) as opened:
        spans = [
            (each.filename, each.header_offset + 30 + len(each.filename.encode()), each.file_size)
            for each in opened.infolist()
        ]
    for name, start, size in spans:
        for place in {start, start + size // 2, start + size - 1} if size else set():
            container.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
            named = name.removeprefix("evidence/")
            assert named in {problem.path for problem in broken(container).problems}, (name, place)


def test_a_zip_that_was_cut_or_holds_something_else_is_not_judged(zipped: Path, tmp_path: Path) -> None:
    raw = zipped.read_bytes()
    zipped.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(EvidenceError):
        verify(zipped)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as container:
        container.writestr("letter.txt", "Dear court")
    with pytest.raises(EvidenceError, match="holds no evidence folder"):
        verify(tmp_path / "x.zip")
    (tmp_path / "text").write_text("PK")
    with pytest.raises(EvidenceError):
        verify(tmp_path / "text")


def test_a_zip64_is_read_like_any_other(evidence: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as container:
        for name, content in things(evidence):
            with container.open(zipfile.ZipInfo(f"evidence/{name}", TIME), "w", force_zip64=True) as member:
                member.write(content)
    assert verify(tmp_path / "e.zip").problems == ()


def test_a_list_of_members_that_disagrees_with_its_end_record_is_told(zipped: Path) -> None:
    raw = bytearray(zipped.read_bytes())
    count = struct.unpack_from("<H", raw, len(raw) - 22 + 10)[0]
    struct.pack_into("<H", raw, len(raw) - 22 + 10, count + 1)
    zipped.write_bytes(raw)
    assert f"speaks of {count + 1:,} members" in told(broken(zipped))


def test_folders_and_zips_are_read_by_the_same_rules_in_the_same_order(
    build_folder: Callable[..., Path], payload: dict[str, bytes], tmp_path: Path
) -> None:
    """Names around the slash sort differently as names and as paths."""
    odd = {f"data/files/a{mark}{end}": b"x" for mark in ("", " ", "!", "-", ".", "/", "0", "~") for end in ("b", "c/d")}
    made = build_folder(payload | odd)
    assert verify(packed(made, tmp_path / "e.zip")) == verify(made)
    assert os.fsencode(made)
