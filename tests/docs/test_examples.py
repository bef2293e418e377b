"""The examples of the documentation run, and give what the page says."""

from __future__ import annotations

import doctest
import shutil
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for page in DOCS.glob("*.md") if ">>> " in page.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_give_what_it_says(
    page: Path, encrypted_backup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = Path(shutil.copytree(encrypted_backup.folder, "backup"))
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    ran = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert ran.failed == 0
    assert ran.attempted > 10
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
    assert [item.name for item in (tmp_path / "cache").rglob("*") if item.is_dir() and len(item.name) == 16] == []


def test_the_page_about_the_library_has_examples() -> None:
    assert [page.name for page in PAGES] == ["library.md"]
