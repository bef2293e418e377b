"""The body is the text its reader saw, in parts; attributedBody counts before the text column."""

from __future__ import annotations

from typing import Any

import pytest

from bagtag.parsers.messages import body
from bagtag.sample_backups.typedstream import Number, Run, Url, attributed_string

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
SPEC_VECTOR = bytes.fromhex(
    "040b73747265616d747970656481e8038401408484841"
    "94e534d757461626c6541747472696275746564537472696e67008484124e5341747472696275746564537472696e67008484084e534f626a"
    "656374008592848484 0f4e534d757461626c65537472696e67018484084e53537472696e67019584012b024869868402694901029284 8484"
    "0c4e5344696374696f6e617279009584016901928498981d5f5f6b494d4d657373616765506172744174747269627574654e616d6586928484"
    "84084e534e756d626572008484074e5356616c7565009584012a849b9b00868686".replace(" ", "")
)


def read(blob: bytes | None, column: str | None = None) -> tuple[body.Read, list[str], list[str]]:
    reports: list[str] = []
    notes: list[str] = []
    return body.read(blob, column, reports.append, notes.append), reports, notes


def ranges_of(*runs: Run) -> list[tuple[Any, ...]]:
    found, _, _ = read(attributed_string(list(runs)))
    return [(r.start, r.length, r.style, r.effect, r.mention, r.link) for part in found.parts for r in part.ranges]


def test_the_published_vector_is_one_part_of_text() -> None:
    found, reports, notes = read(SPEC_VECTOR)
    assert [(part.index, part.kind, part.text, part.start16) for part in found.parts] == [(0, "text", "Hi", 0)]
    assert (found.body.source, reports, notes) == ("attributedBody", [], [])


def test_parts_follow_their_numbers_and_start16_counts_utf16_units() -> None:
    runs = [
        Run("\ufffc", {PART: 0, TRANSFER: "at_0_G"}),
        Run("a 😀 b", {PART: 1}),
        Run("\ufffc", {PART: 3, TRANSFER: "at_3_G"}),
    ]
    found, _, _ = read(attributed_string(runs))
    assert [(p.index, p.kind, p.text, p.start16, p.attachment) for p in found.parts] == [
        (0, "attachment", "\ufffc", 0, "at_0_G"),
        (1, "text", "a 😀 b", 1, None),
        (3, "attachment", "\ufffc", 7, "at_3_G"),
    ]
    assert found.transfers == {"at_0_G": 0, "at_3_G": 3}


def test_an_inline_picture_stays_inside_its_text_part() -> None:
    runs = [Run("Look ", {PART: 0}), Run("\ufffc", {PART: 0, TRANSFER: "at_0_G"}), Run(" here", {PART: 0})]
    found, _, _ = read(attributed_string(runs))
    (part,) = found.parts
    assert (part.kind, part.text, part.attachment) == ("text", "Look \ufffc here", None)
    assert [(r.start, r.length, r.attributes) for r in part.ranges] == [(5, 1, {TRANSFER: "at_0_G"})]
    assert found.transfers == {"at_0_G": 0}


def test_styles_are_named_and_positions_count_code_points() -> None:
    assert ranges_of(
        Run("😀 ", {PART: 0}),
        Run("all", {PART: 0, "__kIMTextStrikethroughAttributeName": 1, "__kIMTextBoldAttributeName": 1,
                    "__kIMTextUnderlineAttributeName": 1, "__kIMTextItalicAttributeName": 1}),
    ) == [(2, 3, ["bold", "italic", "underline", "strikethrough"], None, None, None)]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "name"),
    [(4, "ripple"), (5, "big"), (6, "bloom"), (8, "nod"), (9, "shake"), (10, "jitter"), (11, "small"), (12, "explode")],
)
def test_text_effects_are_named(number: int, name: str) -> None:
    run = Run("wow", {PART: 0, "__kIMTextEffectAttributeName": Number(number, "q")})
    assert ranges_of(run) == [(0, 3, [], name, None, None)]


