"""The proof that nothing of the source changed: the list as sha256sum writes it, and every kind of change found out."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import StoppedError
from bagtag.extract import discover, source
from bagtag.extract.source import SourceProof
from bagtag.extract.stores.folder import FolderStore
from bagtag.extract.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.inside(tmp_path / "work") as space:
        yield space


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose names sort differently by folder and by byte."""
    root = tmp_path / "backup"
    for name in ("b/x", "b-", "b.z", "a", "Ü", "c/d/e", "c/d0", "empty"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "empty" else name.encode() * 1000)
    return root


@pytest.fixture
def proof(folder: Path, workspace: Workspace) -> Iterator[SourceProof]:
    with SourceProof(FolderStore(folder), workspace) as found:
        yield found


def test_the_list_names_every_file_once_sorted_bytewise(folder: Path, proof: SourceProof) -> None:
    listed = b"".join(proof.lines())
    wanted = sorted(path.relative_to(folder).as_posix().encode() for path in folder.rglob("*") if path.is_file())
    assert listed == b"".join(
        hashlib.sha256((folder / name.decode()).read_bytes()).hexdigest().encode() + b"  " + name + b"\n"
        for name in wanted
    )
    assert proof.digest == hashlib.sha256(listed).hexdigest()
    assert proof.issues() == []


