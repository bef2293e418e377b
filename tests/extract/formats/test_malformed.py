from __future__ import annotations

from bagtag.extract.formats.malformed import MalformedError, warn


def test_the_error_says_what_and_where() -> None:
    assert str(MalformedError("no header")) == "no header"
    trouble = MalformedError("no header", 0)
    assert (str(trouble), trouble.what, trouble.offset) == ("no header (at byte 0)", "no header", 0)
    assert isinstance(trouble, ValueError)


def test_a_warning_is_given_once_and_the_list_is_bounded() -> None:
    warnings: list[str] = []
    for _ in range(3):
        for each in range(60):
            warn(warnings, f"odd thing {each}")
    assert warnings[:50] == [f"odd thing {each}" for each in range(50)]
    assert warnings[50:] == ["further warnings of this value are left out"]
