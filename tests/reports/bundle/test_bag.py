"""The bag in the eyes of others: bagit-python, the BagIt profile validator, sha256sum, and RFC 8493."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bagit
import bagit_profile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.custody.errors import BagtagError
from bagtag.reports.bundle import bag_info, manifest, profile, tree
from bagtag.reports.bundle.bag import BagWriter
from bagtag.reports.bundle.manifest import Listed, Lookup, Unreadable


def test_bagit_python_finds_the_bag_valid(evidence: Path) -> None:
    assert bagit.Bag(str(evidence / "bag")).validate()


def test_bagit_py_finds_the_bag_valid_on_the_command_line(evidence: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "bagit", "--validate", str(evidence / "bag")], capture_output=True)
    assert done.returncode == 0, done.stderr


def test_the_profile_validator_accepts_the_bag(evidence: Path) -> None:
    judge = bagit_profile.Profile(profile.IDENTIFIER, profile=(evidence / "bag/profile.json").read_text("utf-8"))
    assert judge.validate_serialization(str(evidence / "bag"))
    assert judge.validate(bagit.Bag(str(evidence / "bag"))), judge.report


@pytest.mark.parametrize("spoil", ["tagmanifest-sha256.txt", "custody.jsonl"])
def test_the_profile_validator_misses_what_the_profile_requires(folder: Path, spoil: str) -> None:
    (folder / "bag" / spoil).unlink()
    judge = bagit_profile.Profile(profile.IDENTIFIER, profile=(folder / "bag/profile.json").read_text("utf-8"))
    assert not judge.validate(bagit.Bag(str(folder / "bag")))


@pytest.mark.program("sha256sum")
@pytest.mark.parametrize("name", ["manifest-sha256.txt", "tagmanifest-sha256.txt"])
def test_sha256sum_accepts_both_manifests(evidence: Path, name: str) -> None:
    done = subprocess.run(["sha256sum", "-c", "--strict", name], cwd=evidence / "bag", capture_output=True)
    assert done.returncode == 0, done.stderr


def test_the_manifest_is_sorted_bytewise_with_two_spaces_and_lists_the_payload_alone(
    evidence: Path, payload: dict[str, bytes]
) -> None:
    expected = b"".join(
        hashlib.sha256(payload[name]).hexdigest().encode() + b"  " + name.encode() + b"\n"
        for name in sorted(payload, key=str.encode)
    )
    assert (evidence / "bag/manifest-sha256.txt").read_bytes() == expected


def test_the_tag_manifest_lists_every_tag_file_but_itself(evidence: Path) -> None:
    lines = (evidence / "bag/tagmanifest-sha256.txt").read_text("utf-8").splitlines()
    assert [line.split("  ")[1] for line in lines] == [
        "bag-info.txt", "bagit.txt", "custody.jsonl", "manifest-sha256.txt", "profile.json", "schemas/file.json",
        "schemas/message.json",
    ]  # fmt: skip


def test_the_declaration_is_the_two_lines_of_rfc_8493(evidence: Path) -> None:
    declared = (evidence / "bag/bagit.txt").read_bytes()
    assert declared == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def test_the_label_counts_the_payload_and_keeps_a_hostile_device_name_on_one_line(
    evidence: Path, payload: dict[str, bytes]
) -> None:
    labels = dict(bag_info.parse((evidence / "bag/bag-info.txt").read_bytes()))
    assert labels["Payload-Oxum"] == f"{sum(map(len, payload.values()))}.{len(payload)}"
    assert labels["Evidence-Source-Device"] == "Ann\u2019s iPhone"
    assert labels["External-Identifier"] == "2024-0815/7/r1"
    assert "Evidence-Legal-Authority" not in labels


def test_the_order_in_which_files_are_added_does_not_matter(tmp_path: Path, payload: dict[str, bytes]) -> None:
    digests = set()
    for number, names in enumerate([list(payload), list(reversed(payload))]):
        bag = tmp_path / str(number)
        with BagWriter(bag, tmp_path / f"{number}.db") as writer:
            for name in names:
                (bag / name).parent.mkdir(parents=True, exist_ok=True)
                (bag / name).write_bytes(payload[name])
                writer.add(name, hashlib.sha256(payload[name]).hexdigest(), len(payload[name]))
            digests.add(writer.write_manifest().sha256)
    assert len(digests) == 1


def _writer(tmp_path: Path) -> BagWriter:
    (tmp_path / "bag/data/empty/deep").mkdir(parents=True)
    (tmp_path / "bag/data/x").write_bytes(b"x")
    return BagWriter(tmp_path / "bag", tmp_path / "scratch.db")


def test_empty_folders_leave_the_payload(tmp_path: Path) -> None:
    with _writer(tmp_path) as writer:
        writer.add("data/x", hashlib.sha256(b"x").hexdigest(), 1)
        writer.write_manifest()
    assert [path.name for path in (tmp_path / "bag/data").iterdir()] == ["x"]


@pytest.mark.parametrize("added", [[], [("data/x", 2)], [("data/x", 1), ("data/y", 1)]])
def test_a_bag_that_contradicts_its_manifest_is_not_closed(tmp_path: Path, added: list[tuple[str, int]]) -> None:
    with _writer(tmp_path) as writer:
        for name, size in added:
            writer.add(name, hashlib.sha256(b"x").hexdigest(), size)
        with pytest.raises(BagtagError, match="data/"):
            writer.write_manifest()


@pytest.mark.parametrize("path", ["x", "data/../x", "/data/x", "data//x", "data/./x", "data/a\\b", "data/a\0"])
def test_an_unsafe_payload_path_is_refused(tmp_path: Path, path: str) -> None:
    with _writer(tmp_path) as writer, pytest.raises(BagtagError):
        writer.add(path, "0" * 64, 1)


def test_two_files_cannot_have_one_place(tmp_path: Path) -> None:
    with _writer(tmp_path) as writer:
        writer.add("data/x", "0" * 64, 1)
        with pytest.raises(BagtagError, match="one place"):
            writer.add("data/x", "0" * 64, 1)


def test_a_stray_tag_file_keeps_the_tag_manifest_from_being_written(folder: Path, tmp_path: Path) -> None:
    (folder / "bag/notes.txt").write_text("mine")
    with BagWriter(folder / "bag", tmp_path / "s.db") as writer, pytest.raises(BagtagError, match=r"notes\.txt"):
        writer.write_tagmanifest()


def test_the_tag_manifest_waits_for_every_tag_file(folder: Path, tmp_path: Path) -> None:
    (folder / "bag/custody.jsonl").unlink()
    with BagWriter(folder / "bag", tmp_path / "s.db") as writer, pytest.raises(BagtagError, match=r"custody\.jsonl"):
        writer.write_tagmanifest()


def test_percent_cr_and_lf_are_encoded_and_nothing_else_is() -> None:
    line = manifest.line("data/100% \r\n \u00e4:~".encode(), "0" * 64)
    assert line == b"0" * 64 + "  data/100%25 %0D%0A \u00e4:~\n".encode()


@given(st.binary(min_size=1, max_size=40).filter(lambda raw: manifest.unsafe(raw) is None))
def test_every_safe_path_comes_back_from_its_line(path: bytes) -> None:
    assert manifest.parse(manifest.line(path, "a" * 64), 1) == Listed(1, path, "a" * 64)


@pytest.mark.parametrize(
    "raw",
    [
        b"0" * 64 + b" data/x\n",
        b"0" * 64 + b" *data/x\n",
        b"0" * 64 + b"  data/x",
        b"0" * 64 + b"  data/x\r\n",
        b"A" * 64 + b"  data/x\n",
        b"0" * 63 + b"  data/x\n",
        b"0" * 64 + b"  data/%41\n",
        b"0" * 64 + b"  data/%0a\n",
        b"0" * 64 + b"  data/100%\n",
        b"0" * 64 + b"  ../etc/passwd\n",
        b"0" * 64 + b"  data/../../x\n",
        b"0" * 64 + b"  /data/x\n",
        b"0" * 64 + b"  ~/x\n",
        b"0" * 64 + b"  data/\xff\n",
        b"0" * 64 + b"  data/\n",
        b"\n",
    ],
)
def test_a_manifest_line_in_any_other_form_is_refused(raw: bytes) -> None:
    assert isinstance(manifest.parse(raw, 1), Unreadable)


@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), max_size=30))
def test_every_listed_path_is_found_by_halving_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    paths = sorted(path for name in names if manifest.unsafe(path := b"data/" + name.encode()) is None)
    file = tmp_path_factory.mktemp("lookup") / "manifest-sha256.txt"
    file.write_bytes(b"".join(manifest.line(path, hashlib.sha256(path).hexdigest()) for path in paths))
    with Lookup(file) as lookup:
        assert [lookup.digest(path) for path in paths] == [hashlib.sha256(path).hexdigest() for path in paths]
        assert lookup.digest(b"data/") is None
        assert lookup.digest(b"zzz") is None


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a.b", "a-b", "a b", "A", "\u00e4"]), min_size=1, max_size=4)))
def test_the_walk_gives_whole_paths_in_bytewise_order(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]
) -> None:
    root = tmp_path_factory.mktemp("walk")
    for path in paths:
        file = root.joinpath(*path[:-1], path[-1] + ".f")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    walked = [node.path for node in tree.walk(root)]
    expected = sorted(os.fsencode(path.relative_to(root).as_posix()) for path in root.rglob("*") if path.is_file())
    assert walked == expected


def test_a_bag_of_nothing_but_one_file_is_written_and_checked(build_folder: Callable[[dict[str, bytes]], Path]) -> None:
    assert bagit.Bag(str(build_folder({"data/scope.json": b"{}"}) / "bag")).validate()