@pytest.mark.program("sha256sum")
def test_sha256sum_accepts_the_list_with_its_oddest_names(folder: Path, workspace: Workspace, tmp_path: Path) -> None:
    for name in ("back\\slash", "line\nbreak", " leading", "trailing ", "*star", "- dash"):
        (folder / name).write_bytes(name.encode())
    with SourceProof(FolderStore(folder), workspace) as proof:
        listing = tmp_path / "source.sha256"
        listing.write_bytes(b"".join(proof.lines()))
    done = subprocess.run(["sha256sum", "-c", "--strict", str(listing)], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK\n") == 14


def test_a_digest_that_was_noted_is_not_computed_again(folder: Path, proof: SourceProof) -> None:
    proof.note("c/d/e", "0" * 64)
    assert b"0" * 64 + b"  c/d/e\n" in list(proof.lines())


def test_links_are_named_and_never_followed(folder: Path, workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_bytes(b"not evidence")
    (folder / "linked-folder").symlink_to(outside, target_is_directory=True)
    (folder / "linked-file").symlink_to(outside / "x")
    with SourceProof(FolderStore(folder), workspace) as proof:
        listed = b"".join(proof.lines())
        assert b"linked" not in listed
        assert [(issue.effect, issue.where and issue.where.relative_path) for issue in proof.issues()] == [
            ("note", "linked-file"), ("note", "linked-folder"),
        ]  # fmt: skip
        assert proof.check() == []


def test_an_untouched_folder_has_no_issue_even_after_reading(folder: Path, proof: SourceProof) -> None:
    assert sum(1 for _ in proof.lines()) == 8
    assert proof.check() == []
    assert proof.rehash("full") == []


def changed(proof: SourceProof) -> list[tuple[str, str]]:
    return [(issue.effect, issue.what) for issue in proof.check()]


def test_every_kind_of_change_is_found(folder: Path, proof: SourceProof) -> None:
    assert list(proof.lines())
    (folder / "a").write_bytes(b"longer than it was" * 1000)
    (folder / "b/x").unlink()
    (folder / "c/new-wal").write_bytes(b"")
    (folder / "b.z").unlink()
    (folder / "b.z").symlink_to("a")
    told = {what.split(":")[0]: (effect, what) for effect, what in changed(proof)}
    assert set(told) == {"a", "b/x", "c/new-wal", "b.z"}
    assert {effect for effect, _ in told.values()} == {"partial"}
    assert "size, mtime" in told["a"][1]
    assert "differs" in told["a"][1]
    assert "vanished" in told["b/x"][1]
    assert "appeared" in told["c/new-wal"][1]
    assert "kind" in told["b.z"][1]


def test_a_write_of_the_same_length_with_its_mtime_set_back_is_found(folder: Path, proof: SourceProof) -> None:
    assert list(proof.lines())
    before = (folder / "a").stat()
    (folder / "a").write_bytes(b"A" * before.st_size)
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert proof.compared == ("size", "mtime", "ctime", "inode")
    ((effect, what),) = changed(proof)
    assert (effect, "ctime moved" in what, "differs" in what) == ("partial", True, True)


def test_a_moved_ctime_over_the_same_content_is_a_note(folder: Path, proof: SourceProof) -> None:
    assert list(proof.lines())
    (folder / "a").chmod(0o600)
    ((effect, what),) = changed(proof)
    assert (effect, "the content is the same" in what) == ("note", True)


def test_a_moved_mtime_is_harm_even_over_the_same_content(folder: Path, proof: SourceProof) -> None:
    assert list(proof.lines())
    os.utime(folder / "a", (1, 1))
    ((effect, what),) = changed(proof)
    assert (effect, "mtime" in what) == ("partial", True)


def test_reading_again_finds_other_content_and_files_that_are_gone(folder: Path, proof: SourceProof) -> None:
    assert list(proof.lines())
    (folder / "a").write_bytes(b"other")
    (folder / "b-").unlink()
    found = proof.rehash(["a", "b-", "b/x", "never-there"])
    assert [issue.where and issue.where.relative_path for issue in found] == ["a", "b-"]
    assert {issue.effect for issue in proof.rehash("full")} == {"partial"}


def test_progress_ends_at_no_more_than_the_whole(folder: Path, proof: SourceProof) -> None:
    told: list[float] = []
    assert list(proof.lines())
    proof.rehash("full", told.append)
    assert told
    assert max(told) <= 1.0


def test_a_container_is_hashed_with_progress(
    container: Path, contained: SourceProof, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_CHUNK", 16)
    monkeypatch.setattr(source, "_EVERY", 64)
    told: list[float] = []
    assert list(contained.lines(told.append))
    assert contained.check(told.append) == []
    assert len(told) > 4
    assert max(told) <= 1.0


def test_the_digest_is_not_known_before_the_list_was_written(proof: SourceProof) -> None:
    with pytest.raises(RuntimeError):
        assert proof.digest


def test_what_cannot_be_read_has_no_line_and_is_named(
    folder: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guarded(real: Callable[..., Any], ending: str) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **options: Any) -> Any:
            if str(path).endswith(ending):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *arguments, **options)

        return call

    monkeypatch.setattr(os, "open", guarded(os.open, "b.z"))
    monkeypatch.setattr(os, "scandir", guarded(os.scandir, "/c"))
    with SourceProof(FolderStore(folder), workspace) as proof:
        names = [line.split(b"  ")[1] for line in proof.lines()]
        assert names == [b"a\n", b"b-\n", b"b/x\n", b"empty\n", "Ü\n".encode()]
        told = [(issue.effect, issue.what) for issue in proof.issues()]
    assert told[0] == ("partial", "b.z: the file could not be read: Permission denied")
    assert told[1] == ("partial", "c: the folder could not be read: what lies in it is not in the list")


NAMES = ("Manifest.db", "00/x", "00/y", "-", "Ü")


@pytest.fixture(params=["zip", "tar", "tar.gz"])
def container(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A backup two folders down, and a member that does not belong to it."""
    path = tmp_path / f"evidence.{request.param}"
    (tmp_path / "file").write_bytes(b"content" * 1000)
    members = ["a/other", *(f"a/UDID/{name}" for name in NAMES)]
    if request.param == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name in members:
                file.write(tmp_path / "file", name)
    else:
        with tarfile.open(path, "w:gz" if request.param == "tar.gz" else "w") as packed:
            for name in members:
                packed.add(tmp_path / "file", name)
    return path


@pytest.fixture
def contained(container: Path, workspace: Workspace) -> Iterator[SourceProof]:
    store = discover.locate(container, workspace)
    with SourceProof(store, workspace) as found:
        yield found
    store.close()


def test_a_container_lists_its_members_by_their_full_names_and_then_itself(
    container: Path, contained: SourceProof
) -> None:
    member = hashlib.sha256(b"content" * 1000).hexdigest().encode()
    names = sorted(f"a/UDID/{name}".encode() for name in NAMES)
    listed = list(contained.lines())
    assert listed == [
        *(member + b"  " + name + b"\n" for name in names),
        hashlib.sha256(container.read_bytes()).hexdigest().encode() + b"  " + container.name.encode() + b"\n",
    ]
    assert contained.digest == hashlib.sha256(b"".join(listed)).hexdigest()
    assert contained.issues() == contained.check() == contained.rehash("full") == []
    assert contained.comparison == "size, mtime, ctime, inode and SHA-256 of the container"


@pytest.mark.program("sha256sum")
def test_sha256sum_accepts_the_list_of_a_container_beside_its_unpacked_members(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "unpacked"
    for name in ("Manifest.db", "00/x", "line\nbreak", " leading"):
        (folder / "UDID" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "UDID" / name).write_bytes(name.encode())
    with tarfile.open(folder / "evidence.tar", "w") as file:
        file.add(folder / "UDID", "./UDID")
    store = discover.locate(folder / "evidence.tar", workspace)
    with SourceProof(store, workspace) as proof:
        (tmp_path / "source.sha256").write_bytes(b"".join(proof.lines()))
    store.close()
    command = ["sha256sum", "-c", "--strict", str(tmp_path / "source.sha256")]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout.count(b": OK\n")) == (0, 5), done.stderr


def test_a_noted_digest_of_a_member_is_taken_by_its_path_in_the_backup(contained: SourceProof) -> None:
    contained.note("00/x", "0" * 64)
    assert b"0" * 64 + b"  a/UDID/00/x\n" in list(contained.lines())


def test_every_change_of_a_container_is_found(container: Path, contained: SourceProof) -> None:
    assert list(contained.lines())
    image, facts = container.read_bytes(), container.stat()
    container.chmod(0o600)
    assert [effect for effect, _ in changed(contained)] == ["note"]
    os.utime(container, (1, 1))
    assert [(effect, "mtime" in what) for effect, what in changed(contained)] == [("partial", True)]
    with container.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    os.utime(container, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    ((effect, what),) = changed(contained)
    assert (effect, "differs" in what, "mtime" in what) == ("partial", True, False)
    container.write_bytes(image + b"more")
    assert "size" in changed(contained)[0][1]
    container.unlink()
    assert "vanished" in changed(contained)[0][1]


def test_a_container_that_is_gone_before_it_was_hashed_stops_the_run(container: Path, contained: SourceProof) -> None:
    container.unlink()
    with pytest.raises(StoppedError):
        list(contained.lines())


def test_two_runs_on_one_container_see_the_same_and_a_changed_one_is_another(
    container: Path, workspace: Workspace
) -> None:
    def seen() -> str:
        store = discover.locate(container, workspace)
        with SourceProof(store, workspace) as proof:
            found = proof.snapshot_digest
        store.close()
        return found

    first = seen()
    assert seen() == first
    os.utime(container, (1, 1))
    assert seen() != first


def test_a_member_that_cannot_be_read_has_no_line_and_is_named(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("Manifest.db", b"index")
        file.writestr("00/x", b"content")
    path.write_bytes(path.read_bytes().replace(b"content", b"changed"))
    store = discover.locate(path, workspace)
    with SourceProof(store, workspace) as proof:
        assert len(list(proof.lines())) == 2
        ((effect, what),) = [(issue.effect, issue.what) for issue in proof.issues()]
    store.close()
    assert (effect, what.startswith("00/x: the file could not be read"), "CRC" in what) == ("partial", True, True)
