"""A translation is told with its part and its languages; what is none is reported, never dropped."""

from __future__ import annotations

from typing import Any

import pytest

from bagtag.parsers.messages.translations import translations
from bagtag.sample_backups.keyed_archive import Archive


def archived(parts: dict[Any, Any]) -> bytes:
    archive = Archive()
    made = {
        part: [{**each, "translatedText": archive.attributed(each["translatedText"])} for each in entries]
        for part, entries in parts.items()
    }
    return archive.stored(archive.dictionary(made))


def read(value: Any) -> tuple[list[dict[str, Any]], list[str]]:
    reports: list[str] = []
    return translations(value, reports.append), reports


def test_each_translation_has_its_part_words_and_languages_in_the_order_of_the_parts() -> None:
    def entry(words: str, language: str) -> dict[str, Any]:
        return {"translatedText": words, "translationLanguage": language, "sourceLanguage": "de"}

    stored = archived({10: [entry("later", "en")], 2: [entry("first", "en"), entry("erst", "nl")]})
    assert read(stored) == (
        [
            {"part": 2, "text": "first", "language": "en", "source_language": "de"},
            {"part": 2, "text": "erst", "language": "nl", "source_language": "de"},
            {"part": 10, "text": "later", "language": "en", "source_language": "de"},
        ],
        [],
    )


def test_keys_that_are_not_known_are_kept() -> None:
    found, _ = read({"0": [{"translatedText": "Hi", "engine": b"xyz"}]})
    assert found[0]["others"]["engine"]["size"] == 3
    assert (found[0]["part"], found[0]["text"], found[0]["language"]) == (0, "Hi", None)


@pytest.mark.parametrize("value", [b"bplist00 cut", b"", 5, [1], {0: 5}, {0: [None, "x"]}])
def test_what_is_no_translation_is_reported(value: Any) -> None:
    found, reports = read(value)
    assert found == []
    assert reports


def test_more_translations_than_anyone_makes_are_cut_and_counted() -> None:
    found, reports = read({0: [{"translatedText": "x"}] * 1001})
    assert len(found) == 1000
    assert reports == ["message_summary_info: 1001 translations, of which 1000 are shown"]
