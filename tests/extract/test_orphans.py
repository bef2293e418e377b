"""Walking a backup folder: every file once, in the order of the list that names them, and no link followed."""

from __future__ import annotations

from pathlib import Path

from bagtag.extract.orphans import walk


def test_files_come_in_the_bytewise_order_of_their_paths(tmp_path: Path) -> None:
    names = ["b/x", "b-", "b.z", "b0", "c/d/e", "c/d-", "c/d.f", "Ü", "a", "ab/cd/ef"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [path for path, _ in walk(tmp_path)] == sorted(names, key=lambda name: name.encode())


def test_a_link_to_a_folder_is_one_thing_and_no_way(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/x").write_bytes(b"")
    (tmp_path / "link").symlink_to("there", target_is_directory=True)
    (tmp_path / "round").symlink_to(".", target_is_directory=True)
    assert [path for path, _ in walk(tmp_path)] == ["link", "round", "there/x"]


def test_deep_folders_do_not_exhaust_the_stack(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 1500)
    folder = tmp_path
    import os

    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    assert list(walk(folder)) == []
    assert len(deep.parts) > 1500
