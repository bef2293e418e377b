"""The report as a whole: complete, the same every time, and nothing in it from evidence can run or load."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import UsageError
from bagtag.parsers.records import (
    Announcement,
    App,
    ChatName,
    ChatRef,
    ContactValue,
    Edit,
    Effect,
    Member,
    Part,
    Party,
    Range,
    Tapback,
    TapbackOnTarget,
    Target,
    Thread,
)
from bagtag.reports.html import report
from bagtag.reports.html.view import CaseFacts, DeviceFacts, SecondReadingTotals

Make = Callable[..., Any]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
HOSTILE = "\"'><script>window.ran=1</script><img src=x onerror=window.ran=1>\u202e{{7*7}}&amp;\x1b]0;\n"
SCRIPT = "javascript:window.ran=1"
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """A page as a parser sees it: its tags and attributes, and whether every tag is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} closed in the wrong place"

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def hostile_bag(bag: Any, message: Make, chat: Make, attachment: Make, issue: Make, trace: Make, contact: Make) -> Any:
    """Every text field that comes from evidence or from the examiner tries to leave its place."""
    at = "2024-03-01T12:00:00.000000000Z"
    party = Party(role="other", handle=HOSTILE, handle_rowid=1, names=[HOSTILE, HOSTILE])
    reference = ChatRef(rowid=1, guid=HOSTILE, identifier=HOSTILE, service=HOSTILE, name=HOSTILE, is_group=True)
    common = {"chats": [reference], "sender": party, "service": HOSTILE}
    bag.put(
        "messages",
        message(
            1, HOSTILE, **common, id=HOSTILE, guid=HOSTILE, subject=HOSTILE, raw={"date": HOSTILE, "error": HOSTILE},
            notes=[HOSTILE], effect=Effect(kind="unknown", raw=HOSTILE), direction="outgoing",
            app=App(bundle_id=HOSTILE, kind="url", title=HOSTILE, url=SCRIPT, details={HOSTILE: HOSTILE}),
            edits=[Edit(part=0, text=HOSTILE, at=at, raw_at=HOSTILE, original=True)],
            tapbacks=[TapbackOnTarget(guid=HOSTILE, rowid=2, sender=party, kind="emoji", emoji=HOSTILE, at=at)],
            parts=[Part(index=0, kind="text", text=HOSTILE, ranges=[
                Range(start=0, length=3, link=SCRIPT, mention=HOSTILE, effect=HOSTILE, style=["bold"])])],
            attachments=[attachment(f"HomeDomain/{'%s'}.png" % HOSTILE.replace("/", "_"), name=HOSTILE, mime=HOSTILE,
                                    uti=HOSTILE, sha256=HOSTILE, guid=HOSTILE, filename_raw=HOSTILE),
                         attachment("HomeDomain/x.html", rowid=2, name=HOSTILE, status="damaged", reason=HOSTILE)],
        ),
        message(2, HOSTILE, **common, thread=Thread(originator_guid=HOSTILE)),
        message(3, HOSTILE, **common, thread=Thread(originator_guid=HOSTILE + "absent")),
        message(4, HOSTILE, **common, type="tapback", target=Target(guid=HOSTILE, found=True),
                tapback=Tapback(kind="emoji", emoji=HOSTILE)),
        message(5, None, **common, type="announcement",
                announcement=Announcement(kind="name-changed", actor=party, subject=party, text=HOSTILE)),
    )  # fmt: skip
    bag.put("chats", chat(1, guid=HOSTILE, identifier=HOSTILE, service=HOSTILE, name=HOSTILE, is_group=True,
                          names=[ChatName(name=HOSTILE, basis="announcement"), ChatName(name=None, basis="chat-row")],
                          members=[Member(handle=HOSTILE, names=[HOSTILE], basis="now")],
                          properties={HOSTILE: {HOSTILE: [HOSTILE]}}),
            chat(2, name=None, members=[Member(handle=HOSTILE, names=[], basis="now")]))  # fmt: skip
    bag.put("issues", issue(1, "lost", HOSTILE))
    bag.put("deletion_traces", trace(id=HOSTILE, guid=HOSTILE, path=HOSTILE, text=HOSTILE, explanations=[HOSTILE],
                                     neighbours=[{HOSTILE: HOSTILE}], chats=[{"name": HOSTILE}],
                                     dates=[HOSTILE]))  # fmt: skip
    bag.put("contacts", contact(display_name=HOSTILE, note=HOSTILE, phones=[],
                                emails=[ContactValue(rowid=1, label=HOSTILE, value=HOSTILE)],
                                others={HOSTILE: [ContactValue(rowid=2, label=HOSTILE, value=HOSTILE)]}))  # fmt: skip
    bag.list_files(
        {"file_id": HOSTILE, "domain": HOSTILE, "relative_path": HOSTILE, "outcome": HOSTILE, "findings": [HOSTILE]}
    )
    bag.change(
        case=CaseFacts(
            case=HOSTILE, item=HOSTILE, exhibit=HOSTILE, examiner=HOSTILE, agency=HOSTILE, authority=HOSTILE
        ),
        device=DeviceFacts(name=HOSTILE, model=HOSTILE, ios=HOSTILE, udid=HOSTILE, serial=HOSTILE, backup_at=HOSTILE),
        scope={HOSTILE: HOSTILE},
        second_reading=SecondReadingTotals(reason=HOSTILE, tool=HOSTILE, version=HOSTILE),
        version=HOSTILE,
    )
    report.write(bag.report, bag.view)
    return bag


