"""What is installed is what is in the tree."""

from __future__ import annotations

import os
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("cli", "custody", "extract", "parsers", "reports", "sample_backups")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_folder_with_an_init_is_listed_and_mapped() -> None:
    found = {
        "bagtag." + ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
    }
    listed = PROJECT["tool"]["setuptools"]
    assert set(listed["packages"]) == found
    assert {name: f"bagtag.{folder.replace('/', '.')}" for name, folder in listed["package-dir"].items()} == {
        name: name for name in found
    }


def test_every_room_has_its_link_for_type_checkers_and_its_marker() -> None:
    for room in ROOMS:
        assert (ROOT / ".types/bagtag" / room).resolve() == (ROOT / room).resolve()
        assert (ROOT / room / "py.typed").exists()


def test_the_version_is_the_projects() -> None:
    assert version("bagtag") == PROJECT["project"]["version"]


@pytest.mark.skipif("BAGTAG_TEST_WHEEL" not in os.environ, reason="asked only of the built wheel")
def test_the_wheel_and_not_the_checkout_is_under_test() -> None:
    import bagtag.extract

    assert not Path(bagtag.extract.__file__).is_relative_to(ROOT / "extract")
