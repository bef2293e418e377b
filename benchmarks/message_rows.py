"""Rows of a large message database of iOS 18, made fast: a realistic mix in 50 chats, the same for the same count.

Of 100 messages about 10 have attachments, 8 are tapbacks, 6 replies, 3 link previews, 3 have mentions, links or
styles, 2 were edited, 1 is an announcement and one in 200 was unsent; the rest is plain text of 1 to 3,000 characters
in several scripts, every third with emoji. A plain body is a template with its text and the two lengths put in, which
are all that differs between two such bodies; the others are made by the writer of the samples.
"""

from __future__ import annotations

import hashlib
import plistlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any

from bagtag.sample_backups.keyed_archive import Archive
from bagtag.sample_backups.typedstream import Number, Run, Url, attributed_string, utf16_length

PART = "__kIMMessagePartAttributeName"
TRANSFER = "__kIMFileTransferGUIDAttributeName"
FILE_NAME = "__kIMFilenameAttributeName"
OWNER = "+12025550100"
SECOND = 10**9
START = 700_000_000 * SECOND
CHATS, GROUPS, HANDLES = 50, 15, 80
DIGEST = 8
"""Bytes of the digest of a text that has to come out."""

MESSAGE = (
    "ROWID", "guid", "text", "handle_id", "subject", "attributedBody", "version", "service", "account", "account_guid",
    "date", "date_read", "date_delivered", "is_delivered", "is_finished", "is_from_me", "is_empty", "is_read",
    "is_sent", "has_dd_results", "cache_has_attachments", "cache_roomnames", "was_data_detected", "item_type",
    "other_handle", "group_title", "group_action_type", "associated_message_guid", "associated_message_type",
    "balloon_bundle_id", "payload_data", "associated_message_range_length", "message_summary_info",
    "ck_sync_state", "ck_record_id", "destination_caller_id", "reply_to_guid", "thread_originator_guid",
    "thread_originator_part", "date_retracted", "date_edited", "part_count",
)  # fmt: skip
ATTACHMENT = (
    "ROWID", "guid", "created_date", "start_date", "filename", "uti", "mime_type", "transfer_state", "is_outgoing",
    "transfer_name", "total_bytes", "hide_attachment", "ck_sync_state", "original_guid",
)  # fmt: skip
COLUMNS = {
    "message": MESSAGE,
    "attachment": ATTACHMENT,
    "message_attachment_join": ("message_id", "attachment_id"),
    "chat_message_join": ("chat_id", "message_id", "message_date"),
}
KINDS = (
    ("attachment", 10), ("tapback", 8), ("reply", 6), ("link", 3), ("styled", 3), ("edited", 2), ("announcement", 1),
    ("unsent", 0.5), ("plain", 66.5),
)  # fmt: skip
FORMATS = (
    ("HEIC", "image/heic", "public.heic"), ("JPG", "image/jpeg", "public.jpeg"), ("PNG", "image/png", "public.png"),
    ("MOV", "video/quicktime", "com.apple.quicktime-movie"), ("pdf", "application/pdf", "com.adobe.pdf"),
    ("caf", "audio/x-caf", "com.apple.coreaudio-format"), ("vcf", "text/vcard", "public.vcard"),
)  # fmt: skip
WORDS = tuple(
    "garden paper window silver answer morning letter bridge market river tomorrow yes no ok maybe dinner train late"  # noqa: SIM905
    " sorry thanks great where when see you there soon call me back please home office school doctor ticket".split()
)
SENTENCES = (
    "Schöne Grüße aus Köln – größer als gedacht", "Привет! Как дела? Встретимся в субботу.", "你好，明天见。",
    "こんにちは、明日の3時に会いましょう。", "مرحبا، كيف حالك؟ نلتقي الساعة 5", "नमस्ते, कल क्षमा करना।",
    "안녕하세요, 내일 봐요!",
)  # fmt: skip
EMOJI = ("😀", "👍🏽", "❤️", "😂", "🎉", "👩‍👩‍👧‍👦", "🇩🇪", "🙏", "😭", "🔥")
QUOTES = ("Loved", "Liked", "Disliked", "Laughed at", "Emphasized", "Questioned")
MARK = b"\x01\x07"
HEAD, TAIL = attributed_string([Run("\x07", {PART: 0})]).split(MARK + b"\x86\x84\x02iI\x01\x01")


