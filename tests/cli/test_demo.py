"""`bagtag demo`: the whole chain for somebody who has no phone at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_it_says_where_to_look_and_all_of_it_is_there(
    bagtag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = bagtag("demo")
    assert ran.code == 0, ran.err
    for label, path in (
        ("evidence folder", "bagtag-demo/evidence"),
        ("look at", "bagtag-demo/evidence/bag/data/report/index.html"),
        ("check by hand", "bagtag-demo/evidence/README.txt"),
    ):
        assert f"{label:<17}{path}\n" in ran.out
        assert (tmp_path / path).exists()
    assert "authentic" in ran.out
    assert bagtag("verify", tmp_path / "bagtag-demo" / "evidence").code == 0


def test_a_folder_that_is_not_empty_is_left_alone(bagtag: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    ran = bagtag("demo", tmp_path)
    assert ran.code == 2
    assert (tmp_path / "mine").read_text() == "precious"
    assert bagtag("demo", tmp_path / "mine").code == 2


def test_the_same_demo_twice_has_the_same_payload_digest(bagtag: Any, demo: Path, tmp_path: Path) -> None:
    bagtag("demo", tmp_path / "again")
    one, two = (place / "evidence/bag/manifest-sha256.txt" for place in (demo, tmp_path / "again"))
    assert one.read_bytes() == two.read_bytes()
