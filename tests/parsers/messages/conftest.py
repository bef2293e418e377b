"""Evidence of plain files for what lies beside the message database: drafts and settings."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bagtag.extract.evidence import Outcome, Provenance
from bagtag.extract.files import FileFacts
from bagtag.extract.sqlite import Database
from bagtag.parsers.file_artifact import run_files
from bagtag.parsers.names import Card, Names

SMS = ("HomeDomain", "Library/SMS/sms.db")


@dataclass
class FilesOfHome:
    """Files of HomeDomain by path, and sms.db; None is a file that has a row and cannot be read."""

    files: Mapping[str, bytes | None]
    sms: Path | None = None
    bare: bool = False
    backup_at: str | None = None
    asked: list[int] = field(default_factory=list)

    def facts(self, domain: str, relative_path: str) -> FileFacts | None:
        if domain != "HomeDomain" or relative_path not in self.files:
            return None
        content = self.files[relative_path]
        return FileFacts(
            file_id=hashlib.sha1(f"{domain}-{relative_path}".encode()).hexdigest(), domain=domain,
            relative_path=relative_path, outcome=Outcome.OK if content is not None else Outcome.MISSING,
            size=None if content is None else len(content),
            sha256=None if content is None else hashlib.sha256(content).hexdigest(), bag_path=None,
        )  # fmt: skip

    def under(self, domain: str, prefix: str) -> Iterator[FileFacts]:
        found = (self.facts(domain, path) for path in sorted(self.files) if path.startswith(prefix))
        return (each for each in found if each is not None)

    def hand_over(self) -> None:
        return None

    def database(self, domain: str, relative_path: str) -> Database | None:
        if (domain, relative_path) != SMS or self.sms is None:
            return None
        where = Provenance(file_id="3d" * 20, domain=domain, relative_path=relative_path, sha256="ab" * 32)
        return Database.open(self.sms, where)

    def content(self, domain: str, relative_path: str, most: int) -> bytes | None:
        self.asked.append(most)
        content = self.files.get(relative_path) if domain == "HomeDomain" else None
        return None if content is None else content[:most]


@pytest.fixture
def read_files(tmp_path: Path) -> Callable[..., list[Any]]:
    """Run the file artifacts on these files; `chats` are (identifier, properties) of sms.db's chat rows.

    Every record must be what its published type says, as JSON and back.
    """

    def reading(
        files: Mapping[str, bytes | None],
        *cards: Card,
        only: str | None = None,
        chats: list[tuple[str | None, Any]] | None = None,
    ) -> list[Any]:
        sms = tmp_path / "sms.db"
        if chats is not None:
            with sqlite3.connect(sms) as connection:
                connection.execute("CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, chat_identifier, properties)")
                connection.executemany("INSERT INTO chat (chat_identifier, properties) VALUES (?, ?)", chats)
            connection.close()
        held = FilesOfHome(files, None if chats is None else sms)
        found = list(run_files(held, Names(cards), {}, None if only is None else [only]))
        for item in found:
            assert msgspec.json.decode(msgspec.json.encode(item), type=type(item)) == item
        return found

    return reading
