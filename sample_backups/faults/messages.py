"""What can be wrong inside sms.db: bodies that are no typedstream, and a -wal that holds more than the database.

Known from Messages databases met in practice. Both are told while the story is written, so nothing is left to do here
with a finished plan.
"""

from __future__ import annotations

from bagtag.sample_backups.faults.fault import BOTH, Fault
from bagtag.sample_backups.people import ANN, WITH_ANN
from bagtag.sample_backups.plan import Plan
from bagtag.sample_backups.story import Story

NO_TYPEDSTREAM = b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x91 cut off here"


def damage_messages(story: Story) -> None:
    """Two messages whose attributedBody is no typedstream: one has its text column, one has nothing else."""
    words = "The body is damaged, the text column is not"
    story.say(
        WITH_ANN,
        ANN,
        words,
        columns={"attributedBody": NO_TYPEDSTREAM},
        truth={"body_damaged": True},
    )
    story.row(
        WITH_ANN,
        ANN,
        columns={"text": None, "attributedBody": NO_TYPEDSTREAM, "part_count": 1},
        truth={"body_damaged": True},
    )


def _told_with_the_story(_plan: Plan) -> None:
    """The messages are written before there is a plan."""


FAULTS = (
    Fault(
        "damaged-row-message",
        "two messages whose attributedBody is no typedstream, one of them without text",
        "both listed, body_damaged",
        _told_with_the_story,
        ios=BOTH,
    ),
    Fault(
        "wal",
        "sms.db has a -wal beside it that holds one message more",
        "the message is listed, source wal",
        _told_with_the_story,
        ios=BOTH,
    ),
)
