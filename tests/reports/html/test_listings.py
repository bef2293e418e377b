"""Lists lead with the worst, count everything and lose nothing where they are cut into pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bagtag.extract.evidence import Provenance
from bagtag.parsers.companion_records import Draft, MessageSetting
from bagtag.reports.html import report
from bagtag.reports.html.page import PER_LIST

Make = Callable[..., Any]


def _page(bag: Any, name: str) -> str:
    text: str = (bag.report / name).read_text(encoding="utf-8")
    return text


def test_issues_are_listed_with_the_lost_ones_first(bag: Any, issue: Make) -> None:
    bag.put("issues", issue(1, "note"), issue(2, "partial"), issue(3, "lost"))
    report.write(bag.report, bag.view)
    page = _page(bag, "issues.html")
    assert page.index('id="issue-3"') < page.index('id="issue-2"') < page.index('id="issue-1"')


def test_damage_leads_the_first_page_and_links_to_the_issue(bag: Any, issue: Make) -> None:
    bag.put("issues", issue(1, "note", "only a note"), issue(2, "partial", "half a body"), issue(3, "lost", "a row"))
    report.write(bag.report, bag.view)
    index = _page(bag, "index.html")
    assert index.index("What could not be read") < index.index("What this is")
    assert 'href="issues.html#issue-3"' in index
    assert index.index("issue-3") < index.index("issue-2")
    assert "only a note" not in index


def test_without_lost_or_partial_issues_the_first_page_says_that_none_was_recorded(bag: Any, issue: Make) -> None:
    bag.put("issues", issue(1, "note"))
    report.write(bag.report, bag.view)
    assert "No issue with the effect “lost” or “partial” was recorded." in _page(bag, "index.html")


def test_an_issue_about_a_message_row_links_to_that_message(bag: Any, issue: Make, message: Make) -> None:
    bag.put("messages", message(7))
    bag.put("issues", issue(1, "partial", rowid=7), issue(2, "partial", rowid=8))
    report.write(bag.report, bag.view)
    page = _page(bag, "issues.html")
    assert page.count("show the message") == 1
    assert 'href="chat-1.html#m7"' in page


def test_a_long_list_of_issues_is_cut_and_every_issue_is_on_one_page(bag: Any, issue: Make) -> None:
    bag.put("issues", *(issue(number, "note") for number in range(1, PER_LIST + 3)))
    report.write(bag.report, bag.view)
    first, second = _page(bag, "issues.html"), _page(bag, "issues-2.html")
    assert first.count('<article id="issue-') == PER_LIST
    assert second.count('<article id="issue-') == 2
    assert '<link rel="next" href="issues-2.html">' in first


def _row(outcome: str, **fields: Any) -> dict[str, Any]:
    return {"file_id": "ab" * 20, "domain": "HomeDomain", "relative_path": f"{outcome}.bin", "outcome": outcome,
            "findings": [], **fields}  # fmt: skip


def test_files_are_counted_by_outcome_and_the_lost_ones_named(bag: Any) -> None:
    bag.list_files(
        _row("ok", plain={"size": 1200, "sha256": "cd" * 32}, findings=["size-mismatch"]),
        _row("directory"),
        _row("missing"),
        _row("truncated", findings=["digest-mismatch"], stored={"path": "ab/x", "size": 15, "sha256": "ef" * 32}),
        {"file_id": "cd" * 20, "outcome": "out-of-scope"},
    )
    report.write(bag.report, bag.view)
    page, index = _page(bag, "files.html"), _page(bag, "index.html")
    for outcome in ("ok", "directory", "missing", "truncated", "out-of-scope"):
        assert f'<tr><th scope="row">{outcome}</th><td class="n">1</td>' in page
        assert f'<tr><th scope="row">{outcome}</th><td class="n">1</td>' in index
    assert "1,200" in page
    assert "HomeDomain-missing.bin" in page
    assert "ef" * 32 in page
    assert "HomeDomain-ok.bin" not in page
    assert '<th scope="row">files of the backup</th><td class="n">1</td>' in index


def test_a_whole_file_that_contradicts_the_index_is_listed_too(bag: Any) -> None:
    bag.list_files(_row("ok", findings=["path-mismatch"]), _row("new-outcome"))
    report.write(bag.report, bag.view)
    page = _page(bag, "files.html")
    assert "HomeDomain-ok.bin" in page
    assert "HomeDomain-new-outcome.bin" in page


def test_a_gap_is_shown_with_every_explanation(bag: Any, trace: Make) -> None:
    bag.put("deletion_traces", trace(neighbours=[{"rowid": 3}], dates=["2024-03-01T12:00:00.000000000Z"]))
    report.write(bag.report, bag.view)
    page = _page(bag, "deletion-traces.html")
    for words in (
        "4–6",
        "rows were deleted",
        "numbers were never used",
        "2024-03-01 12:00:00 UTC",
        "<dt>rowid</dt><dd>3</dd>",
    ):
        assert words in page


def test_a_contact_shows_its_numbers_as_typed_with_their_labels(bag: Any, contact: Make) -> None:
    bag.put("contacts", contact(note="first\nsecond"))
    report.write(bag.report, bag.view)
    page = _page(bag, "contacts.html")
    assert "<dt>telephone (mobile)</dt>" in page
    assert "+1 (555) 123-4567" in page
    assert "first\nsecond" in page


def test_a_draft_shows_its_words_as_text_and_its_conversation(bag: Any) -> None:
    where = Provenance(file_id="ab" * 20, domain="HomeDomain", relative_path="Library/SMS/Drafts/x/composition.plist",
                       sha256="cd" * 32)  # fmt: skip
    bag.put("drafts", Draft(id="draft/abababab/composition.plist/0", folder="x", chat_identifier="+15551234567",
                            names=["Ann Lee"], text="not <b>sent</b>", modified_at="2024-03-01T12:00:00.000000000Z",
                            provenance=where))  # fmt: skip
    report.write(bag.report, bag.view)
    page = _page(bag, "drafts.html")
    assert "not &lt;b&gt;sent&lt;/b&gt;" in page
    assert "+15551234567 – Ann Lee" in page
    assert "2024-03-01" in page
    assert 'href="drafts.html">1 draft<' in _page(bag, "index.html")


def test_a_setting_shows_its_value_and_a_meaning_only_where_there_is_one(bag: Any) -> None:
    where = Provenance(file_id="ab" * 20, domain="HomeDomain", relative_path="Library/Preferences/x.plist", sha256=None)
    known = MessageSetting(
        id="s/1", setting="KeepMessageForDays", value=30, meaning="kept for 30 days", provenance=where
    )
    other = MessageSetting(id="s/2", setting="Odd", value={"a": [1, 2]}, provenance=where)
    bag.put("message_settings", known, other)
    report.write(bag.report, bag.view)
    page = _page(bag, "settings.html")
    assert "kept for 30 days" in page
    assert "value › a" in page
    assert page.count("<dt>meaning</dt>") == 1
