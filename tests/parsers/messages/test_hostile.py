"""Whatever stands in a row, the run goes on, every row is accounted for and every record is JSON."""

from __future__ import annotations

import itertools
import plistlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bagtag.parsers.messages.attachments import COLUMNS as ATTACHMENT
from bagtag.parsers.messages.columns import CHAT, MESSAGE
from bagtag.sample_backups.typedstream import Run, attributed_string

NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 3, 1000, 2000, 2006, 3001, 4000, -1, 2**62, -(2**63), 2**63 - 1]), st.floats()
)
PLISTS = st.recursive(
    st.one_of(st.integers(-(2**63), 2**63), st.floats(), st.text(max_size=5), st.binary(max_size=5), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["ec", "rp", "otr", "euh", "0", "1", "t", "d", "lo", "le", "ams", "$top"]), inner
        ),
    ),
    max_leaves=8,
).map(lambda value: plistlib.dumps(value, fmt=plistlib.FMT_BINARY))
BODIES = st.text(max_size=8).map(lambda text: attributed_string([Run(text, {"__kIMMessagePartAttributeName": 0})]))
WORDS = st.one_of(
    st.text(max_size=12), st.sampled_from(["p:0/G-1", "bp:G-1", "G-1", "p:x/", "0:0:9", ":::", "P:+4477", ""])
)
CELLS = st.one_of(st.none(), NUMBERS, WORDS, st.binary(max_size=12), PLISTS, BODIES)
SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = itertools.count()


@SETTINGS
@given(
    rows=st.lists(st.fixed_dictionaries({name: CELLS for name in MESSAGE if name != "guid"}), min_size=1, max_size=3),
    attachment=st.fixed_dictionaries(dict.fromkeys(ATTACHMENT, CELLS)),
    chat=st.fixed_dictionaries(dict.fromkeys(CHAT, CELLS)),
    handle=st.fixed_dictionaries({"id": CELLS, "country": CELLS, "service": CELLS}),
    joined=st.tuples(CELLS, CELLS),
)
def test_rows_of_any_values_are_all_accounted_for(
    read: Callable[..., Any],
    message_tables: Callable[..., Any],
    rows: list[dict[str, Any]],
    attachment: dict[str, Any],
    chat: dict[str, Any],
    handle: dict[str, Any],
    joined: tuple[Any, Any],
    new_database: Callable[..., Path],
) -> None:
    ends = ((1, 1), joined)
    tables = message_tables(
        *rows, attachment=[attachment], chat=[chat], handle=[handle],
        message_attachment_join=[{"message_id": message, "attachment_id": other} for message, other in ends],
        deleted_messages=[{"guid": joined[0]}],
        recoverable_message_part=[{"chat_id": 1, "message_id": joined[0], "part_index": joined[1],
                                   "delete_date": joined[1], "part_text": rows[0]["attributedBody"]}],
        chat_recoverable_message_join=[{"chat_id": joined[0], "message_id": 1, "delete_date": joined[1]}],
    )  # fmt: skip
    found = read(new_database(f"{next(NAMES)}.db", tables))
    assert len(found.messages) == len(rows)
    assert {table: counts for table, counts in found.tables.items() if counts[0] != counts[1] + counts[2]} == {}
    assert [each.what for each in found.issues if each.effect == "lost"] == []


def test_a_text_that_is_no_text_is_told(read: Callable[..., Any], message_tables: Callable[..., Any]) -> None:
    found = read(message_tables({"text": b"\xff\xfe\x00"}, {"text": "words"}))
    (issue,) = [each for each in found.issues if "text column" in each.what]
    assert (issue.effect, issue.where.rowid) == ("partial", 1)
    assert "BLOB" in issue.what
    assert [message.text for message in found.messages.values()] == [None, "words"]


def test_a_direction_that_nobody_can_read_is_called_a_guess(
    read: Callable[..., Any], message_tables: Callable[..., Any]
) -> None:
    found = read(message_tables({"is_from_me": "yes"}, {"is_from_me": 0}, {"is_from_me": None}))
    guessed = [any("is a guess" in note for note in message.notes) for message in found.messages.values()]
    assert guessed == [True, False, False]
