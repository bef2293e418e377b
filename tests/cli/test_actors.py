"""Who a custody line says did it, when nobody is named."""

from __future__ import annotations

import os
import subprocess

import pytest

from bagtag.cli.actors import account, actor
from bagtag.custody.errors import UsageError


def test_a_name_that_is_given_is_taken_without_blanks_round_it() -> None:
    assert actor(" Ann Lee ") == "Ann Lee"
    with pytest.raises(UsageError):
        actor("  ")


@pytest.mark.program("id")
def test_else_it_is_the_account_as_the_system_knows_it_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert actor(None) == subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(os.name != "posix", reason="accounts have numbers on POSIX systems")
def test_an_account_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert account() == "uid 4000000001"
