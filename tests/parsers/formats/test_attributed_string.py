from __future__ import annotations

from typing import Any

import pytest
import typedstream as judge
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.extract.formats.binary_plist import Date
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.attributed_string import AttributedString, Run, read_attributed_string, salvage
from bagtag.parsers.formats.foundation import Range, Unknown, Url

PART = "__kIMMessagePartAttributeName"
OBJECT = ((b"NSObject", 0),)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_the_published_vector_is_hi_with_one_part(body_of_hi: bytes) -> None:
    assert read_attributed_string(body_of_hi) == AttributedString("Hi", [Run(0, 2, 0, 2, {PART: 0})], [])


def test_an_empty_body_has_no_runs_and_is_not_odd(new_stream: Any) -> None:
    body = new_stream().attributed("", [], mutable=False)
    assert len(body) == 76  # the form seen for messages that were unsent as a whole
    assert read_attributed_string(body) == AttributedString("", [], [])


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536])
@pytest.mark.parametrize("letter", ["a", "ü", "😀"])
def test_text_of_every_length_form_has_its_run_as_long_as_itself(new_stream: Any, length: int, letter: str) -> None:
    text = letter * length
    runs = [(1, units(text), {PART: 0})] if text else []
    body = new_stream().attributed(text, runs)
    read = read_attributed_string(body)
    assert read.text == text
    assert read.warnings == []
    assert [(run.start, run.length, run.length16) for run in read.runs] == [(0, length, units(text))] * bool(text)
    assert judge.unarchive_from_data(body).contents[0].values[0].value == text


def test_runs_use_a_dictionary_seen_before_without_repeating_it(new_stream: Any) -> None:
    body = new_stream().attributed(
        "one two three", [(1, 4, {PART: 0}), (2, 4, {PART: 1, "bold": 1}), (1, 3, None), (2, 2, None)]
    )
    read = read_attributed_string(body)
    assert read.warnings == []
    assert [(read.text[run.start : run.start + run.length], run.attributes) for run in read.runs] == [
        ("one ", {PART: 0}),
        ("two ", {PART: 1, "bold": 1}),
        ("thr", {PART: 0}),
        ("ee", {PART: 1, "bold": 1}),
    ]


def test_runs_count_utf16_units_and_give_code_points(new_stream: Any) -> None:
    text = "👩‍👩‍👧 e\u0301 \ufffc 🇩🇪!"
    cuts = ["👩‍👩‍👧", " e\u0301 ", "\ufffc", " 🇩🇪", "!"]
    body = new_stream().attributed(text, [(at + 1, units(cut), {PART: at}) for at, cut in enumerate(cuts)])
    read = read_attributed_string(body)
    assert read.warnings == []
    assert [read.text[run.start : run.start + run.length] for run in read.runs] == cuts
    assert [(run.start16, run.length16) for run in read.runs] == [(0, 8), (8, 4), (12, 1), (13, 5), (18, 1)]


def test_a_run_that_ends_inside_an_emoji_takes_it_whole_with_a_warning(new_stream: Any) -> None:
    body = new_stream().attributed("a😀b", [(1, 2, {PART: 0}), (2, 2, {PART: 1})])
    read = read_attributed_string(body)
    assert read.warnings == ["a run ends inside a surrogate pair (UTF-16 unit 2)"]
    assert [(run.start16, run.length16, run.start, run.length) for run in read.runs] == [(0, 2, 0, 2), (2, 2, 2, 1)]


@pytest.mark.parametrize(("first", "second", "covered"), [(1, 1, 2), (3, 9, 12), (0, 0, 0)])
def test_runs_that_do_not_cover_the_text_are_a_warning(new_stream: Any, first: int, second: int, covered: int) -> None:
    read = read_attributed_string(new_stream().attributed("hello", [(1, first, {}), (1, second, None)]))
    assert read.warnings == [f"runs cover {covered} of 5 UTF-16 units"]
    assert [run.length16 for run in read.runs] == [first, second]
    assert all(0 <= run.start <= run.start + run.length <= 5 for run in read.runs)


def test_text_without_runs_is_a_warning(new_stream: Any) -> None:
    read = read_attributed_string(new_stream().attributed("hello", []))
    assert (read.text, read.warnings) == ("hello", ["runs cover 0 of 5 UTF-16 units"])