def plain_body(text: str) -> bytes:
    """attributedBody of one part of plain text."""
    spelled = text.encode()
    return b"".join((HEAD, _length(len(spelled)), spelled, b"\x86\x84\x02iI\x01", _length(utf16_length(text)), TAIL))


def _length(value: int) -> bytes:
    if value < 0x80:
        return bytes([value])
    return b"\x81" + value.to_bytes(2, "little") if value < 0x10000 else b"\x82" + value.to_bytes(4, "little")


@dataclass
class Chat:
    """One row of `chat` while it grows; `said` are (guid, text) of some messages that others refer to."""

    rowid: int
    members: tuple[int, ...]
    service: str
    identifier: str
    last: str | None = None
    said: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        """Whether it has several members."""
        return len(self.members) > 1


class Conversations:
    """All rows of a database of `count` messages; iterate over `batches` once, then everything has been told.

    `texts` are the digests of the texts that a reader should find, without the placeholders of attachments and
    whatever has no text of its own; `files` are the attachments' paths in MediaDomain.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.texts = bytearray()
        self.files: list[str] = []
        self._dice = random.Random("messages")
        self._attachments = 0
        self._at = START
        self.chats = [self._chat(number) for number in range(1, CHATS + 1)]
        self._sizes = list(accumulate(1 / number for number in range(1, CHATS + 1)))
        self._kinds = list(accumulate(share for _, share in KINDS))

    def _chat(self, number: int) -> Chat:
        group = number % 10 in (3, 6, 9)
        members = tuple(1 + (number * 7 + step * 11) % HANDLES for step in range(3 + number % 5 if group else 1))
        service = "SMS" if number % 8 == 5 and not group else "iMessage"
        return Chat(number, members, service, f"chat{number:012d}" if group else self.address(members[0]))

    @staticmethod
    def address(handle: int) -> str:
        """The number of a handle."""
        return f"+1202555{handle:04d}"

    def people(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of `handle`, `chat` and `chat_handle_join`."""
        for number in range(1, HANDLES + 1):
            yield "handle", {"ROWID": number, "id": self.address(number), "country": "us", "service": "iMessage"}
        for chat in self.chats:
            style = 43 if chat.is_group else 45
            guid = f"{chat.service};{'+' if chat.is_group else '-'};{chat.identifier}"
            yield "chat", {
                "ROWID": chat.rowid, "guid": guid, "style": style, "state": 3, "chat_identifier": chat.identifier,
                "service_name": chat.service, "room_name": chat.identifier if chat.is_group else None,
                "display_name": f"Group {chat.rowid}" if chat.is_group else "", "account_login": f"P:{OWNER}",
                "group_id": f"6A0B0000-0000-4000-8000-{chat.rowid:012X}",
            }  # fmt: skip
            for member in dict.fromkeys(chat.members):
                yield "chat_handle_join", {"chat_id": chat.rowid, "handle_id": member}

    def batches(self, size: int = 20_000) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
        """The other rows, by table and in the order of `COLUMNS`, for so many messages at a time."""
        for first in range(1, self.count + 1, size):
            rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
            for rowid in range(first, min(first + size, self.count + 1)):
                self._message(rowid, rows)
            yield rows

    def _message(self, rowid: int, rows: dict[str, list[tuple[Any, ...]]]) -> None:
        dice = self._dice
        (chat,) = dice.choices(self.chats, cum_weights=self._sizes)
        ((kind, _),) = dice.choices(KINDS, cum_weights=self._kinds)
        if not chat.said and kind in ("tapback", "reply"):
            kind = "plain"
        own = dice.random() < 0.45
        self._at += dice.randrange(5 * SECOND, 200 * SECOND)
        throw = dice.randbytes(12).hex().upper()
        guid = f"{rowid:08X}-{throw[:4]}-4{throw[4:7]}-A{throw[7:10]}-{throw[10:22]}"
        sender = 0 if own and chat.is_group else dice.choice(chat.members) if chat.is_group else chat.members[0]
        told: dict[str, Any] = getattr(self, f"_{kind}")(guid, chat, rowid, own, rows)
        words = told.get("text")
        if kind not in ("attachment", "link", "announcement", "unsent"):
            self.texts += hashlib.blake2b(words.encode(), digest_size=DIGEST).digest()
            if kind != "tapback" and dice.random() < 0.2:
                chat.said = [*chat.said[-50:], (guid, words)]
        if not own:
            told["text"] = None  # since iOS 16 mostly in the body alone
        imessage = chat.service == "iMessage"
        usual = {
            "ROWID": rowid, "guid": guid, "handle_id": sender, "version": 10, "service": chat.service,
            "account": f"P:{OWNER}", "account_guid": "5A3D194F-2927-4EFF-A000-0123456789AB", "date": self._at,
            "date_read": self._at + 45 * SECOND if imessage and not chat.is_group and rowid % 3 else 0,
            "date_delivered": self._at + 2 * SECOND if own and imessage else 0, "is_delivered": int(imessage),
            "is_finished": 1, "is_from_me": int(own), "is_empty": 0, "is_read": int(not own), "is_sent": int(own),
            "has_dd_results": 0, "cache_has_attachments": 0, "was_data_detected": 1, "item_type": 0, "other_handle": 0,
            "cache_roomnames": chat.identifier if chat.is_group else None, "group_action_type": 0,
            "associated_message_type": 0, "associated_message_range_length": 0, "ck_sync_state": 1,
            "ck_record_id": throw * 2, "destination_caller_id": OWNER, "reply_to_guid": chat.last, "date_retracted": 0,
            "date_edited": 0, "part_count": 1,
        } | told  # fmt: skip
        rows["message"].append(tuple([usual.get(name) for name in MESSAGE]))
        rows["chat_message_join"].append((chat.rowid, rowid, self._at))
        chat.last = guid

    def _words(self) -> str:
        dice = self._dice
        throw = dice.random()
        count = 1 + int(throw * 6) if throw < 0.5 else int(4 + 12 * throw) if throw < 0.97 else dice.randrange(30, 500)
        text = " ".join(dice.choices(WORDS, k=count))
        if throw < 0.15:
            text += " " + dice.choice(SENTENCES)
        if dice.random() < 0.33:
            text += " " + "".join(dice.choices(EMOJI, k=1 + int(throw * 3)))
        return text[:3000]

    def _plain(self, *_: Any) -> dict[str, Any]:
        text = self._words()
        return {"text": text, "attributedBody": plain_body(text)}

    def _reply(self, _: str, chat: Chat, *__: Any) -> dict[str, Any]:
        guid, words = self._dice.choice(chat.said)
        place = f"0:0:{utf16_length(words)}"
        return self._plain() | {"thread_originator_guid": guid, "thread_originator_part": place}

    def _tapback(self, _: str, chat: Chat, *__: Any) -> dict[str, Any]:
        guid, words = self._dice.choice(chat.said)
        number = self._dice.randrange(len(QUOTES))
        text = f"{QUOTES[number]} “{words}”"
        removed = 1000 if self._dice.random() < 0.1 else 0
        return {
            "text": text, "attributedBody": plain_body(text), "associated_message_guid": f"p:0/{guid}",
            "associated_message_type": 2000 + number + removed, "associated_message_range_length": utf16_length(words),
            "message_summary_info": _listed(ams=words, ust=True, amc=1),
        }  # fmt: skip

    def _edited(self, *_: Any) -> dict[str, Any]:
        versions = [self._words() for _ in range(self._dice.choice((2, 2, 2, 3)))]
        seconds = self._at / SECOND
        events = [{"t": plain_body(text), "d": seconds + 30.5 * step} for step, text in enumerate(versions)]
        told = {"0": {"lo": 0, "le": utf16_length(versions[0])}}
        return {
            "text": versions[-1], "attributedBody": plain_body(versions[-1]),
            "date_edited": self._at + 31 * (len(versions) - 1) * SECOND,
            "message_summary_info": _listed(ec={"0": events}, ep=[0], otr=told, ust=True, amc=0),
        }  # fmt: skip

    def _unsent(self, *_: Any) -> dict[str, Any]:
        told = {"0": {"lo": 0, "le": self._dice.randrange(1, 80)}}
        return {
            "attributedBody": attributed_string([], mutable=False), "is_empty": 1, "date_edited": self._at + SECOND,
            "message_summary_info": _listed(rp=[0], otr=told, ust=True, amc=0),
        }  # fmt: skip

    def _styled(self, *_: Any) -> dict[str, Any]:
        text, choice = self._words(), self._dice.randrange(3)
        if choice == 0:
            runs = [Run("Robin", {PART: 0, "__kIMMentionConfirmedMention": OWNER}), Run(" " + text, {PART: 0})]
        elif choice == 1:
            link = {"__kIMLinkAttributeName": Url("tel:+12025550142"), "__kIMDataDetectedAttributeName": _detected()}
            runs = [Run(text + " ", {PART: 0}), Run("202-555-0142", {PART: 0, **link})]
        else:
            style = {"__kIMTextBoldAttributeName": 1, "__kIMTextEffectAttributeName": Number(5, "q")}
            runs = [Run(text + " ", {PART: 0}), Run("now", {PART: 0, **style})]
        return {
            "text": "".join(run.text for run in runs), "attributedBody": attributed_string(runs),
            "has_dd_results": int(choice == 1),
        }  # fmt: skip

    def _link(self, *_: Any) -> dict[str, Any]:
        url = f"https://example.com/{self._dice.choice(WORDS)}/{self._dice.randrange(10**9)}"
        made = Archive()
        members = {
            "originalURL": made.url(url), "URL": made.url(url), "title": self._words()[:80],
            "summary": self._words()[:200], "siteName": "Example", "version": 1,
        }  # fmt: skip
        preview = made.instance(["LPLinkMetadata", "NSObject"], members)
        return {
            "text": url,
            "attributedBody": attributed_string([Run(url, {PART: 0, "__kIMLinkAttributeName": Url(url)})]),
            "balloon_bundle_id": "com.apple.messages.URLBalloonProvider",
            "payload_data": made.stored(
                made.dictionary({"richLinkMetadata": preview, "richLinkIsPlaceholder": False})
            ),
        }  # fmt: skip

    def _announcement(self, _: str, chat: Chat, rowid: int, *__: Any) -> dict[str, Any]:
        which = rowid % 3
        told: dict[str, Any] = {"item_type": (1, 2, 3)[which], "part_count": None}
        if which == 0:
            told["other_handle"] = chat.members[-1]
        elif which == 1:
            told["group_title"] = f"Group {rowid}"
        return told

    def _attachment(
        self, guid: str, _: Chat, rowid: int, own: bool, rows: dict[str, list[tuple[Any, ...]]]
    ) -> dict[str, Any]:
        dice = self._dice
        runs: list[Run] = []
        for part in range(1 if dice.random() < 0.85 else dice.randrange(2, 5)):
            self._attachments += 1
            end, mime, uti = FORMATS[
                min(dice.randrange(12), len(FORMATS) - 1) if part else dice.randrange(len(FORMATS))
            ]
            named = f"IMG_{self._attachments % 10_000:04d}.{end}"
            transfer = f"at_{part}_{guid}"
            path = f"Library/SMS/Attachments/{rowid % 256:02x}/{rowid % 16:02d}/{transfer}/{named}"
            state, synced, filename = 5, 1, f"~/{path}"
            if (throw := dice.random()) < 0.03:
                state = 0  # offloaded
            elif throw < 0.05:
                filename = None
            else:
                self.files.append(path)
            rows["attachment"].append((
                self._attachments, transfer, self._at // SECOND, self._at // SECOND, filename, uti, mime, state,
                int(own), named, dice.randrange(20_000, 4_000_000), 0, synced, transfer,
            ))  # fmt: skip
            rows["message_attachment_join"].append((rowid, self._attachments))
            runs.append(Run("\ufffc", {FILE_NAME: named, TRANSFER: transfer, PART: part}))
        if dice.random() < 0.2:
            runs.append(Run(self._words(), {PART: len(runs)}))
        return {
            "text": "".join(run.text for run in runs), "attributedBody": attributed_string(runs),
            "cache_has_attachments": 1, "part_count": len(runs),
        }  # fmt: skip


def _listed(**told: Any) -> bytes:
    return plistlib.dumps(told, fmt=plistlib.FMT_BINARY)


@cache
def _detected() -> bytes:
    made = Archive()
    found = made.instance(["DDScannerResult", "NSObject"], {"MS": "202-555-0142", "T": "PhoneNumber", "P": 0})
    archive = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"dd-result": found}}
    return plistlib.dumps({**archive, "$objects": made.objects}, fmt=plistlib.FMT_BINARY)
