"""`bagtag verify`: three verdicts, their exit codes, and the word that stands for one of them alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SMS_DB = "bag/data/files/HomeDomain/Library/SMS/sms.db"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_folder_that_agrees_with_itself_is_intact_and_not_verified(bagtag: Any, demo: Path) -> None:
    ran = bagtag("verify", demo / "evidence")
    assert ran.code == 0
    assert "intact" in ran.out
    assert "verified" not in (ran.out + ran.err).lower()
    assert digest(demo / "evidence/bag/manifest-sha256.txt") in ran.out
    assert digest(demo / "evidence/bag/tagmanifest-sha256.txt") in ran.out
    assert "lines 0" in ran.out.lower()


def test_with_its_bag_digest_from_elsewhere_it_is_authentic(bagtag: Any, demo: Path) -> None:
    given = digest(demo / "evidence/bag/tagmanifest-sha256.txt")
    ran = bagtag("verify", demo / "evidence", "--expect", given)
    assert ran.code == 0
    assert "verified: authentic" in ran.out
    (facts,) = bagtag("verify", demo / "evidence", "--expect", given, "--json").rows
    assert (facts["verdict"], facts["problems"], facts["bag_digest"]) == ("authentic", [], given)


def test_another_bag_digest_breaks_it(bagtag: Any, demo: Path) -> None:
    ran = bagtag("verify", demo / "evidence", "--expect", "0" * 64)
    assert ran.code == 4
    assert "broken" in ran.out
    assert "verified" not in (ran.out + ran.err).lower()


def test_an_anchor_that_is_no_digest_ends_with_2(bagtag: Any, demo: Path) -> None:
    assert bagtag("verify", demo / "evidence", "--expect", "abc").code == 2


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (SMS_DB, _flip),
        ("README.txt", _flip),
        ("custody.jsonl", _flip),
        (SMS_DB, Path.unlink),
        ("bag/data/files/planted.txt", lambda path: path.write_text("planted")),
    ],
)
def test_what_was_changed_is_named_and_ends_with_4(
    path: str, change: Callable[[Path], object], bagtag: Any, evidence: Path
) -> None:
    change(evidence / path)
    ran = bagtag("verify", evidence)
    assert ran.code == 4
    assert f"problem         {path}" in ran.out
    assert "verdict         broken" in ran.out


def test_every_problem_is_listed(bagtag: Any, evidence: Path) -> None:
    _flip(evidence / SMS_DB)
    _flip(evidence / "bag/data/scope.json")
    (evidence / "stray").write_text("x")
    (facts,) = bagtag("verify", evidence, "--json").rows
    paths = {problem["path"] for problem in facts["problems"]}
    assert {SMS_DB, "bag/data/scope.json", "stray"} <= paths


def test_a_planted_name_cannot_steer_the_terminal(bagtag: Any, evidence: Path) -> None:
    (evidence / "\x1b[2J\nverdict         verified: authentic").write_text("x")
    for extra in ((), ("--json",)):
        ran = bagtag("verify", evidence, *extra)
        assert ran.code == 4
        assert "\x1b" not in ran.out
        assert "\nverdict         verified" not in ran.out


def test_nothing_is_written(bagtag: Any, evidence: Path) -> None:
    def state() -> list[tuple[str, int, int]]:
        paths = [evidence, *sorted(evidence.rglob("*"))]
        return [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]

    before = state()
    bagtag("verify", evidence)
    assert state() == before


def test_the_verdict_stays_the_exit_code_when_nobody_reads_it(program: Any, evidence: Path) -> None:
    _flip(evidence / SMS_DB)
    process = program("verify", evidence)
    process.stdout.close()
    assert process.wait(timeout=60) == 4
