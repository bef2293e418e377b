"""A stream that is read by its frame reads exactly as it does byte by byte, whole or damaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.attributed_string import AttributedString, read_attributed_string, read_whole
from bagtag.parsers.formats.stream_frames import framed
from bagtag.sample_backups.typedstream import Number, Run, Url, attributed_string

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
NAME = "__kIMFilenameAttributeName"
WIDTH = "__kIMInlineMediaWidthAttributeName"
GUID = "at_0_4B14267F-1B03-7494-DD1C-01CC6ADFC974"
BYTES = [0x00, 0x01, 0x02, 0x2B, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x92, 0x96, 0x98, 0x9B, 0xFF]

TEXTS = st.text(max_size=20) | st.sampled_from(["", "\ufffc", "a" * 127, "ü" * 64, "é" * 128, "👩‍👩‍👧‍👦", "x" * 300])
VALUES = (
    st.integers(-200, 70000)
    | st.builds(Number, st.integers(-(2**40), 2**40), st.just("q"))
    | st.text(max_size=12)
    | st.sampled_from([GUID, "IMG_1.HEIC", "__kIM", "\x0000", "\x0001", "k" * 200])
    | st.binary(max_size=6)
    | st.builds(Url, st.sampled_from(["https://example.com/", "\x0000"]))
)
KEYS = st.sampled_from([PART, TRANSFER, NAME, "IMAudioTranscription", "other", "\x0000"])
RUNS = st.lists(st.builds(Run, TEXTS, st.dictionaries(KEYS, VALUES, max_size=4) | st.just({PART: 0})), max_size=3)


def judged(data: bytes) -> AttributedString | str:
    try:
        return read_whole(data)
    except MalformedError as trouble:
        return str(trouble)


def read(data: bytes) -> AttributedString | str:
    try:
        return read_attributed_string(data)
    except MalformedError as trouble:
        return str(trouble)


@settings(max_examples=300)
@given(RUNS, st.booleans())
def test_minted_bodies_read_alike_both_ways(runs: list[Run], mutable: bool) -> None:
    data = attributed_string(runs, mutable=mutable)
    assert read(data) == judged(data)


@settings(max_examples=600)
@given(RUNS, st.data())
def test_damaged_bodies_read_alike_both_ways(runs: list[Run], data: st.DataObject) -> None:
    stream = bytearray(attributed_string(runs))
    read(bytes(stream))  # the frame of the whole one is known
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(stream) - 1))
        kind = data.draw(st.sampled_from(["put", "cut", "insert"]))
        if kind == "put":
            stream[at] = data.draw(st.sampled_from(BYTES) | st.integers(0, 255))
        elif kind == "cut":
            del stream[at : at + data.draw(st.integers(1, 4))]
        else:
            stream[at:at] = bytes(data.draw(st.lists(st.sampled_from(BYTES), min_size=1, max_size=3)))
        if not stream:
            break
    assert read(bytes(stream)) == judged(bytes(stream))


@pytest.mark.parametrize(
    "attributes",
    [{PART: 0}, {PART: 0, TRANSFER: "at_0_G", NAME: "IMG_0001.HEIC", WIDTH: Number(3024, "q")}],
)
def test_plain_texts_and_attachments_are_read_by_their_frame(attributes: Mapping[str, Any]) -> None:
    for text in ("Hi", "größer", "😀 two units", "x" * 200):
        data = attributed_string([Run(text, attributes)])
        found = framed(data)
        assert found is not None
        assert AttributedString(*found) == read_whole(data)
        assert found[0] == text


def test_words_in_attributes_are_those_of_the_stream_itself() -> None:
    for guid in ("at_0_AAAA", "at_0_BBBBBB"):
        found = framed(attributed_string([Run("\ufffc", {PART: 0, TRANSFER: guid, NAME: "n"})]))
        assert found is not None
        assert found[1][0].attributes == {PART: 0, TRANSFER: guid, NAME: "n"}


def test_an_attribute_that_refers_to_the_text_has_no_frame() -> None:
    data = attributed_string([Run("Hello", {PART: 0, "__kIMQuote": "x"})])
    value = b"\x92\x84\x98\x98\x01x\x86"
    assert data.count(value) == 1
    referring = data.replace(value, b"\x92\x96")  # object 4 is the text
    assert framed(referring) is None
    found = read_attributed_string(referring)
    assert found == read_whole(referring)
    assert found.runs[0].attributes["__kIMQuote"] == "Hello"


def test_a_text_whose_length_the_runs_do_not_cover_is_left_to_the_whole_reader() -> None:
    data = attributed_string([Run("Hello", {PART: 0})]).replace(b"+\x05Hello", b"+\x06Hello!")
    assert framed(data) is None
    assert read_attributed_string(data).warnings == ["runs cover 5 of 6 UTF-16 units"]