def test_a_dictionary_that_is_missing_or_out_of_turn_is_a_warning(new_stream: Any) -> None:
    read = read_attributed_string(new_stream().attributed("hello", [(1, 2, None), (7, 3, {PART: 4})]))
    assert read.text == "hello"
    assert [run.attributes for run in read.runs] == [{}, {PART: 4}]
    assert len(read.warnings) == 2


def test_a_lone_surrogate_stays_one_and_a_split_pair_becomes_its_emoji(new_stream: Any) -> None:
    lone = read_attributed_string(new_stream().attributed("ok \ud83d", [(1, 4, {PART: 0})]))
    assert lone.text == "ok \ud83d"
    assert (lone.runs[0].length, lone.runs[0].length16) == (4, 4)
    assert len(lone.warnings) == 1
    pair = read_attributed_string(new_stream().attributed(b"\xed\xa0\xbd\xed\xb8\x80", [(1, 2, {PART: 0})]))
    assert pair.text == "😀"
    assert (pair.runs[0].length, pair.runs[0].length16) == (1, 2)


def test_text_that_is_not_utf8_is_shown_with_marks_and_a_warning(new_stream: Any) -> None:
    read = read_attributed_string(new_stream().attributed(b"caf\xe9!", [(1, 5, {PART: 0})]))
    assert read.text == "caf\ufffd!"
    assert read.warnings == ["text is not UTF-8 at byte 3 of 5"]


def test_the_attributes_of_real_messages_become_plain_values(new_stream: Any) -> None:
    stream = new_stream()

    def one_range() -> int:
        number = stream.begin(((b"NSValue", 0), *OBJECT))
        stream.c_string(b"{_NSRange=QQ}")
        stream.shared(b"{_NSRange=QQ}")
        stream.raw(3, 4)
        stream.end()
        return int(number)

    def letters() -> int:
        number = stream.begin(((b"NSMutableSet", 0), (b"NSSet", 0), *OBJECT))
        stream.count(1, b"I")
        stream.string("x")
        stream.end()
        return int(number)

    body = stream.attributed(
        "x",
        [
            (
                1,
                1,
                {
                    PART: 0,
                    "__kIMFileTransferGUIDAttributeName": "at_0_4A",
                    "__kIMInlineMediaWidthAttributeName": lambda: stream.number(b"d", 12.5),
                    "__kIMBaseWritingDirectionAttributeName": lambda: stream.number(b"q", -1),
                    "__kIMLinkIsRichLinkAttributeName": lambda: stream.number(b"c", 1),
                    "__kIMLinkAttributeName": lambda: stream.url("tel:+15551234"),
                    "__kIMDataDetectedAttributeName": lambda: stream.data(b"bplist00\x00\xff"),
                    "__kIMMoneyAttributeName": b"",
                    "__kIMOneTimeCodeAttributeName": {"code": "123456", "displayCode": "123 456"},
                    "list": ["a", 1, [2.5, {"deep": "😀"}]],
                    "when": lambda: stream.date(700_000_000.25),
                    "range": one_range,
                    "set": letters,
                    "big": 1 << 40,
                },
            )
        ],
    )
    read = read_attributed_string(body)
    assert read.warnings == []
    assert read.runs[0].attributes == {
        PART: 0,
        "__kIMFileTransferGUIDAttributeName": "at_0_4A",
        "__kIMInlineMediaWidthAttributeName": 12.5,
        "__kIMBaseWritingDirectionAttributeName": -1,
        "__kIMLinkIsRichLinkAttributeName": 1,
        "__kIMLinkAttributeName": Url("tel:+15551234"),
        "__kIMDataDetectedAttributeName": b"bplist00\x00\xff",
        "__kIMMoneyAttributeName": b"",
        "__kIMOneTimeCodeAttributeName": {"code": "123456", "displayCode": "123 456"},
        "list": ["a", 1, [2.5, {"deep": "😀"}]],
        "when": Date(700_000_000.25),
        "range": Range(3, 4),
        "set": ["x"],
        "big": 1 << 40,
    }


def test_attributes_that_are_no_dictionary_of_strings_are_kept(new_stream: Any) -> None:
    numbered, listed = new_stream(), new_stream()
    read = read_attributed_string(numbered.attributed("x", [(1, 1, {5: "five"})]))
    assert read.runs[0].attributes == {"$attributes": {5: "five"}}
    assert len(read.warnings) == 1
    read = read_attributed_string(listed.attributed("x", [(1, 1, [1])]))
    assert read.runs[0].attributes == {"$attributes": [1]}


