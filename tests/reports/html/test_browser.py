"""A real browser opens the report from disk: it reads, shows and stays silent, and hostile text does not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagtag.parsers.records import App, Message
from bagtag.reports.html import report

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.program("chromium")
ATTACK = "<script>window.ran=1</script><img src=x onerror='window.ran=1'><a href='javascript:window.ran=1'>x</a>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # A root user, as in a container, has to do without Chromium's sandbox.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, bag: Any, message: Callable[..., Message], attachment: Callable[..., Any]) -> Iterator[Any]:
    """A function that opens a page; everything the browser complains of ends the test."""
    path = "HomeDomain/Library/SMS/Attachments/ab/IMG 1 #ä%.png"
    bag.file(path)
    bag.put(
        "messages",
        message(1, f"first {ATTACK}"),
        message(2, "with a picture", attachments=[attachment(path)],
                app=App(bundle_id=ATTACK, kind="url", title=ATTACK)),
        message(3, "last", direction="outgoing", chats=[]),
    )  # fmt: skip
    report.write(bag.report, bag.view)
    complaints: list[str] = []
    tab = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="light")
    tab.on("console", lambda said: complaints.append(said.text))
    tab.on("pageerror", lambda trouble: complaints.append(str(trouble)))
    tab.on("requestfailed", lambda request: complaints.append(request.url))

    def open_page(name: str) -> Any:
        tab.goto((bag.report / name).as_uri())
        return tab

    yield open_page
    tab.close()
    assert complaints == []


def test_every_page_opens_without_a_complaint_and_fits_a_narrow_screen(opened: Any, bag: Any) -> None:
    for path in sorted(Path(bag.report).glob("*.html")):
        tab = opened(path.name)
        assert tab.evaluate("() => document.documentElement.scrollWidth") <= 390, path.name


def test_hostile_text_is_read_and_does_not_run(opened: Any) -> None:
    tab = opened("chat-1.html")
    assert ATTACK in tab.inner_text("#m1 .text")
    assert tab.evaluate("() => window.ran") is None


def test_a_picture_of_the_bag_is_drawn_whatever_its_name(opened: Any) -> None:
    tab = opened("chat-1.html")
    tab.locator("#m2 img").scroll_into_view_if_needed()
    tab.wait_for_function("() => document.querySelector('#m2 img').complete")
    assert tab.evaluate("() => document.querySelector('#m2 img').naturalWidth") == 1


def test_the_provenance_opens_with_the_keyboard(opened: Any) -> None:
    tab = opened("chat-1.html")
    facts = tab.locator("#m1 details dl")
    assert not facts.is_visible()
    tab.locator("#m1 summary").focus()
    tab.keyboard.press("Enter")
    assert facts.is_visible()
    assert "message/3d0d7e5f/message/1" in facts.inner_text()


def test_the_filter_of_the_first_page_hides_other_conversations(opened: Any) -> None:
    tab = opened("index.html")
    tab.keyboard.press("/")
    tab.keyboard.type("no conversation")
    assert tab.inner_text("#filtered") == "1 of 2"
    assert tab.locator("#conversation-table tbody tr:visible").count() == 1


def test_the_colours_can_be_switched(opened: Any) -> None:
    tab = opened("index.html")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    before = tab.evaluate(paper)
    tab.click("button.theme")
    assert tab.evaluate(paper) != before


def test_own_and_other_messages_differ_in_print_without_colour(opened: Any, bag: Any) -> None:
    tab = opened("chat-none.html")
    tab.emulate_media(media="print")
    assert tab.inner_text("#m3 .direction") == "outgoing"
    assert tab.evaluate("() => getComputedStyle(document.querySelector('#m3')).borderTopWidth") == "2px"
    assert not tab.locator("button.theme").is_visible()
