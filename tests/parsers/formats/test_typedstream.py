from __future__ import annotations

import time
from typing import Any

import pytest
import typedstream as judge
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.archived_object import Class, Group, Object
from bagtag.parsers.formats.typedstream import Archive, read

NS_OBJECT = ((b"NSObject", 0),)


def plain_root(archive: Archive) -> Object:
    assert isinstance(archive.root, Object)
    return archive.root


def single(data: bytes) -> Any:
    """The only value of the only group of a stream without warnings."""
    archive = read(data)
    assert archive.warnings == []
    ((_, (value,)),) = archive.groups
    return value


def test_the_published_vector_reads_as_its_walk_through_says(body_of_hi: bytes) -> None:
    assert len(body_of_hi) == 225
    root = plain_root(read(body_of_hi))
    assert root.class_name == "NSMutableAttributedString"
    assert root.superclasses == (("NSAttributedString", 0), ("NSObject", 0))
    (string_type, (string,)), run, (_, (dictionary,)) = root.groups
    assert isinstance(string, Object)
    assert isinstance(dictionary, Object)
    assert string_type == "@"
    assert (string.kind.lineage, string.kind.version) == (("NSMutableString", "NSString", "NSObject"), 1)
    assert string.groups == [("+", (b"Hi",))]
    assert run == ("iI", (1, 2))
    count, (_, (key,)), (_, (number,)) = dictionary.groups
    assert isinstance(key, Object)
    assert isinstance(number, Object)
    assert count == ("i", (1,))
    assert (key.class_name, key.groups) == ("NSString", [("+", (b"__kIMMessagePartAttributeName",))])
    assert (number.kind.lineage, number.groups) == (("NSNumber", "NSValue", "NSObject"), [("*", ("i",)), ("i", (0,))])


@pytest.mark.parametrize(
    ("code", "written", "number"),
    [
        ("i", "00", 0),
        ("i", "7f", 127),
        ("i", "92", -110),
        ("i", "ff", -1),
        ("i", "81 80 00", 128),
        ("i", "81 ff ff", -1),
        ("I", "81 ff ff", 65535),
        ("I", "92", 146),
        ("I", "ff", 255),
        ("i", "82 00 00 00 80", -(1 << 31)),
        ("I", "82 00 00 00 80", 1 << 31),
        ("q", "87 00 00 00 00 00 00 00 80", -(1 << 63)),
        ("Q", "87 ff ff ff ff ff ff ff ff", (1 << 64) - 1),
        ("s", "81 00 80", -32768),
        ("S", "81 00 80", 32768),
        ("c", "80", -128),
        ("c", "85", -123),
        ("C", "84", 132),
        ("B", "01", 1),
        ("d", "05", 5.0),
        ("d", "ff", -1.0),
        ("d", "83 00 00 00 00 00 00 e0 3f", 0.5),
        ("f", "83 00 00 00 3f", 0.5),
        ("f", "81 e8 03", 1000.0),
        ("+", "85", None),
        ("+", "00", b""),
        ("@", "85", None),
        ("#", "85", None),
        ("*", "85", None),
        (":", "85", None),
        ("%", "84 02 68 69", "hi"),
        (":", "92", ":"),
        ("[3c]", "80 84 86", b"\x80\x84\x86"),
        ("[0C]", "", b""),
        ("[3s]", "01 81 00 01 ff", (1, 256, -1)),
        ("{_NSRange=QQ}", "02 81 80 00", (2, 128)),
        ("{a={b=c}[2C]d}", "80 85 86 04", ((-128,), b"\x85\x86", 4.0)),
    ],
)
def test_each_head_and_type_reads_as_the_rules_say(new_stream: Any, code: str, written: str, number: object) -> None:
    stream = new_stream()
    stream.shared(code.encode())
    stream.raw(bytes.fromhex(written))
    value = single(bytes(stream))
    assert value == number
    assert type(value) is type(number)


def test_a_skipped_type_has_no_value(new_stream: Any) -> None:
    stream = new_stream()
    stream.shared(b"i!C")
    stream.raw(1, 0x90)
    assert read(bytes(stream)).groups == [("i!C", (1, 0x90))]


@pytest.mark.parametrize("head", [0x80, 0x88, 0x89, 0x8F, 0x90, 0x91, 0x83, 0x84, 0x86])
def test_a_reserved_head_is_no_integer(new_stream: Any, head: int) -> None:
    stream = new_stream()
    stream.shared(b"i")
    stream.raw(head, bytes(8))
    with pytest.raises(MalformedError, match=f"head 0x{head:02x}") as caught:
        read(bytes(stream))
    assert caught.value.offset == len(bytes(stream)) - 9