def test_a_plain_string_in_place_of_a_body_is_text_with_a_warning(new_stream: Any) -> None:
    stream = new_stream()
    stream.string("only text")
    assert read_attributed_string(bytes(stream)) == AttributedString(
        "only text", [], ["NSString instead of an attributed string"]
    )


def test_a_group_that_belongs_to_no_run_is_a_warning(new_stream: Any) -> None:
    stream = new_stream()
    stream.attributed("x", [(1, 1, {PART: 0})])
    del stream.out[-1]
    stream.count(9)
    stream.end()
    read = read_attributed_string(bytes(stream))
    assert (read.text, read.warnings) == ("x", ["a group of type 'i' belongs to no run"])


def test_a_stream_of_something_else_is_malformed(new_stream: Any) -> None:
    number, nothing, textless = new_stream(), new_stream(), new_stream()
    number.number(b"i", 5)
    nothing.shared(b"@")
    nothing.raw(0x85)
    textless.begin(((b"NSAttributedString", 0), *OBJECT))
    textless.number(b"i", 5)
    textless.end()
    for stream in (number, nothing, textless):
        with pytest.raises(MalformedError):
            read_attributed_string(bytes(stream))


def test_an_unknown_attribute_object_is_kept_whole(new_stream: Any) -> None:
    stream = new_stream()

    def secret() -> int:
        number = stream.begin(((b"XYZSecret", 7), *OBJECT))
        stream.shared(b"{pair=iC}")
        stream.raw(5, 200)
        stream.string("inside")
        stream.end()
        return int(number)

    read = read_attributed_string(stream.attributed("x", [(1, 1, {"secret": secret})]))
    assert read.runs[0].attributes["secret"] == Unknown(
        "XYZSecret", ("NSObject",), (("{pair=iC}", ((5, 200),)), ("@", ("inside",)))
    )


@given(
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9), st.integers(0, 3))),
    st.booleans(),
)
@settings(deadline=2000)
def test_any_runs_of_any_text_come_back(new_stream: Any, pieces: list[tuple[str, int]], mutable: bool) -> None:
    numbers: dict[int, int] = {}
    runs = []
    for piece, part in pieces:
        new = part not in numbers
        number = numbers.setdefault(part, len(numbers) + 1)
        runs.append((number, units(piece), {PART: part} if new else None))
    body = new_stream().attributed("".join(piece for piece, _ in pieces), runs, mutable)
    read = read_attributed_string(body)
    assert read.warnings == []
    assert [(read.text[run.start : run.start + run.length], run.attributes[PART]) for run in read.runs] == pieces


@given(st.data())
@settings(deadline=2000, max_examples=300)
def test_a_damaged_body_gives_text_or_is_malformed(new_stream: Any, data: st.DataObject) -> None:
    damaged = bytearray(
        new_stream().attributed("a😀b", [(1, 1, {PART: 0, "x": [b"1", {"k": 2.5}]}), (2, 3, {PART: 1})])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))])
    try:
        text = read_attributed_string(cut).text
    except MalformedError as trouble:
        text = trouble.what
    assert isinstance(text, str)
    assert salvage(cut) != ""


@pytest.mark.parametrize("text", ["Hi", "a" * 127, "b" * 128, "c" * 40_000, "d" * 70_000, "🆄 U+1F184 holds 86 84"])
def test_the_text_of_a_broken_body_is_salvaged(new_stream: Any, text: str) -> None:
    body = new_stream().attributed(text, [(1, units(text), {PART: 0})])
    broken = body[:-20] + b"\x90" * 5
    with pytest.raises(MalformedError):
        read_attributed_string(broken)
    assert salvage(broken) == text


def test_text_with_a_wrong_length_is_salvaged_up_to_the_end_of_its_object(new_stream: Any) -> None:
    body = new_stream().attributed("hello", [(1, 5, {PART: 0})])
    assert salvage(body.replace(b"+\x05hello", b"+\x63hello")) == "hello"


def test_text_cut_off_with_the_stream_is_salvaged_as_far_as_it_goes(new_stream: Any) -> None:
    body = new_stream().attributed("hello world", [(1, 11, {PART: 0})])
    assert salvage(body[: body.index(b"world")]) == "hello "


@pytest.mark.parametrize("data", [b"", b"no mark", b"\x01", b"\x01+", b"\x01+\x00", b"\x01+\x81", b"\x01+\x00\x86"])
def test_nothing_is_salvaged_where_nothing_is(data: bytes) -> None:
    assert salvage(data) is None
