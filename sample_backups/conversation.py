"""What was said: every kind of message a reader has to understand, in conversations that hold together.

Written from the facts of Messages since iOS 17; who says what is invented.
"""

from __future__ import annotations

from bagtag.sample_backups import events, link_previews, medium
from bagtag.sample_backups.body import BOLD, ITALIC, LINK, MENTION, STRIKETHROUGH, UNDERLINE, Part
from bagtag.sample_backups.moments import SECOND, iso, nanoseconds
from bagtag.sample_backups.people import (
    ANN,
    ANN_SMS,
    BANK,
    BJORN,
    BJORN_RCS,
    CARPOOL,
    FROM_BANK,
    GARDEN,
    MIKA,
    STRANGER,
    WITH_ANN,
    WITH_ANN_SMS,
    WITH_BJORN_RCS,
    WITH_MIKA,
)
from bagtag.sample_backups.story import Said, Story
from bagtag.sample_backups.typedstream import Number, Run, Url

LANGUAGES = (
    "Schöne Grüße aus Köln – größer als gedacht",
    "Привет! Как дела? Встретимся в субботу.",
    "مرحبا، كيف حالك؟ نلتقي الساعة 5",
    "שלום, מה שלומך? ניפגש ב-5",
    "नमस्ते, कल क्षमा करना।",
    "สวัสดีครับ พรุ่งนี้เจอกันที่ไหน",
    "你好，明天见。",
    "こんにちは、明日の3時に会いましょう。",
    "안녕하세요, 내일 봐요!",
    "👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪 1️⃣ 🧑🏿‍🚀",
    "Zalgo: e\u0301\u0302\u0303 and a\u0300, NFD beside NFC: é",
    "zero\u200bwidth, \u202ertl override\u202c and a tab\tin it",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "=1+1&cmd|'/C calc'!A0 \"quoted\" <img src=x onerror=alert(2)>",
    "\x1b[2J\x1b[31mred\x1b[0m [bold]markup[/bold] \x07",
    "'; DROP TABLE message; -- {{7*7}} ${x} %s",
)
PARAGRAPH = "All work and no play makes a long message, and a long message makes a long line. "
LONG = "ü" * 70 + " more than a hundred and twenty-seven bytes"
VERY_LONG = PARAGRAPH * 420
"""34440 bytes, more than a signed 16-bit length holds."""


def tell(story: Story) -> None:
    """The living part of the story."""
    first = _with_ann(story)
    for scene in (_languages, _garden, _attachments, _other_services):
        story.next_day()
        scene(story)
    story.next_day()
    _after_effects(story, first)


def _with_ann(story: Story) -> Said:
    first = story.say(WITH_ANN, ANN, "Hello Robin, are you there?")
    answer = story.say(WITH_ANN, None, "Yes. What is it?")
    events.tapback(story, WITH_ANN, ANN, answer, 2000)
    events.tapback(story, WITH_ANN, None, first, 2003)
    events.reply(story, WITH_ANN, ANN, answer, "About the invoice: did you pay it?")
    events.reply(story, WITH_ANN, None, answer, "Not yet. I will on Friday.")
    story.say(WITH_ANN, ANN, "Unread so far", read=False)
    story.say(
        WITH_ANN,
        ANN,
        "The body says this",
        columns={"text": "The text column says that"},
        truth={"text_column": "The text column says that"},
    )
    story.say(WITH_ANN, None, "Only in the text column", columns={"text": "Only in the text column"} | NO_BODY)
    story.say(WITH_ANN, ANN, "With a subject", columns={"subject": "Invoice 2025-001"})
    return first


NO_BODY = {"attributedBody": None}


def _languages(story: Story) -> None:
    for number, words in enumerate((*LANGUAGES, *HOSTILE, LONG, VERY_LONG)):
        story.say(WITH_ANN, ANN if number % 2 else None, words)


def _garden(story: Story) -> None:
    events.announcement(story, GARDEN, ANN, "participant-added", item=1, subject=BJORN)
    events.announcement(story, GARDEN, None, "name-changed", item=2, title=GARDEN.name)
    plan = story.say(GARDEN, None, "Party on Saturday at three?")
    events.tapback(story, GARDEN, BJORN, plan, 2001)
    events.tapback(story, GARDEN, MIKA, plan, 2006, emoji="🎉")
    events.tapback(story, GARDEN, ANN, plan, 2000)
    story.say(
        GARDEN,
        ANN,
        Part(
            (
                Run("Robin", {MENTION: "+12025550100"}),
                Run(": "),
                Run("bold", {BOLD: 1}),
                Run(" 😀 "),
                Run("both", {BOLD: 1, ITALIC: 1}),
                Run(" and "),
                Run("under", {UNDERLINE: 1}),
                Run("gone", {STRIKETHROUGH: 1}),
                Run(" "),
                Run("big", {"__kIMTextEffectAttributeName": Number(5, "q")}),
                Run(" see "),
                Run("example.com/map", {LINK: Url("https://example.com/map?a=1&b=2")}),
            )
        ),
    )
    story.say(GARDEN, BJORN, "Ich bringe Kuchen mit 🍰")
    events.announcement(story, GARDEN, BJORN, "photo-changed", item=3, action=1)
    events.announcement(story, GARDEN, None, "participant-removed", item=1, action=1, subject=STRANGER)
    events.announcement(story, GARDEN, MIKA, "participant-left", item=3)
    events.edited(
        story, GARDEN, ANN, ["Bring foood for ten", "Bring food for ten", "Bring food for twelve, and plates"]
    )
    events.edited(story, GARDEN, None, ["See you at 3", "See you at 4"])
    events.part_unsent(story, GARDEN, ["First line. ", "Never mind this. ", "Last line."], 1)
    events.all_unsent(story, GARDEN, BJORN, 17)


