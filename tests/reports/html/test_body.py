"""What was written is shown in the order of its parts, with formatting, every wording, and what is gone."""

from __future__ import annotations

import base64
from collections.abc import Callable

from bagtag.parsers.records import App, AttachmentRef, Edit, Message, Part, Range
from bagtag.reports.html import body
from bagtag.reports.html.clock import Clock

UTC = Clock("UTC")
Make = Callable[..., Message]


def _shown(message: Message) -> str:
    return "|".join(str(block.text) for block in body.blocks(message, UTC))


def test_formatting_counts_code_points_so_an_emoji_before_it_shifts_nothing(message: Make) -> None:
    text = "😀 bold"
    made = message(
        1, text, parts=[Part(index=0, kind="text", text=text, ranges=[Range(start=2, length=4, style=["bold"])])]
    )
    assert _shown(made) == "😀 <b>bold</b>"


def test_a_link_that_leads_elsewhere_than_its_text_says_is_printed_beside_it(message: Make) -> None:
    text = "bank.example"
    ranges = [Range(start=0, length=12, link="https://evil.example/")]
    shown = _shown(message(1, text, parts=[Part(index=0, kind="text", text=text, ranges=ranges)]))
    assert shown == 'bank.example <span class="aside">[link: https://evil.example/]</span>'


def test_a_link_that_is_its_own_text_is_not_repeated(message: Make) -> None:
    text = "https://a.example/"
    ranges = [Range(start=0, length=len(text), link=text)]
    assert _shown(message(1, text, parts=[Part(index=0, kind="text", text=text, ranges=ranges)])) == text


def test_overlapping_and_overlong_ranges_lose_no_text(message: Make) -> None:
    text = "abcdef"
    ranges = [
        Range(start=0, length=4, style=["bold"]),
        Range(start=2, length=400, style=["italic"]),
        Range(start=-3, length=2, style=["underline"]),
        Range(start=9, length=2, mention="+1"),
    ]
    shown = _shown(message(1, text, parts=[Part(index=0, kind="text", text=text, ranges=ranges)]))
    assert shown == "<b>ab</b><i><b>cd</b></i><i>ef</i>"


def test_a_mention_and_a_text_effect_are_said_in_words(message: Make) -> None:
    text = "@Ann hi"
    ranges = [Range(start=0, length=4, mention="+1555"), Range(start=5, length=2, effect="shake")]
    shown = _shown(message(1, text, parts=[Part(index=0, kind="text", text=text, ranges=ranges)]))
    assert "<mark>@Ann</mark>" in shown
    assert "[mention of +1555]" in shown
    assert "[text effect: shake]" in shown


def test_attachments_stand_where_their_part_stands_and_the_rest_comes_last(
    message: Make, attachment: Callable[..., AttachmentRef]
) -> None:
    made = message(
        1,
        parts=[
            Part(index=0, kind="attachment", attachment="second"),
            Part(index=1, kind="text", text="between"),
            Part(index=2, kind="attachment", attachment="lost"),
        ],
        attachments=[attachment(rowid=1, guid="first", part=7), attachment(rowid=2, guid="second")],
    )
    blocks = body.blocks(made, UTC)
    assert [block.kind for block in blocks] == ["attachment", "text", "gone", "attachment"]
    assert ("attachment row", "2 second") in (blocks[0].attachment.facts if blocks[0].attachment else [])
    assert ("attachment row", "1 first") in (blocks[3].attachment.facts if blocks[3].attachment else [])


def test_every_wording_of_an_edited_part_is_there_oldest_first_with_its_time(message: Make) -> None:
    edits = [
        Edit(part=0, text="south", at="2024-03-01T12:00:00.000000000Z", raw_at="1", original=True),
        Edit(part=0, text="east", at="2024-03-01T12:01:00.000000000Z", raw_at="2", original=False),
        Edit(part=0, text="north", at="2024-03-01T12:02:00.000000000Z", raw_at="3", original=False),
    ]
    (block,) = body.blocks(message(1, "north", edits=edits), UTC)
    assert [str(wording.text) for wording in block.wordings] == ["south", "east", "north"]
    assert [wording.label for wording in block.wordings] == ["Wording 1, original", "Wording 2", "Wording 3, last"]
    assert [wording.at.text[11:] for wording in block.wordings if wording.at] == [
        "12:00:00 UTC", "12:01:00 UTC", "12:02:00 UTC",
    ]  # fmt: skip


def test_an_unsent_and_a_deleted_part_are_marked_and_keep_their_wordings(message: Make) -> None:
    made = message(
        1,
        None,
        parts=[Part(index=0, kind="unsent"), Part(index=1, kind="deleted")],
        edits=[Edit(part=0, text="taken back", at=None, raw_at=None, original=True)],
    )
    unsent, deleted = body.blocks(made, UTC)
    assert "Unsent" in unsent.text
    assert str(unsent.wordings[0].text) == "taken back"
    assert "Deleted" in deleted.text


def test_wordings_of_a_part_that_no_longer_exists_are_shown_too(message: Make) -> None:
    made = message(1, "left", edits=[Edit(part=4, text="gone part", at=None, raw_at=None, original=True)])
    assert [str(wording.text) for block in body.blocks(made, UTC) for wording in block.wordings] == ["gone part"]


def test_an_app_is_shown_once_whether_or_not_a_part_names_it(message: Make) -> None:
    app = App(bundle_id="com.example.app", kind="game", title="Chess", details={"score": {"white": 1}})
    for parts in ([Part(index=0, kind="app", text="fallback")], [Part(index=0, kind="text", text="fallback")], []):
        blocks = body.blocks(message(1, "fallback", parts=parts, app=app), UTC)
        shown = [block.app for block in blocks if block.app]
        assert [one.title for one in shown] == ["Chess"]
        assert shown[0].details == [("score › white", "1")]
        assert "fallback" in "".join(block.text for block in blocks)


def test_a_text_without_parts_is_shown_as_it_is(message: Make) -> None:
    assert _shown(message(1, "only text", parts=[])) == "only text"


def test_a_drawing_is_a_picture_that_runs_nothing_and_not_a_line_of_facts(message: Make) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
    app = App(bundle_id="x", kind="handwriting", details={"strokes": 1, "svg": svg})
    shown = body.blocks(message(1, None, parts=[], app=app), UTC)[0].app
    assert shown is not None
    assert shown.details == [("strokes", "1")]
    assert shown.drawing is not None
    kind, _, data = shown.drawing.partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == svg


def test_a_drawing_that_is_no_text_is_left_out(message: Make) -> None:
    app = App(bundle_id="x", kind="generic", details={"svg": {"a": 1}})
    shown = body.blocks(message(1, None, parts=[], app=app), UTC)[0].app
    assert shown is not None
    assert shown.drawing is None
