"""The examination from options and from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bagtag.custody.errors import UsageError
from bagtag.custody.examination import Examination, examination, read_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "case.toml"
    path.write_text(
        'case = "2024-0815"\nitem = "7"\nexaminer = "Ann Lee"\nnotes = "two\\nlines"\nsigner = "Lab"\n'
        'tsa = "https://tsa.example"\n',
        "utf-8",
    )
    return path


def test_options_alone_are_enough() -> None:
    made = examination({"case": "1", "item": " 7 ", "examiner": "Ann Lee", "agency": None, "exhibit": ""})
    assert made == Examination(case="1", item="7", examiner="Ann Lee")


def test_options_win_over_the_file_and_the_file_fills_what_they_leave_out(file: Path) -> None:
    made = examination({"item": "8", "agency": "Lab", "case": None}, read_file(file))
    assert made == Examination(case="2024-0815", item="8", examiner="Ann Lee", agency="Lab", notes="two\nlines")


def test_the_file_may_name_who_signs_and_stamps(file: Path) -> None:
    found = read_file(file)
    assert (found.signer, found.tsa) == ("Lab", "https://tsa.example")
    assert "signer" not in found.facts


@pytest.mark.parametrize("missing", ["case", "item", "examiner"])
def test_what_is_missing_is_named_with_an_example(missing: str) -> None:
    options = {"case": "1", "item": "7", "examiner": "Ann Lee"} | {missing: "  "}
    with pytest.raises(UsageError, match=f"--{missing}") as caught:
        examination(options)
    assert "--examination FILE.toml" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'case = "1"\nexamniner = "x"\ncourt = "y"\n', "unknown keys 'court', 'examniner'"),
        (b"case = 1\n", "case is no text"),
        (b"case = [\n", "is no TOML"),
        (b'case = "\xff"\n', "is no TOML"),
        (b'case = "a\\u001bb"\n', "cannot be printed"),
        (b'case = "a\\nb"\n', "cannot be printed"),
        (b'case = "' + b"x" * 5000 + b'"\n', "longer than"),
        (b"#" * (2 << 20), "larger than"),
    ],
)
def test_a_file_with_a_mistake_is_refused_and_the_mistake_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "case.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_file(path)


def test_a_file_that_is_not_there_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_file(tmp_path / "nowhere.toml")


def test_a_name_that_is_no_fact_is_refused() -> None:
    with pytest.raises(UsageError, match="court"):
        examination({"case": "1", "item": "7", "examiner": "x", "court": "y"})
