from __future__ import annotations

import time
from typing import Any

import pytest

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.expansion import Expansion
from bagtag.parsers.formats.foundation import Unknown, Url
from bagtag.parsers.formats.typedstream import read
from bagtag.parsers.formats.unarchived import Unarchiver

OBJECT = ((b"NSObject", 0),)
ARRAY = ((b"NSArray", 0), *OBJECT)


def value_and_warnings(stream: Any) -> tuple[Any, list[str]]:
    archive = read(bytes(stream))
    assert archive.warnings == []
    return Unarchiver(archive.warnings, Expansion()).value(archive.root), archive.warnings


def test_an_array_inside_itself_is_marked_and_the_rest_is_kept(new_stream: Any) -> None:
    stream = new_stream()
    outer = stream.begin(ARRAY)
    stream.count(2)
    stream.string("before")
    stream.object_reference(outer)
    stream.end()
    value, warnings = value_and_warnings(stream)
    assert value == ["before", Unknown("NSArray", ("NSObject",), (), "contains itself")]
    assert warnings == ["NSArray contains itself"]


def test_an_object_used_twice_is_no_cycle(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(ARRAY)
    stream.count(2)
    inner = stream.value(["x"])
    stream.object_reference(inner)
    stream.end()
    assert value_and_warnings(stream) == ([["x"], ["x"]], [])


def test_references_that_double_at_each_level_are_refused_in_time(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(ARRAY)
    stream.count(50)
    below = stream.value(["x"])
    for _ in range(49):
        above = stream.begin(ARRAY)
        stream.count(2)
        stream.object_reference(below)
        stream.object_reference(below)
        stream.end()
        below = above
    stream.end()
    started = time.perf_counter()
    with pytest.raises(MalformedError, match="values"):
        value_and_warnings(stream)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("encoding", [b"@", b"{a={a={a={a={a={a={a={a={a=@}}}}}}}}}"])
def test_references_that_nest_without_end_are_refused(new_stream: Any, encoding: bytes) -> None:
    stream = new_stream()
    stream.begin(ARRAY)
    stream.count(5000)
    below = stream.value(["x"])
    for _ in range(4999):
        above = stream.begin(((b"Box", 0), *OBJECT))
        stream.shared(encoding)
        stream.refer(below)
        stream.end()
        below = above
    stream.end()
    with pytest.raises(MalformedError, match="nest"):
        value_and_warnings(stream)


@pytest.mark.parametrize(
    "name", [b"NSString", b"NSData", b"NSNumber", b"NSDate", b"NSURL", b"NSArray", b"NSSet", b"NSDictionary"]
)
def test_a_body_that_is_not_that_of_its_class_is_kept_whole_with_a_warning(new_stream: Any, name: bytes) -> None:
    chain = ((name, 0), (b"NSValue", 0), *OBJECT) if name == b"NSNumber" else ((name, 0), *OBJECT)
    stream = new_stream()
    stream.begin(chain)
    stream.count(77)
    stream.string("evidence")
    stream.end()
    value, warnings = value_and_warnings(stream)
    assert isinstance(value, Unknown)
    assert value.class_name == name.decode()
    assert value.groups == (("i", (77,)), ("@", ("evidence",)))
    assert value.note
    assert warnings == [f"{name.decode()}: {value.note}"]


def test_a_subclass_with_more_in_its_body_is_kept_whole(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(((b"XYZString", 0), (b"NSString", 1), *OBJECT))
    stream.byte_string(b"text")
    stream.count(5)
    stream.end()
    value, warnings = value_and_warnings(stream)
    assert value.groups == (("+", (b"text",)), ("i", (5,)))
    assert len(warnings) == 1


def test_an_array_with_more_than_its_members_is_kept_whole(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(((b"XYZArray", 0), *ARRAY))
    stream.count(1)
    stream.string("x")
    stream.count(5)
    stream.end()
    value, _ = value_and_warnings(stream)
    assert value.groups == (("i", (1,)), ("@", ("x",)), ("i", (5,)))


def test_a_dictionary_without_plain_form_is_kept_whole(new_stream: Any) -> None:
    doubled, by_list = new_stream(), new_stream()
    for stream, keys in ((doubled, ["a", "a"]), (by_list, [["a"], "b"])):
        stream.begin(((b"NSDictionary", 0), *OBJECT))
        stream.count(2)
        for at, key in enumerate(keys):
            stream.value(key)
            stream.value(at)
        stream.end()
    assert value_and_warnings(doubled)[0].groups[1:] == (("@", ("a",)), ("@", (0,)), ("@", ("a",)), ("@", (1,)))
    assert value_and_warnings(by_list)[0].groups[1] == ("@", (["a"],))


def test_a_relative_url_keeps_its_base(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(((b"NSURL", 0), *OBJECT))
    stream.shared(b"c")
    stream.raw(1)
    stream.url("https://example.com/a/")
    stream.string("b.html")
    stream.end()
    assert value_and_warnings(stream) == (Url("b.html", "https://example.com/a/"), [])


def test_a_base_that_is_relative_itself_is_not_flattened(new_stream: Any) -> None:
    stream = new_stream()
    for _ in range(2):
        stream.begin(((b"NSURL", 0), *OBJECT))
        stream.shared(b"c")
        stream.raw(1)
    stream.url("https://example.com/a/")
    for path in ("b/", "c.html"):
        stream.string(path)
        stream.end()
    value, warnings = value_and_warnings(stream)
    assert value.groups[1:] == (("@", (Url("b/", "https://example.com/a/"),)), ("@", ("c.html",)))
    assert len(warnings) == 1


def test_nil_inside_an_array_and_a_class_as_a_value_are_kept(new_stream: Any) -> None:
    stream = new_stream()
    stream.begin(ARRAY)
    stream.count(1)
    stream.shared(b"@")
    stream.raw(0x85)
    stream.end()
    assert value_and_warnings(stream) == ([None], [])
    stream = new_stream()
    stream.shared(b"#")
    stream.class_chain(((b"Child", 0), *OBJECT))
    assert value_and_warnings(stream) == (Unknown("Class", (), (("#", ("Child", "NSObject")),)), [])