def test_an_effect_without_a_known_name_keeps_its_number() -> None:
    run = Run("wow", {PART: 0, "__kIMTextEffectAttributeName": Number(77, "q")})
    found, _, _ = read(attributed_string([run]))
    (noted,) = found.parts[0].ranges
    assert (noted.effect, noted.attributes) == ("unknown", {"__kIMTextEffectAttributeName": 77})


def test_mentions_and_links_say_whom_and_where() -> None:
    assert ranges_of(
        Run("@Ann", {PART: 0, "__kIMMentionConfirmedMention": "+12025550171"}),
        Run("x.org", {PART: 0, "__kIMLinkAttributeName": Url("https://x.org/")}),
    ) == [(0, 4, [], None, "+12025550171", None), (4, 5, [], None, None, "https://x.org/")]


def test_attributes_without_a_field_stay_under_their_names() -> None:
    found, _, _ = read(attributed_string([Run("hi", {PART: 0, "__kIMSomethingNew": "x"})]))
    assert found.parts[0].ranges[0].attributes == {"__kIMSomethingNew": "x"}


def test_a_body_without_part_numbers_is_divided_at_its_attachments() -> None:
    found, _, _ = read(attributed_string([Run("\ufffc", {TRANSFER: "at_0_G"}), Run("caption", {"x": 1})]))
    assert [(p.index, p.kind, p.attachment) for p in found.parts] == [(0, "attachment", "at_0_G"), (1, "text", None)]


def test_an_empty_body_has_no_parts_and_is_still_the_source() -> None:
    found, reports, _ = read(attributed_string([]))
    assert (found.body.source, found.string, found.parts, reports) == ("attributedBody", "", [], [])


def test_the_text_column_is_kept_only_when_it_differs() -> None:
    blob = attributed_string([Run("new words", {PART: 0})])
    assert read(blob, "new words")[0].body.text_column is None
    assert read(blob, "old words")[0].body.text_column == "old words"
    assert read(blob, "old words")[0].string == "new words"


def test_without_a_body_the_text_column_is_the_text() -> None:
    found, reports, _ = read(None, "only here")
    assert (found.body.source, found.body.sha256, found.parts[0].text, reports) == ("text", None, "only here", [])


def test_a_text_column_with_attachment_characters_is_divided_as_a_body_is() -> None:
    found, _, _ = read(None, "😀\ufffc\ufffc")
    assert [(p.index, p.kind, p.start16) for p in found.parts] == [
        (0, "text", 0),
        (1, "attachment", 2),
        (2, "attachment", 3),
    ]


def test_an_undecodable_body_gives_way_to_the_text_column_and_is_reported() -> None:
    found, reports, _ = read(b"\x04\x0bnonsense", "the column")
    assert (found.body.source, found.string) == ("text", "the column")
    assert found.body.sha256
    assert len(reports) == 1


def test_an_undecodable_body_without_text_column_is_salvaged_and_says_so() -> None:
    blob = attributed_string([Run("words that survive", {PART: 0})])[:-60]
    found, reports, _ = read(blob)
    assert (found.body.source, found.string) == ("salvaged", "words that survive")
    assert len(reports) == 1


def test_a_body_that_is_nothing_at_all_is_none_and_reported() -> None:
    found, reports, _ = read(b"\x00\x01\x02")
    assert (found.body.source, found.string, found.parts) == ("none", None, [])
    assert len(reports) == 1


def test_a_lone_surrogate_is_replaced_and_reported_and_moves_nothing() -> None:
    blob = attributed_string([Run("a\ud83d", {PART: 0}), Run("bold", {PART: 0, "__kIMTextBoldAttributeName": 1})])
    found, reports, _ = read(blob)
    assert found.parts[0].text == "a\ufffdbold"
    assert [(r.start, r.length) for r in found.parts[0].ranges] == [(2, 4)]
    assert len(reports) == 1
