"""A passphrase that was typed as one code point and given as two is still the passphrase; nothing is tried twice."""

from __future__ import annotations

from bagtag.extract.keys.passphrase_forms import AS_GIVEN, forms

COMPOSED, DECOMPOSED = "p\u00e4ss", "pa\u0308ss"


def test_plain_ascii_has_one_form() -> None:
    assert [(form.name, form.text) for form in forms("hunter2 ")] == [(AS_GIVEN, "hunter2 ")]


def test_what_was_given_comes_first_then_composed_then_decomposed() -> None:
    assert [form.text for form in forms(COMPOSED)] == [COMPOSED, DECOMPOSED]
    assert [form.text for form in forms(DECOMPOSED)] == [DECOMPOSED, COMPOSED]
    mixed = COMPOSED + DECOMPOSED
    assert [form.text for form in forms(mixed)] == [mixed, COMPOSED * 2, DECOMPOSED * 2]


def test_letters_that_no_form_changes_have_one_form() -> None:
    assert len(list(forms("пароль 密码"))) == 1


def test_a_carriage_return_is_tried_last_and_only_when_the_line_had_one() -> None:
    assert [form.text for form in forms("abc", carriage_return=True)] == ["abc", "abc\r"]
    assert [form.text for form in forms(COMPOSED, carriage_return=True)] == [COMPOSED, DECOMPOSED, COMPOSED + "\r"]


def test_the_key_is_derived_from_utf_8_and_from_other_bytes_as_they_are() -> None:
    assert next(forms(COMPOSED)).secret == bytes.fromhex("70c3a47373")
    assert next(forms(b"caf\xe9".decode("utf-8", "surrogateescape"))).secret == b"caf\xe9"


def test_a_form_does_not_show_its_text() -> None:
    assert "secret" not in repr(list(forms("secret\u00e4")))