def test_an_old_big_endian_stream_reads_the_same(new_stream: Any) -> None:
    values: dict[str, Any] = {"number": 70000, "long": "x" * 300, "half": 0.5, "short": -200}
    little, big = new_stream("little"), new_stream("big")
    little.value(values)
    big.value(values)
    assert bytes(big)[2:13] == b"typedstream"
    assert repr(read(bytes(big))) == repr(read(bytes(little)))
    assert bytes(big) != bytes(little)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 145, 146, 255, 256, 32767, 32768, 65535, 65536, 100_000])
def test_text_of_every_length_form_is_whole(new_stream: Any, length: int) -> None:
    stream = new_stream()
    stream.byte_string(b"a" * length)
    assert single(bytes(stream)) == b"a" * length


def test_lengths_seen_in_real_streams_read_as_such(new_stream: Any) -> None:
    for head, length in (("81 91 00", 145), ("81 9d 00", 157), ("81 37 09", 2359)):
        stream = new_stream()
        stream.shared(b"+")
        stream.raw(bytes.fromhex(head), b"x" * length)
        assert single(bytes(stream)) == b"x" * length


def test_a_long_length_in_one_byte_is_read_as_unsigned_with_a_warning(new_stream: Any) -> None:
    stream = new_stream()
    stream.shared(b"+")
    stream.raw(0x92, b"x" * 146)
    archive = read(bytes(stream))
    assert archive.root == b"x" * 146
    assert [warning for warning in archive.warnings if "146 in one byte" in warning] == archive.warnings != []