def _pages(bag: Any) -> list[Path]:
    return sorted(bag.report.glob("*.html"))


def test_hostile_text_opens_no_tag_and_leaves_no_attribute_on_any_page(hostile_bag: Any) -> None:
    for path in _pages(hostile_bag):
        page = Page(path.read_text(encoding="utf-8"))
        for tag, attributes in page.tags:
            assert tag != "script" or attributes == {"src": "app.js", "defer": ""}, (path.name, tag, attributes)
            assert not [name for name in attributes if name.startswith("on") or name == "style"], (path.name, tag)
        assert "<script>window.ran=1</script>" in page.text, path.name
        assert "{{7*7}}" in page.text


def test_no_character_that_turns_or_hides_text_reaches_a_page(hostile_bag: Any) -> None:
    for path in _pages(hostile_bag):
        text = path.read_text(encoding="utf-8")
        assert "\u202e" not in text
        assert "\x1b" not in text
    chat = (hostile_bag.report / "chat-1.html").read_text(encoding="utf-8")
    assert '<span class="cp" title="right-to-left override">U+202E</span>' in chat


def test_every_address_on_every_page_is_a_file_of_the_bag(hostile_bag: Any) -> None:
    anchors = {
        path.name: {tag[1].get("id") for tag in Page(path.read_text(encoding="utf-8")).tags}
        for path in _pages(hostile_bag)
    }
    for path in _pages(hostile_bag):
        for tag, attributes in Page(path.read_text(encoding="utf-8")).tags:
            assert not set(attributes) & {"srcset", "action", "formaction", "data", "poster", "background", "ping"}
            for name in ("href", "src"):
                address = attributes.get(name)
                if address is None:
                    continue
                assert re.fullmatch(r"(\.\./files/[\w%./-]+)|([a-z0-9-]+\.(html|css|js))?(#[a-z0-9-]+)?", address), (
                    tag,
                    address,
                )
                file, _, anchor = address.partition("#")
                if file.endswith(".html") or not file:
                    assert not anchor or anchor in anchors[file or path.name], (path.name, address)


def test_every_page_bears_the_policy_that_forbids_everything_from_elsewhere(hostile_bag: Any) -> None:
    for path in _pages(hostile_bag):
        policies = [
            attributes["content"]
            for tag, attributes in Page(path.read_text(encoding="utf-8")).tags
            if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policies == [POLICY], path.name


def test_every_page_names_the_zone_and_links_the_overview(bag: Any, message: Make) -> None:
    bag.put("messages", message(1))
    report.write(bag.report, bag.view, tz="America/New_York")
    for path in _pages(bag):
        text = path.read_text(encoding="utf-8")
        assert "All times: <strong>America/New_York</strong>" in text
        assert 'href="index.html"' in text


def test_the_same_bundle_gives_the_same_bytes_wherever_it_is_written(
    new_bag: Make, message: Make, chat: Make, issue: Make, contact: Make
) -> None:
    written = []
    for folder in ("one", "another"):
        bag = new_bag(folder)
        bag.put("messages", *(message(rowid, thread=Thread(originator_guid="GUID-1")) for rowid in range(1, 40)))
        bag.put("chats", chat(1), chat(2))
        bag.put("issues", issue(1), issue(2, "note"))
        bag.put("contacts", contact())
        paths = report.write(bag.report, bag.view)
        assert paths == sorted(bag.report.iterdir())
        written.append({path.name: path.read_bytes() for path in paths})
    assert written[0] == written[1]


def test_a_bag_without_any_record_has_every_page(bag: Any) -> None:
    done: list[float] = []
    names = {path.name for path in report.write(bag.report, bag.view, progress=done.append)}
    assert names == {
        "index.html", "issues.html", "files.html", "deletion-traces.html", "contacts.html", "drafts.html",
        "settings.html", "about.html", "style.css", "app.js",
    }  # fmt: skip
    for path in _pages(bag):
        Page(path.read_text(encoding="utf-8"))


def test_the_first_page_bears_examination_device_scope_and_totals(bag: Any) -> None:
    bag.change(scope={"scope": "messages", "from": "2024-01-01"}, left_out={"message": 1234})
    report.write(bag.report, bag.view)
    text = Page((bag.report / "index.html").read_text(encoding="utf-8")).text
    for words in (
        "logical data from a backup", "2024-17", "R. Roe", "iPhone16,2", "2025-06-12 18:04:07 UTC", "2024-01-01",
        "1,234", "iphone-backup-decrypt 0.11.2", "ef" * 32, "agrees",
    ):  # fmt: skip
        assert words in text, words


def test_a_table_whose_rows_do_not_add_up_is_said_to_differ(bag: Any) -> None:
    short = bag.view.reconciliation[0]
    short.rows = 5
    report.write(bag.report, bag.view)
    assert "<strong>differs by 2</strong>" in (bag.report / "index.html").read_text(encoding="utf-8")


def test_progress_reaches_one(bag: Any, message: Make) -> None:
    bag.put("messages", message(1), message(2, chats=[]))
    done: list[float] = []
    report.write(bag.report, bag.view, progress=done.append)
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_an_unknown_zone_is_refused_before_anything_is_written(bag: Any) -> None:
    with pytest.raises(UsageError):
        report.write(bag.report, bag.view, tz="Mars/Olympus")
    assert not bag.report.exists()
