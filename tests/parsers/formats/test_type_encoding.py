from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats.type_encoding import ArrayType, StructType, Type, split


@pytest.mark.parametrize(
    ("encoding", "types"),
    [
        ("@", ("@",)),
        ("iI", ("i", "I")),
        ("", ()),
        ("i!@", ("i", "@")),
        ("[12c]", (ArrayType(12, "c", 12),)),
        ("[0c]", (ArrayType(0, "c", 0),)),
        ("[2[3s]]", (ArrayType(2, ArrayType(3, "s", 3), 6),)),
        ("{_NSRange=QQ}", (StructType("_NSRange", ("Q", "Q"), 2),)),
        ("{?=f{a=i[2c]}}@", (StructType("?", ("f", StructType("a", ("i", ArrayType(2, "c", 2)), 3)), 4), "@")),
    ],
)
def test_an_encoding_is_split_with_its_brackets_counted(encoding: str, types: object) -> None:
    assert split(encoding) == types


@pytest.mark.parametrize(
    "encoding",
    [
        "[",
        "[3",
        "[c]",
        "[3c",
        "[3]",
        "[3cc]",
        "{a=i",
        "{a",
        "]",
        "}",
        "{a=i]",
        "[2c}",
        "(a=i)",
        "^i",
        "b3",
        "x",
        "é",
        "[٣c]",
    ],
)
def test_text_that_is_no_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(MalformedError):
        split(encoding)


@pytest.mark.parametrize("encoding", ["[9999999999!]", "{a=}", "[5{a=!}]", "i[0c]", "[9[0c]]", "{a=[0c]}"])
def test_a_type_that_takes_no_bytes_cannot_be_multiplied(encoding: str) -> None:
    with pytest.raises(MalformedError):
        split(encoding)


@pytest.mark.parametrize("encoding", ["[1" * 5000, "{a=" * 100 + "i" + "}" * 100, "[12345678901c]", "i" * 5000])
def test_nesting_counts_and_length_are_bounded(encoding: str) -> None:
    with pytest.raises(MalformedError):
        split(encoding)


@given(st.text("cis@+*[]{}=!0129a", max_size=60))
def test_any_text_is_an_encoding_or_malformed(encoding: str) -> None:
    try:
        written = "".join(map(rewritten, split(encoding)))
    except MalformedError as trouble:
        written = trouble.what
    else:
        assert written.count("[") == encoding.count("[")
    assert written or not encoding.strip("!")


def rewritten(of: Type) -> str:
    match of:
        case ArrayType(count, element, _):
            return f"[{count}{rewritten(element)}]"
        case StructType(name, members, _):
            return f"{{{name}={''.join(map(rewritten, members))}}}"
    return of