def test_the_warnings_of_one_stream_are_bounded(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(NS_OBJECT)
    for _ in range(1000):
        stream.shared(b"+")
        stream.raw(0x92, b"x" * 146)
    stream.end()
    warnings = read(bytes(stream)).warnings
    assert len(warnings) == 51
    assert warnings[-1] == "further warnings of this value are left out"


def test_references_beyond_237_go_through_two_bytes_in_both_tables(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(NS_OBJECT)
    for each in range(400):
        stream.c_string(b"text %d" % each)  # one shared string and one object each
    strings, first_object = dict(stream.strings), stream.objects - 400
    numbers = [0, 1, 107, 108, 109, 110, 111, 233, 234, 235, 236, 237, 238, 239, 399]
    for each in numbers:
        stream.shared(b"*")
        stream.refer(first_object + each)
        stream.shared(b"%")
        stream.refer(strings[b"text %d" % each])
    stream.end()
    assert first_object + 399 > 237
    assert strings[b"text 399"] > 237
    groups = plain_root(read(bytes(stream))).groups[400:]
    assert groups == [Group(code, (f"text {each}",)) for each in numbers for code in "*%"]
    seen = list(judge.stream.TypedStreamReader.from_data(bytes(stream)))
    judged = [event.number for event in seen if isinstance(event, judge.stream.ObjectReference)]
    assert judged == [first_object + each for each in numbers]


def test_a_reference_beyond_two_bytes_is_followed(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(NS_OBJECT)
    numbers = [stream.string(str(each)) for each in range(33_000)]
    stream.object_reference(numbers[-1])
    stream.end()
    assert numbers[-1] - 110 > 32767
    groups = plain_root(read(bytes(stream))).groups
    assert groups[-1].values[0] is groups[-2].values[0]


def test_an_object_takes_its_number_before_its_class(new_stream: Any) -> None:
    stream = new_stream()
    outer = stream.begin(((b"Outer", 3), *NS_OBJECT))
    stream.object_reference(outer)
    stream.shared(b"#")
    stream.refer(outer + 1)
    stream.end()
    root = plain_root(read(bytes(stream)))
    assert root.groups[0].values[0] is root
    assert root.groups[1].values[0] is root.kind
    assert (root.kind.name, root.kind.version) == ("Outer", 3)


def test_a_class_as_a_value_keeps_versions_and_parents(new_stream: Any) -> None:
    stream = new_stream()
    stream.shared(b"#")
    stream.class_chain(((b"Child", -2), (b"Parent", 300), *NS_OBJECT))
    child = single(bytes(stream))
    assert isinstance(child, Class)
    assert child.lineage == ("Child", "Parent", "NSObject")
    assert child.parent is not None
    assert (child.version, child.parent.version) == (-2, 300)


def test_an_unknown_class_is_kept_whole(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(((b"XYZSecret", 7), *NS_OBJECT))
    stream.shared(b"{pair=i[2c]}q")
    stream.raw(5, b"ab", 9)
    stream.string("inside")
    stream.end()
    root = plain_root(read(bytes(stream)))
    assert (root.class_name, root.kind.version, root.superclasses) == ("XYZSecret", 7, (("NSObject", 0),))
    assert root.groups[0] == ("{pair=i[2c]}q", ((5, b"ab"), 9))
    inside = root.groups[1].values[0]
    assert isinstance(inside, Object)
    assert inside.groups == [("+", (b"inside",))]


def test_a_name_that_is_not_ascii_stays_legible(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(((b"caf\xc3\xa9\xff", 0),))
    stream.end()
    assert plain_root(read(bytes(stream))).class_name == "café\\xff"


def test_bytes_after_the_object_are_a_warning(body_of_hi: bytes) -> None:
    archive = read(body_of_hi + b"\x00\x00junk")
    assert plain_root(archive).class_name == "NSMutableAttributedString"
    assert archive.warnings == ["6 bytes after the first group (at byte 225)"]


def test_a_second_group_is_kept_with_a_warning(new_stream: Any) -> None:
    stream = new_stream()
    stream.count(1)
    stream.count(2)
    archive = read(bytes(stream))
    assert archive.groups == [("i", (1,)), ("i", (2,))]
    assert len(archive.warnings) == 1


def test_another_system_version_is_a_warning(body_of_hi: bytes) -> None:
    assert read(body_of_hi.replace(b"\x81\xe8\x03", b"\x81\xe9\x03")).warnings == [
        "system version 1001 instead of 1000"
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x04",
        b"\x04\x0bstreamtyped",
        b"bplist00" + bytes(40),
        b"\x03\x0bstreamtyped\x81\xe8\x03\x84\x01i\x00",
        b"\x04\x0cstreamtyped\x81\xe8\x03\x84\x01i\x00",
        b"\x04\x0bstreamtypes\x81\xe8\x03\x84\x01i\x00",
        b"\x04\x0bstreamtyped\x81\xe8\x03",
        b"\x04\x0bstreamtyped\x81\xe8\x03\x85",
    ],
)
def test_a_stream_without_header_or_value_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("+", "05 61 62"),
        ("+", "82 ff ff ff 7f 61"),
        ("+", "87 ff ff ff ff ff ff ff ff"),
        ("+", "84"),
        ("[100c]", "61"),
        ("[9999999999c]", "61"),
        ("[9999999999@]", "85"),
        ("d", "83 00"),
        ("i", "82 00"),
        ("@", "93"),
        ("@", "00"),
        ("@", "81 00 80"),
        ("@", "84 85"),
        ("@", "84 84 85 00 85 86"),
        ("@", "84 84 84 01 41 00 85 85"),
        ("@", "84 84 84 01 41 00 93 86"),
        ("@", "84 84 84 01 41 00 92 86"),
        ("@", "84 84 84 01 41 00 85 92 93"),
        ("@", "86"),
        ("*", "84 85"),
        ("*", "84 94"),
        ("*", "92"),
        ("#", "84 84 01 41 00 92"),
        ("#", "86"),
        ("%", "93"),
        ("^i", "00"),
        ("x", "00"),
    ],
)
def test_a_broken_rule_is_malformed_with_the_place(new_stream: Any, code: str, written: str) -> None:
    stream = new_stream()
    stream.shared(code.encode())
    stream.raw(bytes.fromhex(written))
    with pytest.raises(MalformedError) as caught:
        read(bytes(stream))
    assert caught.value.offset is not None
    assert 15 < caught.value.offset <= len(bytes(stream))


def test_nesting_is_followed_to_128_and_refused_beyond(new_stream: Any) -> None:
    def nested(levels: int) -> bytes:
        stream = new_stream()
        for _ in range(levels):
            stream.begin(NS_OBJECT)
        for _ in range(levels):
            stream.end()
        return bytes(stream)

    assert plain_root(read(nested(128))).class_name == "NSObject"
    for levels in (129, 100_000):
        with pytest.raises(MalformedError, match="nested"):
            read(nested(levels))


def test_nesting_through_structs_counts_too(new_stream: Any) -> None:
    stream = new_stream()
    stream.shared(b"{a={a={a={a={a={a={a={a=@}}}}}}}}")
    for _ in range(100):
        stream.begin_value(NS_OBJECT)
        stream.shared(b"{a={a={a={a={a={a={a={a=@}}}}}}}}")
    with pytest.raises(MalformedError, match="nested"):
        read(bytes(stream))


def test_a_chain_of_ancestors_is_bounded(new_stream: Any) -> None:
    in_one_go, piecewise = new_stream(), new_stream()
    in_one_go.begin(tuple((b"C%d" % each, 0) for each in range(1000)))
    piecewise.begin(NS_OBJECT)
    for each in range(1000):
        piecewise.shared(b"#")
        piecewise.class_chain(tuple((b"C%d" % above, 0) for above in range(each, -1, -1)))
    for stream in (in_one_go, piecewise):
        with pytest.raises(MalformedError, match="ancestors"):
            read(bytes(stream))


def test_repeated_encodings_cannot_make_a_small_stream_slow(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(NS_OBJECT)
    stream.shared(b"!" * 4000)
    stream.raw(b"\x94" * 100_000)  # the same encoding again and again, one byte each
    stream.end()
    started = time.perf_counter()
    groups = plain_root(read(bytes(stream))).groups
    assert time.perf_counter() - started < 5
    assert len(groups) == 100_001
    assert not any(group.values for group in groups)


def test_every_truncation_of_a_body_is_malformed(body_of_hi: bytes) -> None:
    for end in range(len(body_of_hi)):
        with pytest.raises(MalformedError):
            read(body_of_hi[:end])


def assert_read_or_malformed(data: bytes) -> None:
    try:
        groups = read(data).groups
    except MalformedError as trouble:
        place = trouble.offset
    else:
        place = len(groups)
    assert place is not None
    assert 0 <= place <= len(data)


@given(st.binary(max_size=300))
@settings(deadline=2000)
def test_random_bytes_after_the_header_are_read_or_malformed(tail: bytes) -> None:
    assert_read_or_malformed(b"\x04\x0bstreamtyped\x81\xe8\x03" + tail)


@given(
    st.lists(st.sampled_from([0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x92, 0x93, 0x94, 1, 2, *b"@+*i#[{]}"]), max_size=200)
)
@settings(deadline=2000)
def test_random_heads_are_read_or_malformed(tail: list[int]) -> None:
    assert_read_or_malformed(b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@" + bytes(tail))


LEAVES = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.integers(-(1 << 31), (1 << 31) - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=40)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("abcé😀", max_size=5), inner, max_size=5),
    max_leaves=25,
)


def as_judged(value: Any) -> Any:
    """What pytypedstream made of an object, as nested tuples."""
    foundation = judge.types.foundation
    match value:
        case foundation.NSString():
            return ("NSString", value.value)
        case foundation.NSNumber():
            return ("NSNumber", value.type_encoding.decode(), value.value)
        case foundation.NSData():
            return ("NSData", value.data)
        case foundation.NSArray():
            return ("NSArray", [as_judged(each) for each in value.elements])
        case foundation.NSDictionary():
            return ("NSDictionary", [(as_judged(key), as_judged(each)) for key, each in value.contents.items()])
    raise AssertionError(value)


def as_read(value: Any) -> Any:
    """Our reading of the same object, in the same form."""
    assert isinstance(value, Object)
    match value.class_name, value.groups:
        case "NSString", [("+", (bytes() as raw,))]:
            return ("NSString", raw.decode())
        case "NSNumber", [("*", (code,)), (code_again, (number,))] if code == code_again:
            return ("NSNumber", code, number)
        case "NSData", [("i", (int() as length,)), (_, (bytes() as raw,))] if length == len(raw):
            return ("NSData", raw)
        case "NSArray", [("i", (count,)), *members] if count == len(members):
            return ("NSArray", [as_read(member.values[0]) for member in members])
        case "NSDictionary", [("i", (count,)), *members] if count == len(members) / 2:
            flat = [as_read(member.values[0]) for member in members]
            return ("NSDictionary", list(zip(flat[::2], flat[1::2], strict=True)))
    raise AssertionError(value)


@given(TREES, st.sampled_from(["little", "big"]))
@settings(deadline=2000)
def test_pytypedstream_reads_the_same_values(new_stream: Any, tree: Any, order: str) -> None:
    stream = new_stream(order)
    stream.value(tree)
    archive = read(bytes(stream))
    assert archive.warnings == []
    assert as_read(archive.root) == as_judged(judge.unarchive_from_data(bytes(stream)))


@given(TREES, st.data())
@settings(deadline=2000)
def test_a_damaged_stream_is_read_or_malformed(new_stream: Any, tree: Any, data: st.DataObject) -> None:
    stream = new_stream()
    stream.value(tree)
    damaged = bytearray(bytes(stream))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(13, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))]
    assert_read_or_malformed(bytes(damaged))
