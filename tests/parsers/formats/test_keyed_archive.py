from __future__ import annotations

import plistlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagtag.extract.formats.binary_plist import Date
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.foundation import Range, Unknown, Url
from bagtag.parsers.formats.keyed_archive import read

UID = plistlib.UID


def archive(*objects: Any, top: dict[str, Any] | None = None) -> bytes:
    """A keyed archive: `objects` follow `$null`, so the first has UID 1."""
    return plistlib.dumps(
        {
            "$archiver": "NSKeyedArchiver",
            "$version": 100000,
            "$top": {"root": UID(1)} if top is None else top,
            "$objects": ["$null", *objects],
        },
        fmt=plistlib.FMT_BINARY,
        sort_keys=False,
    )


def a_class(*names: str) -> dict[str, Any]:
    return {"$classname": names[0], "$classes": [*names, "NSObject"]}


@pytest.mark.parametrize(
    ("members", "names", "value"),
    [
        ({"NS.string": "text"}, ["NSMutableString", "NSString"], "text"),
        ({"NS.data": b"\x00\xff"}, ["NSMutableData", "NSData"], b"\x00\xff"),
        ({"NS.time": 700_000_000.5}, ["NSDate"], Date(700_000_000.5)),
        ({"NS.time": 0}, ["NSDate"], Date(0.0)),
        ({"NS.base": UID(0), "NS.relative": "https://example.com/?q=1"}, ["NSURL"], Url("https://example.com/?q=1")),
        ({"NS.uuidbytes": bytes(range(16))}, ["NSUUID"], "00010203-0405-0607-0809-0A0B0C0D0E0F"),
        (
            {"NS.rangeval.location": 3, "NS.rangeval.length": 13, "NS.special": 4},
            ["NSConcreteValue", "NSValue"],
            Range(3, 13),
        ),
        ({"NS.objects": []}, ["NSArray"], []),
        ({"NS.objects": [UID(0)]}, ["NSMutableSet", "NSSet"], [None]),
        ({"NS.keys": [], "NS.objects": []}, ["NSMutableDictionary", "NSDictionary"], {}),
        ({}, ["NSNull"], None),
    ],
)
def test_each_foundation_class_becomes_its_plain_value(
    members: dict[str, Any], names: list[str], value: object
) -> None:
    assert read(archive({"$class": UID(2), **members}, a_class(*names))) == value


def test_a_dictionary_is_followed_through_its_references() -> None:
    data = archive(
        {"$class": UID(7), "NS.keys": [UID(2), UID(3)], "NS.objects": [UID(4), UID(5)]},
        "an",
        "userInfo",
        "Game",
        {"$class": UID(8), "NS.objects": [UID(6), UID(4), UID(0)]},
        42,
        a_class("NSMutableDictionary", "NSDictionary"),
        a_class("NSArray"),
    )
    assert read(data) == {"an": "Game", "userInfo": [42, "Game", None]}


def test_a_range_may_hold_its_numbers_by_reference() -> None:
    data = archive(
        {"$class": UID(4), "NS.rangeval.location": UID(2), "NS.rangeval.length": UID(3)}, 0, 9, a_class("NSValue")
    )
    assert read(data) == Range(0, 9)


def test_a_relative_url_keeps_its_base() -> None:
    data = archive(
        {"$class": UID(3), "NS.base": UID(2), "NS.relative": "b"},
        {"$class": UID(3), "NS.base": UID(0), "NS.relative": "https://a/"},
        a_class("NSURL"),
    )
    assert read(data) == Url("b", "https://a/")


def test_a_base_that_is_relative_itself_is_not_flattened() -> None:
    data = archive(
        {"$class": UID(4), "NS.base": UID(2), "NS.relative": "c"},
        {"$class": UID(4), "NS.base": UID(3), "NS.relative": "b/"},
        {"$class": UID(4), "NS.base": UID(0), "NS.relative": "https://a/"},
        a_class("NSURL"),
    )
    assert read(data) == {"$class": "NSURL", "NS.base": Url("b/", "https://a/"), "NS.relative": "c"}


def test_an_unknown_class_is_a_mapping_with_its_name() -> None:
    data = archive(
        {"$class": UID(4), "title": UID(2), "count": 5, "URL": UID(3), "gone": UID(0)},
        "Headline",
        {"$class": UID(5), "NS.base": UID(0), "NS.relative": "https://a/"},
        a_class("LPLinkMetadata"),
        a_class("NSURL"),
    )
    assert read(data) == {
        "$class": "LPLinkMetadata",
        "title": "Headline",
        "count": 5,
        "URL": Url("https://a/"),
        "gone": None,
    }


