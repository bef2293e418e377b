"""Whatever a row of iOS 3 to 5 holds, it becomes a record or an issue, and no other row is lost by it."""

from __future__ import annotations

import plistlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.messages.legacy.named_values import addresses, guids
from bagtag.sample_backups.typedstream import Run, attributed_string

Read = Callable[..., Any]
GUID = "DD97CB48-3B51-4DD6-959F-9BF9F6ABB58F"
BODY = attributed_string([Run("see "), Run("\ufffc", {"__kIMFileTransferGUIDAttributeName": GUID})])
LIST = plistlib.dumps([GUID, "+12025550171"], fmt=plistlib.FMT_BINARY)
VALUES: list[Any] = [
    None, 0, 1, -1, 2, 3, 2**62, -(2**63), 1.5, float("inf"), "", "x", "\0", "\ufffc", "+12025550171", "9" * 400, b"",
    b"\xff\xfe", b"bplist00", LIST, BODY, BODY[:-3], b"\x04\x0bstreamtyped\x81\xe8\x03" + b"\x84" * 200, GUID,
]  # fmt: skip
COLUMNS = {
    "message": ["address", "date", "text", "flags", "group_id", "subject", "country", "recipients", "is_madrid",
                "madrid_handle", "madrid_guid", "madrid_service", "madrid_flags", "madrid_roomname", "madrid_error",
                "madrid_attributedBody", "madrid_attachmentInfo", "madrid_date_read", "madrid_date", "read"],
    "msg_pieces": ["message_id", "data", "part_id", "content_type", "content_loc"],
    "madrid_attachment": ["attachment_guid", "created_date", "filename", "mime_type", "message_id"],
    "madrid_chat": ["style", "properties", "chat_identifier", "service_name", "guid", "room_name", "participants"],
    "msg_group": ["type", "hash"],
    "group_member": ["group_id", "address", "country"],
}  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_any_values_are_records_or_issues(read_legacy: Read, seed: int) -> None:
    dice = random.Random(seed)
    tables = {
        table: [{name: dice.choice(VALUES) for name in names} for _ in range(150)] for table, names in COLUMNS.items()
    }
    found = read_legacy(*tables.pop("message"), **tables)
    lost = {each.where.rowid for each in found.issues if each.effect == "lost" and each.where.table == "message"}
    assert found.messages.keys() | lost == set(range(1, 151))
    assert not lost
    assert len(found.chats) == 300


@pytest.mark.parametrize("blob", [LIST, BODY])
def test_damaged_values_are_malformed_and_nothing_else(blob: bytes) -> None:
    dice = random.Random(7)
    refused = 0
    for _ in range(2_000):
        damaged = bytearray(blob)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        for read in (guids, addresses):
            try:
                read(bytes(damaged[: dice.randint(1, len(damaged))]))
            except MalformedError:
                refused += 1
    assert refused
