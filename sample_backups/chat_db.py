"""chat.db, the Messages database of a Mac, alone: no backup around it, and no file of its attachments.

Known from the schemas of macOS 10.10 to 26, which are those of the iOS of the same year; files of attachments lie in
`~/Library/Messages/Attachments`. The database of macOS 10.10 counts its records under another name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagtag.sample_backups import messages
from bagtag.sample_backups.dice import dice
from bagtag.sample_backups.era import Release, release_of
from bagtag.sample_backups.story import Story

OF_THE_YEAR: Mapping[Release, Release] = {
    (10, 10): (8, 0),
    (10, 11): (9, 0),
    (10, 12): (10, 0),
    (10, 13): (11, 0),
    (10, 14): (12, 0),
    (10, 15): (13, 0),
}
"""The iOS that came out with a macOS 10; later the numbers are three apart, and from 26 on the same."""

APART, ONE_NUMBER = 3, 26
ON_IPHONE, ON_MAC = "~/Library/SMS/Attachments/", "~/Library/Messages/Attachments/"
ELSEWHERE = {"status": "outside-backup", "relative_path": None, "file_id": None, "size": None, "sha256": None}


@dataclass(frozen=True)
class MintedDatabase:
    """A minted chat.db and the truth about it."""

    path: Path
    truth: Mapping[str, Any] = field(repr=False)


def ios_of(macos: str) -> Release:
    """The iOS with the same tables; ValueError for a macOS before 10.10."""
    release = release_of(macos)
    if release < (10, 10):
        raise ValueError(f"no sample imitates macOS {macos}; known are 10.10 and later")
    if release[0] >= ONE_NUMBER:
        return release
    return OF_THE_YEAR[release] if release in OF_THE_YEAR else (release[0] + APART, release[1])


def mint(dest: Path, *, macos: str = "15.5", seed: int = 1, migrated: bool = False) -> MintedDatabase:
    """Write `dest`/chat.db and what is true of it to `dest`/truth.json; ValueError as `ios_of` and `messages.write`.

    `migrated`: the first half was written by macOS 10.12 and upgraded in place.
    """
    dest.mkdir(parents=True, exist_ok=True)

    def on_a_mac(story: Story) -> None:
        _move_attachments(story)
        if release_of(macos) == (10, 10):
            for row in story.rows["_SqliteDatabaseProperties"]:
                if row["key"] == "__CPRecordSequenceNumber":
                    row["key"] = "__CSDBRecordSequenceNumber"

    said = messages.write(dest, ios_of(macos), dice(f"{seed}/chat.db"), migrated=migrated, retouch=on_a_mac)
    path = said.database.rename(dest / "chat.db")
    truth = {"macos": macos, "seed": seed, **messages.truth(said)}
    (dest / "truth.json").write_text(json.dumps(truth, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")
    return MintedDatabase(path, truth)


def _move_attachments(story: Story) -> None:
    """File the attachments where a Mac keeps them; a database alone has none of their files."""
    for row in story.rows["attachment"]:
        if row["filename"]:
            row["filename"] = row["filename"].replace(ON_IPHONE, ON_MAC)
    for fact in [*story.messages.values(), *story.purged]:
        for attached in fact["attachments"]:
            raw = attached["filename_raw"]
            attached.update(ELSEWHERE, filename_raw=raw.replace(ON_IPHONE, ON_MAC) if raw else raw)
    story.files.clear()
    story.deleted["unreferenced_files"].clear()
