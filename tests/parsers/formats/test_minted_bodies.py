"""Bodies from the mint's writer, which shares nothing with the reader: what was written is what is read, all of it.

The second judge is pytypedstream. It cannot read integers of eight bytes (head 87), and not text with lone surrogates;
both are shown below, and such bodies are judged by what was minted alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import typedstream as judge
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.parsers.formats import foundation
from bagtag.parsers.formats.archived_object import Object
from bagtag.parsers.formats.attributed_string import AttributedString, read_attributed_string
from bagtag.parsers.formats.expansion import Expansion
from bagtag.parsers.formats.typedstream import read
from bagtag.parsers.formats.unarchived import Unarchiver
from bagtag.sample_backups.typedstream import (
    MutableData,
    Number,
    Run,
    Url,
    Value,
    Writer,
    attributed_string,
    utf16_length,
)

PART = "__kIMMessagePartAttributeName"
LENGTHS = [0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536]
EDGES = [
    *(0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1),
    *(-1, -110, -111, -128, -129, -32768, -32769, -(2**31)),
]
WIDE_EDGES = [2**31, -(2**31) - 1, 2**53, 2**63 - 1, -(2**63)]
EMOJI = [
    "👩‍👩‍👧‍👦",
    "👍🏽",
    "🏳️‍🌈",
    "🇩🇪",
    "1️⃣",
    "🧑🏿‍🚀",
    "e\u0301",
    "\ufffc",
    "\ufffd",
    "𝒽𝑒𝓎",
    "\x00",
    "\u202e",
    "\x0000",
    "\x0001",
    "__kIM",
]
DEEPEST = 40

WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(EMOJI), max_size=5
).map("".join)
SCALARS: st.SearchStrategy[Value] = (
    st.integers(-(2**31), 2**31 - 1)
    | st.sampled_from(EDGES)
    | WORDS
    | st.binary(max_size=300)
    | WORDS.map(Url)
    | st.integers(-128, 127).map(lambda value: Number(value, "c"))
    | st.sampled_from(EDGES).map(lambda value: Number(value, "q"))
    | st.floats(-(2**30), 2**30).map(lambda value: Number(value, "d"))
    | st.binary(max_size=300).map(MutableData)
    | st.dictionaries(WORDS, WORDS, max_size=3)
)
APPLES = [
    *(f"__kIM{name}AttributeName" for name in ("Link", "TextBold", "FileTransferGUID", "Filename", "OneTimeCode")),
    *(PART, "__kIMMentionConfirmedMention", "IMAudioTranscription"),
]
KEYS = st.sampled_from([*APPLES, "ключ", "😀"]) | WORDS
RUNS = st.lists(st.builds(Run, WORDS, st.dictionaries(KEYS, SCALARS, max_size=5)), max_size=8)
PROPERTY = settings(deadline=None, max_examples=60)


def as_minted(value: Value) -> object:
    """The plain value a reader should give."""
    if isinstance(value, Url):
        return foundation.Url(value.address)
    if isinstance(value, MutableData):
        return value.content
    if isinstance(value, Number) and value.code == "d":
        return float(value.value)
    return value.value if isinstance(value, Number) else value


def assert_all_of_it(found: AttributedString, runs: Sequence[Run]) -> None:
    """Text, places and attributes are those of the runs, and nothing was odd."""
    assert found.warnings == []
    assert found.text == "".join(run.text for run in runs)
    assert len(found.runs) == len(runs)
    start = start16 = 0
    for run, minted in zip(found.runs, runs, strict=True):
        assert (run.start, run.length) == (start, len(minted.text))
        assert (run.start16, run.length16) == (start16, utf16_length(minted.text))
        wanted = {key: as_minted(value) for key, value in minted.attributes.items()}
        assert list(run.attributes.items()) == list(wanted.items())
        assert [type(value) for value in run.attributes.values()] == [type(value) for value in wanted.values()]
        start, start16 = start + run.length, start16 + run.length16


def plain_by_judge(value: Any) -> object:
    """What pytypedstream made of an attribute."""
    kinds = judge.types.foundation
    if isinstance(value, kinds.NSURL):
        return foundation.Url(value.value)
    if isinstance(value, kinds.NSDictionary):
        return {key.value: each.value for key, each in value.contents.items()}
    return value.data if isinstance(value, kinds.NSData) else value.value


def by_judge(stream: bytes) -> tuple[str, list[tuple[int, dict[str, object]]]]:
    """The text, and (UTF-16 length, attributes) of each run, as pytypedstream reads them."""
    string, *groups = judge.unarchive_from_data(stream).contents
    known: list[dict[str, object]] = []
    runs = []
    while groups:
        number, length = groups.pop(0).values
        if number > len(known):
            (dictionary,) = groups.pop(0).values
            known.append({key.value: plain_by_judge(each) for key, each in dictionary.contents.items()})
        runs.append((length, known[number - 1]))
    return string.values[0].value, runs


def assert_judged_alike(stream: bytes, found: AttributedString) -> None:
    """pytypedstream reads the same."""
    assert by_judge(stream) == (found.text, [(run.length16, run.attributes) for run in found.runs])


@given(RUNS, st.booleans())
@PROPERTY
def test_what_was_minted_is_what_is_read(runs: list[Run], mutable: bool) -> None:
    stream = attributed_string(runs, mutable=mutable)
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


@given(st.lists(st.builds(Run, WORDS, st.dictionaries(KEYS, st.integers(-(2**31), 2**31 - 1) | WORDS | st.binary()))))
@PROPERTY
def test_what_was_read_is_minted_again_byte_for_byte(runs: list[Run]) -> None:
    stream = attributed_string(runs)
    found = read_attributed_string(stream)
    again: list[Run] = []
    for run in found.runs:
        attributes: Mapping[str, Any] = run.attributes
        again.append(Run(found.text[run.start : run.start + run.length], attributes))
    assert attributed_string(again) == stream


@given(RUNS)
@PROPERTY
def test_a_reading_after_another_is_the_same(runs: list[Run]) -> None:
    stream = attributed_string(runs)
    for _ in range(3):
        assert_all_of_it(read_attributed_string(stream), runs)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("letter", ["a", "ü", "時", "😀"])
def test_a_text_of_every_length_is_whole(length: int, letter: str) -> None:
    runs = [Run(letter * length, {PART: 0})] if length else []
    stream = attributed_string(runs)
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_text_of_so_many_bytes_is_whole(length: int) -> None:
    text = "😀" * (length // 4) + "x" * (length % 4)
    assert len(text.encode()) == length
    runs = [Run(text, {PART: 0})] if length else []
    assert_all_of_it(read_attributed_string(attributed_string(runs)), runs)


@pytest.mark.parametrize("length", LENGTHS)
def test_attributes_of_every_length_are_whole(length: int) -> None:
    values: dict[str, Value] = {"text": "ü" * length, "bytes": b"\x86" * length, "url": Url("u" * length)}
    runs = [Run("x", values), Run("y", {"k" * length: 1})]
    stream = attributed_string(runs)
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


@pytest.mark.parametrize("count", [127, 128, 255, 256, 1000])
def test_a_body_of_many_runs_and_as_many_dictionaries_is_whole(count: int) -> None:
    runs = [Run("ab😀"[: 1 + number % 3], {PART: number // 2, "of": number % 7}) for number in range(count)]
    stream = attributed_string(runs)
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


@pytest.mark.parametrize("code", ["i", "q"])
@pytest.mark.parametrize("value", EDGES)
def test_an_integer_of_each_form_up_to_four_bytes_is_exact(code: str, value: int) -> None:
    runs = [Run("x", {"n": Number(value, code)})]
    stream = attributed_string(runs)
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


@pytest.mark.parametrize("value", WIDE_EDGES)
def test_an_integer_of_eight_bytes_is_exact_and_beyond_the_judge(value: int) -> None:
    runs = [Run("x", {"n": Number(value, "q")})]
    stream = attributed_string(runs)
    assert b"\x87" in stream
    assert_all_of_it(read_attributed_string(stream), runs)
    with pytest.raises(judge.InvalidTypedStreamError):
        by_judge(stream)


@pytest.mark.parametrize(
    ("minted", "read_as"),
    [("a\ud83d", "a\ud83d"), ("\ude00b", "\ude00b"), ("\ud83d\ude00", "😀"), ("😀\udfff😀", "😀\udfff😀")],
)
def test_a_lone_surrogate_stays_a_pair_becomes_its_character_and_the_judge_reads_neither(
    minted: str, read_as: str
) -> None:
    stream = attributed_string([Run(minted, {PART: 0})])
    found = read_attributed_string(stream)
    assert found.text == read_as
    assert [(run.start16, run.length16, run.length) for run in found.runs] == [(0, utf16_length(minted), len(read_as))]
    with pytest.raises(UnicodeDecodeError):
        by_judge(stream)


def test_types_and_classes_first_met_past_number_237_are_referred_to_in_two_bytes() -> None:
    early: dict[str, Value] = {f"key {number}": "value" for number in range(200)}
    late: dict[str, Value] = {"q": Number(5, "q"), "c": Number(1, "c"), "url": Url("tel:+1"), "bytes": b"12345"}
    runs = [Run("a", early), Run("b", late), Run("c", late | {PART: 1}), Run("d", {"q": Number(-5, "q")} | late)]
    stream = attributed_string(runs)
    assert stream.count(b"\x81") > 5  # in the header, then the class of the URL and the numbers' types, again and again
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


def test_shared_strings_past_number_237_are_referred_to_in_two_bytes() -> None:
    blobs: dict[str, Value] = {f"{size}": b"x" * size for size in range(1, 400)}  # each size is an encoding of its own
    runs = [Run("a", blobs), Run("b", {f"{size}": b"y" * size for size in range(399, 0, -1)})]
    stream = attributed_string(runs)
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


@pytest.mark.parametrize("objects", [107, 108, 109, 110, 111, 235, 236, 237, 238, 239, 240])
def test_the_number_of_a_late_class_is_right_on_both_sides_of_each_border(objects: int) -> None:
    filler: dict[str, Value] = {f"{number}": "" for number in range(objects // 2)}
    late: dict[str, Value] = {"u": Url("first"), "v": Url("second"), "n": Number(1, "q"), "m": Number(2, "q")}
    runs = [Run("x", filler | late)] if objects % 2 else [Run("x", filler), Run("y", {PART: 0}), Run("z", late)]
    stream = attributed_string(runs)
    found = read_attributed_string(stream)
    assert_all_of_it(found, runs)
    assert_judged_alike(stream, found)


def test_references_past_32767_are_in_four_bytes() -> None:
    filler: dict[str, Value] = {f"{number}": "" for number in range(17_000)}  # two objects each
    runs = [Run("x", filler | {"u": Url("first"), "v": Url("second"), "n": Number(1, "q"), "m": Number(2, "q")})]
    assert_all_of_it(read_attributed_string(attributed_string(runs)), runs)


def nested(writer: Writer, depth: int, leaf: str) -> None:
    """A dictionary in a dictionary, `depth` of them."""
    writer.object("NSDictionary")
    writer.shared("i")
    writer.integer(1)
    writer.string(f"level {depth}")
    if depth > 1:
        nested(writer, depth - 1, leaf)
    else:
        writer.string(leaf)
    writer.end()


@given(st.integers(1, DEEPEST), WORDS)
@settings(deadline=None, max_examples=60)
def test_dictionaries_in_dictionaries_are_read_to_the_bottom(depth: int, leaf: str) -> None:
    writer = Writer()
    nested(writer, depth, leaf)
    root = read(bytes(writer.out)).root
    assert isinstance(root, Object)
    found: Any = Unarchiver([], Expansion()).value(root)
    judged: Any = judge.unarchive_from_data(bytes(writer.out))
    for level in range(depth, 0, -1):
        assert list(found) == [f"level {level}"]
        ((key, inside),) = judged.contents.items()
        assert key.value == f"level {level}"
        found, judged = found[f"level {level}"], inside
    assert found == judged.value == leaf
