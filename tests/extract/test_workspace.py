"""Working copies are private, and what a killed run left behind goes with the next run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bagtag.custody.errors import UsageError
from bagtag.extract.workspace import Workspace


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))


def test_the_folder_is_private_and_gone_at_the_end() -> None:
    with Workspace.temporary() as workspace:
        assert workspace.path.stat().st_mode & 0o077 == 0
        (workspace.path / "decrypted").write_text("secret")
        path = workspace.path
    assert not path.exists()


def test_a_folder_in_use_is_left_alone_and_one_of_a_killed_run_is_removed() -> None:
    kill = "from bagtag.extract.workspace import Workspace; import os; w = Workspace.temporary(); (w.path / 'x').write_text('x'); print(w.path, flush=True); os.kill(os.getpid(), 9)"  # noqa: E501
    killed = subprocess.run([sys.executable, "-c", kill], capture_output=True, text=True, check=False).stdout.strip()
    assert Path(killed, "x").exists()
    with Workspace.temporary() as first:
        assert first.removed == [killed]
        assert not Path(killed).exists()
        with Workspace.temporary() as second:
            assert second.removed == []
            assert first.path.exists()


def test_sqlite_keeps_its_own_temporary_files_inside() -> None:
    before = os.environ.get("SQLITE_TMPDIR")
    with Workspace.temporary() as workspace:
        assert os.environ["SQLITE_TMPDIR"] == str(workspace.path)
    assert os.environ.get("SQLITE_TMPDIR") == before


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    with Workspace.inside(tmp_path / "work"), pytest.raises(UsageError, match="another process"):
        Workspace.inside(tmp_path / "work")


def test_an_earlier_runs_copies_are_never_reused(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "old").write_text("old")
    with Workspace.inside(tmp_path / "work") as workspace:
        assert not (workspace.path / "old").exists()