def test_an_attributed_string_is_a_mapping_with_its_text_under_nsstring() -> None:
    data = archive(
        {"$class": UID(4), "NSString": UID(2), "NSAttributes": UID(3)},
        "Bonjour",
        {"$class": UID(5), "NS.keys": [], "NS.objects": []},
        a_class("NSAttributedString"),
        a_class("NSDictionary"),
    )
    assert read(data) == {"$class": "NSAttributedString", "NSString": "Bonjour", "NSAttributes": {}}


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("NSURL", {"NS.relative": 5}),
        ("NSUUID", {"NS.uuidbytes": b"short"}),
        ("NSDictionary", {"NS.keys": ["a"], "NS.objects": []}),
        ("NSDictionary", {"NS.keys": ["a", "a"], "NS.objects": [1, 2]}),
        ("NSDictionary", {"NS.keys": [1.5], "NS.objects": [1]}),
        ("NSArray", {"NS.object.0": 1}),
        ("NSValue", {"NS.sizeval": "{1, 2}", "NS.special": 2}),
        ("NSString", {"NS.bytes": b"abc"}),
        ("NSData", {}),
        ("NSDate", {"NS.time": "now"}),
    ],
)
def test_an_object_whose_keys_are_not_those_of_its_class_is_kept_whole(name: str, members: dict[str, Any]) -> None:
    assert read(archive({"$class": UID(2), **members}, a_class(name))) == {"$class": name, **members}


def test_the_entry_is_root_or_the_only_key_or_all_keys() -> None:
    assert read(archive("a", "b", top={"other": UID(1), "root": UID(2)})) == "b"
    assert read(archive("detected", top={"dd-result": UID(1)})) == "detected"
    assert read(archive("a", "b", top={"x": UID(1), "y": UID(2), "version": 3})) == {"x": "a", "y": "b", "version": 3}


def test_the_text_null_is_nothing_only_at_its_place() -> None:
    data = archive({"$class": UID(3), "NS.objects": [UID(0), UID(2)]}, "$null", a_class("NSArray"))
    assert read(data) == [None, "$null"]


def test_an_object_inside_itself_is_marked_and_the_rest_is_kept() -> None:
    data = archive(
        {"$class": UID(3), "parent": UID(2), "name": "child"},
        {"$class": UID(3), "child": UID(1), "name": "parent"},
        a_class("Node"),
    )
    assert read(data) == {
        "$class": "Node",
        "name": "child",
        "parent": {"$class": "Node", "name": "parent", "child": Unknown("Node", note="contains itself")},
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x04\x0bstreamtyped",
        plistlib.dumps({"a": 1}, fmt=plistlib.FMT_BINARY),
        plistlib.dumps([1], fmt=plistlib.FMT_BINARY),
        plistlib.dumps({"$objects": [], "$top": {"root": UID(1)}}, fmt=plistlib.FMT_BINARY),
        plistlib.dumps({"$objects": {}, "$top": {"root": UID(1)}}, fmt=plistlib.FMT_BINARY),
        archive(top={}),
        archive("a", top={"root": UID(2)}),
        archive({"$class": UID(9)}),
        archive({"$class": UID(2)}, "no class"),
        archive({"$class": UID(2)}, {"$classname": 5}),
        archive({"$class": UID(2), "x": UID(4_000_000_000)}, a_class("Any")),
    ],
)
def test_what_is_no_whole_keyed_archive_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


def test_references_that_nest_without_end_are_refused() -> None:
    links = [{"$class": UID(1001), "next": UID(each + 2)} for each in range(999)]
    with pytest.raises(MalformedError, match="nest"):
        read(archive(*links, "end", a_class("Link")))


def test_references_that_double_at_each_level_are_refused_in_time() -> None:
    pairs = [{"$class": UID(52), "NS.objects": [UID(each + 2), UID(each + 2)]} for each in range(50)]
    started = time.perf_counter()
    with pytest.raises(MalformedError, match="values"):
        read(archive(*pairs, "end", a_class("NSArray")))
    assert time.perf_counter() - started < 5


def test_a_reference_to_a_reference_in_a_circle_ends() -> None:
    assert read(archive(UID(2), UID(1))) == Unknown("", note="contains itself")


REFERENCES = st.builds(UID, st.integers(0, 8))
MEMBERS = st.dictionaries(
    st.sampled_from(["$class", "NS.keys", "NS.objects", "NS.string", "NS.time", "NS.relative", "NS.base", "x"]),
    REFERENCES | st.integers(0, 9) | st.text("ab", max_size=2) | st.lists(REFERENCES, max_size=4),
)
CLASSES = st.sampled_from(["NSArray", "NSDictionary", "NSString", "NSURL", "NSDate", "Other"]).map(a_class)


@given(st.lists(MEMBERS | CLASSES | REFERENCES | st.text("ab", max_size=2), min_size=1, max_size=8))
@settings(deadline=2000)
def test_any_tangle_of_objects_is_read_or_malformed(objects: list[Any]) -> None:
    try:
        outcome = repr(read(archive(*objects)))
    except MalformedError as trouble:
        outcome = trouble.what
    assert outcome
