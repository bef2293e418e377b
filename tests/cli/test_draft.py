"""A draft on a terminal: its words, its conversation, and that it was not sent as far as the backup tells."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec
import pytest

from bagtag.cli.draft import lines
from bagtag.extract.evidence import Provenance
from bagtag.parsers.companion_records import Draft, DraftFile

WHERE = Provenance(
    file_id="ab" * 20, domain="HomeDomain", relative_path="Library/SMS/Drafts/x/composition.plist", sha256="cd" * 32
)


def shown(**changes: Any) -> list[str]:
    plain = Draft(
        id="draft/abababab/composition.plist/0", folder="+12025550171", chat_identifier="+12025550171",
        text="never mind", modified_at="2024-03-01T12:00:00.000000000Z", provenance=WHERE,
    )  # fmt: skip
    return "\n".join(lines(msgspec.structs.replace(plain, **changes), UTC)).split("\n")


def test_a_draft_is_marked_as_not_sent_and_tells_its_conversation_and_words() -> None:
    assert shown() == [
        "DRAFT  not sent, as far as the backup tells  in +12025550171",
        "    | never mind",
        "    file changed: 2024-03-01 12:00:00 UTC",
    ]


def test_the_handle_stands_beside_the_names_of_the_contacts() -> None:
    assert shown(names=["Ann Lee"])[0].endswith("  in Ann Lee <+12025550171>")


def test_a_draft_of_no_known_conversation_says_so() -> None:
    assert shown(folder="Pending", chat_identifier=None)[0].endswith("  in no known conversation (folder Pending)")


def test_what_hangs_on_a_draft_is_told() -> None:
    files = [DraftFile(name="a.png", file_id="ef" * 20, sha256="12" * 32, size=1200), DraftFile(name="b.png")]
    raw = {"text": {"sha256": "34" * 32, "size": 9}, "CKEffect": "slam"}
    found = shown(subject="Rent", attachments=files, raw=raw, notes=["odd"], modified_at=None)
    assert found[1:] == [
        "    subject: Rent",
        "    | never mind",
        f"    attachment: a.png, 1,200 bytes, sha256 {'12' * 32}",
        "    attachment: b.png, named in the draft, not in the backup",
        "    file changed: no time",
        "    CKEffect: slam",
        "    note: odd",
    ]


def test_words_that_cannot_be_read_leave_their_digest() -> None:
    assert f"    text › sha256: {'34' * 32}" in shown(text=None, raw={"text": {"sha256": "34" * 32, "size": 9}})


@pytest.mark.parametrize("field", ["text", "subject", "chat_identifier"])
def test_nothing_in_a_draft_passes_for_a_line_of_ours(field: str) -> None:
    found = shown(**{field: "x\n2024-03-01 12:00:00 UTC  iMessage\x1b[2J"})
    assert [line for line in found if not line.startswith("    ")] == found[:1]
    assert "\x1b" not in "".join(found)
