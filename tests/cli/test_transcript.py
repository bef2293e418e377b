"""A message on a terminal: what hangs on it, and that nothing in it can pass for more than it is."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bagtag.cli.transcript import clock, lines, who
from bagtag.extract.evidence import Provenance
from bagtag.parsers.records import (
    Announcement,
    App,
    AttachmentRef,
    Body,
    ChatRef,
    Edit,
    Effect,
    Message,
    OwnerIdentity,
    Part,
    Party,
    Recipients,
    Tapback,
    TapbackOnTarget,
    Target,
    Thread,
)  # fmt: skip

ANN = Party(role="other", handle="+15551234567", handle_rowid=1, names=["Ann Lee"])
OWNER = Party(role="owner", handle=None, handle_rowid=None)
AT = "2024-03-01T12:00:00.000000000Z"


def message(**changes: Any) -> Message:
    plain = Message(
        id="message/00000000/message/1", guid="G", rowid=1, type="message", state="live",
        provenance=Provenance(file_id=None, domain=None, relative_path=None, sha256=None),
        chats=[ChatRef(rowid=1, guid="iMessage;-;x", identifier="x", service="iMessage", name=None, is_group=False)],
        service="iMessage", direction="incoming", sender=ANN, owner_identity=OwnerIdentity(),
        recipients=Recipients(basis="none"), sent_at=AT, raw={}, units={}, text="Hello", subject=None,
        body=Body(source="text"), flags={},
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def shown(**changes: Any) -> list[str]:
    return "\n".join(lines(message(**changes), UTC)).split("\n")


def test_a_plain_message_is_a_headline_and_its_text() -> None:
    assert shown() == [
        "2024-03-01 12:00:00 UTC  iMessage  incoming  Ann Lee <+15551234567>  in x",
        "    | Hello",
    ]


def test_each_line_of_a_text_stands_behind_the_bar() -> None:
    forged = "one\n2024-03-01 12:00:00 UTC  iMessage  incoming  owner  in x\n    attachment: none"
    assert [line[:6] for line in shown(text=forged)[1:]] == ["    | "] * 3


def test_a_name_cannot_break_the_headline() -> None:
    party = Party(role="other", handle="+1\x1b[2J", handle_rowid=1, names=["Eve\nforged"])
    headline, *rest = shown(sender=party)
    assert r"Eve\nforged <+1\x1b[2J>" in headline
    assert rest == ["    | Hello"]


def test_everything_that_hangs_on_a_message_is_told() -> None:
    told = "\n".join(
        shown(
            state="recently-deleted",
            deleted_at=AT,
            subject="A subject",
            parts=[Part(index=1, kind="unsent")],
            edits=[Edit(part=0, text="first words", at=AT, raw_at="1", original=True)],
            thread=Thread(originator_guid="ORIGIN"),
            effect=Effect(kind="slam", raw="com.apple.x"),
            app=App(bundle_id="b", kind="url", title="A title", url="https://example.com/\x1b"),
            attachments=[AttachmentRef(rowid=1, guid="A", name="IMG.HEIC", mime="image/heic", size=1234,
                                       sha256="ab" * 32, status="present")],
            tapbacks=[TapbackOnTarget(guid="T", rowid=2, sender=OWNER, kind="emoji", emoji="🎉", part=0, at=AT)],
            delivered_at=AT,
            read_at=AT,
            read_by="owner",
            notes=["a note"],
        )
    )  # fmt: skip
    for text in (
        "state: recently-deleted, deleted 2024-03-01", "subject: A subject", "unsent: part 1",
        "wording of part 0: 2024-03-01 12:00:00 UTC, the original: first words", "reply to: ORIGIN", "effect: slam",
        r"app: url, A title, https://example.com/\x1b",
        "attachment: IMG.HEIC, image/heic, 1,234 bytes, present, sha256 ab",
        "tapback: emoji 🎉 by owner, part 0, 2024-03-01", "delivered: 2024", "read by the owner: 2024", "note: a note",
    ):  # fmt: skip
        assert text in told


def test_a_tapback_row_tells_what_it_is_about() -> None:
    told = shown(type="tapback", text=None, target=Target(guid="G2", part=0, found=False),
                 tapback=Tapback(kind="loved", removed=True))  # fmt: skip
    assert told[1:] == ["    tapback: loved removed about G2 (not in this database)"]


def test_an_announcement_is_a_remark_and_no_text() -> None:
    told = shown(type="announcement", text=None, announcement=Announcement(kind="name-changed", text="Ann named it"))
    assert told[1:] == ["    announcement: Ann named it"]


def test_absent_facts_are_named_and_not_invented() -> None:
    unknown = Party(role="unknown", handle=None, handle_rowid=None)
    told = shown(sender=unknown, sent_at=None, service=None, direction=None, chats=[], text=None)
    assert told == ["no time  no service  no direction  unknown  in no chat"]


def test_the_clock_shows_the_offset_of_the_zone_on_that_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert clock("2024-03-01T12:00:00.000000000Z", berlin) == "2024-03-01 13:00:00+01:00"
    assert clock("2024-07-01T12:00:00.000000000Z", berlin) == "2024-07-01 14:00:00+02:00"
    assert clock("0001-01-01T00:00:00.000000000Z", ZoneInfo("America/New_York")) == "0001-01-01T00:00:00.000000000Z"


def test_a_party_is_always_told_with_its_handle() -> None:
    two = Party(role="other", handle="+1", handle_rowid=1, names=["Ann Lee", "Ann L."])
    assert (who(two), who(OWNER)) == ("Ann Lee / Ann L. <+1>", "owner")


def test_facts_without_a_field_of_their_own_are_told_safely_and_drawings_are_not_printed() -> None:
    app = App(bundle_id="x", kind="poll", details={"svg": "<svg/>", "poll": {"title": "When?\nNow"}})
    told = shown(details={"quoted": "a\x1b[2J"}, app=app)
    assert any(line.startswith("    quoted: a") and "\x1b" not in line for line in told)
    assert any(line.startswith("    app: poll › title: When?") and "Now" in line for line in told)
    assert not any("svg" in line for line in told)
