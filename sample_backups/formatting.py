"""Texts with more than words: styles, effects, mentions, links, what data detectors found, and awkward bodies.

Known from the attributes of real bodies (styles and text effects since iOS 18) and from expressive_send_style_id, which
names the bubble and screen effects since iOS 10.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from bagtag.sample_backups import detectors
from bagtag.sample_backups.body import BOLD, EFFECT, EFFECTS, ITALIC, LINK, MENTION, STRIKETHROUGH, UNDERLINE, Part
from bagtag.sample_backups.detectors import Detected
from bagtag.sample_backups.moments import SECOND
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, MIKA, WITH_ANN, WITH_MIKA
from bagtag.sample_backups.story import Story
from bagtag.sample_backups.typedstream import Number, Run, Url, Value

STYLED = ((BOLD, "bold"), (ITALIC, "slanted"), (UNDERLINE, "underlined"), (STRIKETHROUGH, "struck out"))
BUBBLE = "com.apple.MobileSMS.expressivesend."
SCREEN = "com.apple.messages.effect."
SENT_WITH: Sequence[tuple[str, str]] = (
    (f"{BUBBLE}impact", "slam"),
    (f"{BUBBLE}loud", "loud"),
    (f"{BUBBLE}gentle", "gentle"),
    (f"{BUBBLE}invisibleink", "invisible-ink"),
    (f"{SCREEN}CKConfettiEffect", "confetti"),
    (f"{SCREEN}CKEchoEffect", "echo"),
    (f"{SCREEN}CKFireworksEffect", "fireworks"),
    (f"{SCREEN}CKHappyBirthdayEffect", "balloons"),
    (f"{SCREEN}CKHeartEffect", "heart"),
    (f"{SCREEN}CKLasersEffect", "lasers"),
    (f"{SCREEN}CKShootingStarEffect", "shooting-star"),
    (f"{SCREEN}CKSparklesEffect", "celebration"),
    (f"{SCREEN}CKSpotlightEffect", "spotlight"),
    (f"{SCREEN}CKOfTomorrowEffect", "unknown"),
)
"""Apple's id and what a reader should call it; the last is none of Apple's."""

GUESTS = 40
"""Mentions in one body: their objects number past what one byte can refer to."""


def tell(story: Story) -> None:
    """Every formatting that this release has."""
    _effects(story)
    _links(story)
    for key, before, result in detectors.KINDS:
        _detected(story, key, before, detectors.detected(result, before=before), result)
    _code(story)
    if story.release >= (18, 0):
        _styles(story)
    if story.release >= (14, 0):
        _mentions(story)
    _half_a_pair(story)
    for length in (200, 40_000, 70_000):
        words = (f"{length} letters, " * (length // 10))[:length]
        story.feature(story.say(WITH_MIKA, MIKA, words, columns={"text": None}), f"length {length}")


def _effects(story: Story) -> None:
    for identifier, kind in SENT_WITH:
        story.feature(
            story.say(
                WITH_MIKA,
                None,
                f"Sent with {kind}",
                columns={
                    "expressive_send_style_id": identifier,
                    "time_expressive_send_played": story.clock // SECOND * SECOND,
                },
                truth={"effect": {"kind": kind, "raw": identifier}},
            ),
            f"effect {kind}",
        )


def _links(story: Story) -> None:
    for words, address in (
        ("example.com", "https://example.com/?a=1&b=2#top"),
        ("+1 202 555 0171", "tel:+12025550171"),
        ("ann.lee@example.com", "mailto:ann.lee@example.com"),
    ):
        story.feature(
            story.say(WITH_ANN, ANN, Part((Run("See "), Run(words, {LINK: Url(address)})))),
            f"link {address.partition(':')[0]}",
        )


def _detected(story: Story, key: str, before: str, blob: Detected, result: detectors.Result) -> None:
    said = story.say(
        WITH_ANN,
        ANN,
        Part((Run(before), Run(result.words, {key: blob}))),
        columns={"has_dd_results": 1},
        truth={
            "flags": {"has_dd_results": True},
            "details": {"data_detected": [{"part": 0, **detectors.told(result)}]},
        },
    )
    story.feature(said, f"detected {result.type}")


def _code(story: Story) -> None:
    code = {"code": "424242", "displayCode": "424 242"}
    said = story.say(WITH_ANN, ANN, Part((Run("Code: "), Run("424 242", {detectors.ONE_TIME_CODE: code}))))
    story.feature(said, "one-time code")


def _styles(story: Story) -> None:
    runs: list[Run] = []
    for key, words in STYLED:
        runs += [Run(words, {key: 1}), Run(", ")]
    runs.append(Run("all 😀", {key: 1 for key, _ in STYLED}))
    story.feature(story.say(GARDEN, ANN, Part(tuple(runs))), "styles")
    for code, name in EFFECTS.items():
        said = story.say(GARDEN, None, Part((Run("🎈 "), Run(name, {EFFECT: Number(code, "q")}))))
        story.feature(said, f"text effect {name}")


def _mentions(story: Story) -> None:
    said = story.say(
        GARDEN,
        BJORN,
        Part((Run("Ask "), Run("Ann", {MENTION: ANN.address}), Run(" or "), Run("Robin", {MENTION: "+12025550100"}))),
        columns={"has_unseen_mention": 1},
        truth={"flags": {"has_unseen_mention": True}},
    )
    story.feature(said, "mention")
    runs: list[Run] = []
    for number in range(GUESTS):
        attributes: dict[str, Value] = {MENTION: f"guest{number}@example.net", f"made up {number}": number}
        runs += [Run(f"Guest {number}", attributes), Run(", ")]
    runs += [
        Run("one", {LINK: Url("https://example.com/1")}),
        Run(" "),
        Run("two", {LINK: Url("https://example.com/2")}),
    ]
    story.feature(story.say(GARDEN, ANN, Part(tuple(runs))), "back references past 237")


def _half_a_pair(story: Story) -> None:
    words = "half \ud83d a face"
    own: dict[str, Any] = {"text": None}
    said = story.say(WITH_ANN, ANN, words, columns=own)
    blob = story.rows["message"][-1]["attributedBody"]
    story.feature(said, "lone surrogate", body={"source": "attributedBody", "sha256": hashlib.sha256(blob).hexdigest()})
