"""Messages that were edited, unsent in part or whole, or both, by the owner and by others.

Known from message_summary_info of real rows since iOS 16: `ec` with every wording of a part, `ep` the edited parts,
`rp` the unsent ones, `otr` the range each part first had, `euh` who did it where it was not the owner. A message
unsent as a whole has no body, or an empty one; date_edited is set then, date_retracted mostly is not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from bagtag.sample_backups import events
from bagtag.sample_backups.body import body, found_parts, text
from bagtag.sample_backups.moments import SECOND, iso
from bagtag.sample_backups.people import ANN, BJORN, GARDEN, MIKA, WITH_ANN, WITH_MIKA, Chat, Handle
from bagtag.sample_backups.story import Said, Story
from bagtag.sample_backups.typedstream import attributed_string, utf16_length

BETWEEN = 45_500_000_000
"""Nanoseconds from one wording to the next: seconds that a float holds exactly."""


def tell(story: Story) -> None:
    """Every edit and unsend."""
    told = (
        ("edited by another", WITH_ANN, ANN, [["Ther", "There", "There it is"]], ()),
        ("edited by the owner", WITH_ANN, None, [["One word", "Two words 😀"]], ()),
        ("one part of three edited", GARDEN, BJORN, [["First. "], ["Secnd. ", "Second. "], ["Third."]], ()),
        ("two parts edited", GARDEN, None, [["Firs. ", "First. "], ["Secon.", "Second.", "Second!"]], ()),
        ("part unsent by another", GARDEN, BJORN, [["Stays 🎈. "], ["Goes. "], ["Stays too."]], (1,)),
        ("edited then unsent", WITH_MIKA, MIKA, [["The first wording", "The second wording"]], (0,)),
        ("edited then one part unsent", WITH_MIKA, None, [["Kept. "], ["Wrng.", "Wrong."]], (1,)),
        ("unsent by the owner", WITH_ANN, None, [["Gone at once"]], (0,)),
        ("unsent by another", WITH_ANN, ANN, [["Gone too"], [" and this"]], (0, 1)),
    )
    for name, chat, sender, parts, unsent in told:
        story.feature(reworded(story, chat, sender, parts, unsent=unsent), name)
    undated = reworded(story, WITH_ANN, ANN, [["No dat", "No date"]], columns={"date_edited": 0})
    story.feature(undated, "edited without date_edited")
    story.feature(events.tapback(story, WITH_ANN, None, undated, 2001), "tapback on an edited message")


def reworded(
    story: Story,
    chat: Chat,
    sender: Handle | None,
    parts: Sequence[Sequence[str]],
    *,
    unsent: Collection[int] = (),
    columns: dict[str, Any] | None = None,
) -> Said:
    """A message of these parts, each with its wordings from the first to the last; `unsent` are parts taken back."""
    sent = story.tick(60, whole_milliseconds=True) // SECOND * SECOND
    by = sender.address if sender else None
    written, edits, moment = {}, [], sent
    for number, wordings in enumerate(parts):
        if len(wordings) == 1:
            continue
        versions: list[dict[str, Any]] = []
        for wording in wordings:
            first = wording is wordings[0]
            moment = sent if first else moment + BETWEEN
            guid = story.guid() if sender and not first else None
            version = {"t": body({number: text(wording)}), "d": moment / SECOND}
            versions.append(version | ({"bcg": guid} if guid else {}))
            told = {"part": number, "text": wording, "at": iso(moment), "original": first}
            edits.append(told | {"by": None if first else by, "guid": guid})
        written[str(number)] = versions
    moment += BETWEEN if unsent else 0
    ranges, start = {}, 0
    for number, wordings in enumerate(parts):
        ranges[str(number)] = {"lo": start, "le": utf16_length(wordings[0])}
        start += utf16_length(wordings[0])
    summary: dict[str, Any] = {"otr": ranges, "ust": True, "amc": 0}
    if written:
        summary |= {"ec": written, "ep": [int(number) for number in written]}
    if unsent:
        summary |= {"rp": sorted(unsent)}
    if by:
        summary |= {"euh": [by]}
    kept = {number: text(wordings[-1]) for number, wordings in enumerate(parts) if number not in unsent}
    words = "".join(part.text for part in kept.values())
    row: dict[str, Any] = {
        "text": words if kept and sender else None,
        "attributedBody": body(kept) if kept else attributed_string([], mutable=False) if sender else None,
        "is_empty": int(not kept),
        "part_count": len(kept),
        "date_edited": moment,
        "message_summary_info": events.plist(summary),
    }
    return story.row(
        chat,
        sender,
        at=sent,
        columns=row | (columns or {}),
        truth={
            "text": "\n".join(part.text for part in kept.values()) or None,
            "parts": found_parts(kept),
            "edits": edits,
            "edited_at": iso(moment),
            "unsent_parts": [
                {"index": number, "start": ranges[str(number)]["lo"], "length": ranges[str(number)]["le"]}
                for number in sorted(unsent)
            ],
        },
    )
