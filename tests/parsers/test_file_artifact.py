"""Artifacts that lie in files declare what they read and write, and are fenced from each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bagtag.extract.evidence import Issue
from bagtag.extract.files import FileFacts
from bagtag.extract.sqlite import DamagedError, Database
from bagtag.parsers import file_artifact
from bagtag.parsers.file_artifact import FileArtifact, Holdings, file_artifacts, run_files
from bagtag.parsers.names import Names
from bagtag.parsers.records import Record


class NoFiles:
    """Evidence in which nothing can be found."""

    bare = False
    backup_at = None

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        return None

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        return iter(())

    def hand_over(self) -> None:
        return None

    def database(self, domain: str, relative_path: str) -> Database | None:
        raise DamagedError("broken")

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:
        return None


@pytest.mark.parametrize("each", file_artifacts(), ids=lambda each: each.name)
def test_every_file_artifact_says_what_it_is_where_it_lies_and_what_it_writes(each: FileArtifact) -> None:
    assert each.parser.__doc__
    assert each.title
    assert each.places
    assert all(domain and path and not path.startswith("/") for domain, path in each.places)
    assert each.writes
    assert all(issubclass(kind, Record) for kind in each.writes)


def test_file_artifacts_are_found_in_a_fixed_order() -> None:
    assert [each.name for each in file_artifacts()] == ["drafts", "message_settings"]


def test_a_parser_that_fails_loses_its_own_records_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(held: Holdings) -> Iterator[Record | Issue]:
        yield Issue(effect="note", what="first")
        raise KeyError("gone")

    def sound(held: Holdings) -> Iterator[Record | Issue]:
        yield Issue(effect="note", what="second")

    place = (("HomeDomain", "x"),)
    made = {name: FileArtifact(name, name, place, (), (), parser) for name, parser in
            (("a", failing), ("b", sound))}  # fmt: skip
    monkeypatch.setattr(file_artifact, "_FILE_ARTIFACTS", made)
    found: list[Any] = list(run_files(NoFiles(), Names(), {}))
    assert [(each.effect, each.what) for each in found] == [
        ("note", "first"), ("lost", "reading a stopped: 'gone'"), ("note", "second"),
    ]  # fmt: skip


def test_a_damaged_database_that_an_artifact_asks_for_is_told_once_and_the_rest_is_read() -> None:
    found: list[Any] = list(run_files(NoFiles(), Names(), {}, only=["message_settings"]))
    assert [each.effect for each in found] == ["lost"]
    assert list(run_files(NoFiles(), Names(), {("HomeDomain", "Library/SMS/sms.db"): None})) == []