def _attachments(story: Story) -> None:
    guid = story.guid()
    photo = story.attach(f"at_0_{guid}", medium.JPEG, "IMG_0001.JPG")
    shown = story.say(WITH_ANN, ANN, photo.part(), "The garden last year", guid=guid, attachments=[photo])
    events.tapback(story, WITH_ANN, None, shown, 2004, part=1)

    guid = story.guid()
    second = story.attach(f"at_2_{guid}", medium.PNG, "Plan & <b>sketch.png", is_outgoing=1)
    zeroth = story.attach(f"at_0_{guid}", medium.HEIC, "IMG_0002.HEIC", is_outgoing=1)
    story.say(
        GARDEN, None, zeroth.part(), "between two pictures", second.part(), guid=guid, attachments=[second, zeroth]
    )
    for kind, name in (
        (medium.MP4, "IMG_0003.MP4"),
        (medium.PDF, "Rechnung Nr. 1 – Ä.pdf"),
        (medium.VCARD, "Björn Köhler.vcf"),
    ):
        guid = story.guid()
        attached = story.attach(f"at_0_{guid}", kind, name)
        story.say(WITH_MIKA, MIKA, attached.part(), guid=guid, attachments=[attached])

    guid = story.guid()
    voice = story.attach(f"at_0_{guid}", medium.M4A, "Audio Message.m4a")
    played = story.clock + 300 * SECOND
    story.say(
        WITH_ANN,
        ANN,
        voice.part(IMAudioTranscription="See you on Saturday"),
        guid=guid,
        attachments=[voice],
        columns={"is_audio_message": 1, "is_expirable": 1, "expire_state": 1, "is_played": 1, "date_played": played},
    )
    for status, name in (
        ("purged", "IMG_0004.HEIC"),
        ("never-downloaded", "IMG_0005.HEIC"),
        ("missing-blob", "IMG_0006.HEIC"),
        ("not-in-manifest", "IMG_0007.HEIC"),
        ("outside-backup", "IMG_0008.HEIC"),
    ):
        guid = story.guid()
        attached = story.attach(f"at_0_{guid}", medium.HEIC, name, status=status)
        story.say(WITH_ANN, ANN, attached.part(), f"This picture: {status}", guid=guid, attachments=[attached])


def _other_services(story: Story) -> None:
    story.say(WITH_ANN_SMS, ANN_SMS, "No signal for iMessage here")
    story.say(WITH_ANN_SMS, None, "Then by SMS", columns={"was_downgraded": 1})
    story.say(FROM_BANK, BANK, "Your code is 123456. Never share it.", columns={"has_dd_results": 1})
    story.say(WITH_BJORN_RCS, BJORN_RCS, "Jetzt über RCS")
    story.say(WITH_BJORN_RCS, None, "Kommt an")
    story.say(CARPOOL, STRANGER, "Who drives?")
    story.say(CARPOOL, None, "I do")
    story.say(WITH_ANN_SMS, None, "This one failed", columns={"error": 22, "is_sent": 0})


def _after_effects(story: Story, first: Said) -> None:
    slam = "com.apple.MobileSMS.expressivesend.impact"
    story.say(
        WITH_ANN,
        None,
        "Happy birthday!",
        columns={"expressive_send_style_id": slam},
        truth={"effect": {"kind": "slam", "raw": slam}},
    )
    link_previews.preview(
        story,
        "url",
        "https://example.com/recipes?id=7&lang=ja",
        {"title": "Cake <b>for</b> twelve", "summary": "A recipe in twelve steps", "siteName": "Example"},
    )
    guid = story.guid()
    picture = story.attach(f"at_0_{guid}", medium.PNG, "sticker.png", is_sticker=1)
    events.sticker(story, WITH_ANN, ANN, first, attached=picture, guid=guid)
    planned = nanoseconds(2025, 6, 15, 8)
    story.say(
        WITH_ANN,
        None,
        "Sent later",
        at=planned,
        read=False,
        columns={"schedule_type": 2, "schedule_state": 2, "is_sent": 0, "is_delivered": 0, "date_delivered": 0},
        truth={"scheduled_for": iso(planned), "delivered_at": None},
    )
    early = nanoseconds(2024, 12, 24, 18) + 7 * SECOND
    story.say(WITH_MIKA, MIKA, "Merry Christmas (synced from iCloud later)", at=early)
