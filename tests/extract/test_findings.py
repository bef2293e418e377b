"""What a row means for the exit code: only what is lost or partial harms."""

from __future__ import annotations

import pytest

from bagtag.extract.evidence import HARMFUL, Outcome
from bagtag.extract.findings import issues_of
from bagtag.extract.inventory import InventoryRow, Plain

PLAIN = Plain(size=1, sha256="a" * 64)
LOSSES = {"missing", "truncated", "unterminated", "bad-record", "key-unavailable", "not-a-regular-file"}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_exactly_the_outcomes_that_lose_something_are_harmful(outcome: Outcome) -> None:
    row = InventoryRow(file_id="0" * 40, flags=1, outcome=outcome, plain=PLAIN)
    assert any(issue.effect in HARMFUL for issue in issues_of(row)) == (outcome in LOSSES)


@pytest.mark.parametrize("outcome", ["ok", "ok-empty", "directory", "symlink", "already-plain", "out-of-scope"])
def test_what_is_as_it_should_be_has_no_issue(outcome: str) -> None:
    assert not list(issues_of(InventoryRow(file_id="0" * 40, flags=1, outcome=Outcome(outcome), plain=PLAIN)))


@pytest.mark.parametrize(
    ("outcome", "plain", "effect"),
    [
        ("bad-record", None, "lost"),
        ("bad-record", PLAIN, "partial"),
        ("unsafe-path", None, "lost"),
        ("unsafe-path", PLAIN, "note"),
    ],
)
def test_the_effect_follows_the_bytes_that_are_kept(outcome: str, plain: Plain | None, effect: str) -> None:
    (issue,) = issues_of(InventoryRow(file_id="0" * 40, flags=1, outcome=Outcome(outcome), plain=plain))
    assert issue.effect == effect
    assert issue.what.startswith(f"{outcome}: ")
    assert issue.where is not None
    assert issue.where.sha256 == (plain.sha256 if plain else None)


def test_a_truth_that_another_displaced_still_counts() -> None:
    row = InventoryRow(file_id="0" * 40, flags=1, outcome=Outcome.UNSAFE_PATH, findings=["truncated"], plain=PLAIN)
    assert [issue.effect for issue in issues_of(row)] == ["note", "partial"]


def test_a_finding_that_nobody_knows_says_nothing() -> None:
    row = InventoryRow(file_id="0" * 40, flags=1, outcome=Outcome.OK, findings=["digest-of-content"], plain=PLAIN)
    assert not list(issues_of(row))
