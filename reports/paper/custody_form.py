"""The chain of custody form: what the living log tells of an item's way, with lines to sign by hand.

The fields are those of the sample form that NIST hosts (item, released by, received by, disposal, witness) and of what
ISO/IEC 27037 wants of a custody record: who, when, where, why, by which authority.
"""

from __future__ import annotations

from collections import Counter

from bagtag.reports.html.clock import Clock
from bagtag.reports.paper import words
from bagtag.reports.paper.document import (
    BLANK,
    Blank,
    Block,
    Cell,
    Digest,
    Document,
    Facts,
    Heading,
    Lines,
    Prose,
    Table,
    Together,
    Words,
    said,
)
from bagtag.reports.paper.folder import Folder
from bagtag.reports.paper.movements import Movement, movements

_BLANK_ROWS = 6
_MOST_ROWS = 2000


def document(folder: Folder, clock: Clock) -> Document:
    """The form of this folder, as its log stands."""
    return Document(
        title="Chain of custody",
        mark="",
        running=words.running(folder),
        bag_digest=folder.bag.sha256,
        created=folder.last_at,
        blocks=(*_header(folder, clock), *_items(folder), *_table(folder, clock), *_closing()),
    )


def _header(folder: Folder, clock: Clock) -> tuple[Block, ...]:
    label = folder.label
    return (
        Facts(
            (
                ("Case number", said(folder.case)),
                ("Item number", said(folder.item)),
                ("Exhibit", said(label("Evidence-Exhibit-Reference"))),
                ("Agency", said(label("Source-Organization"))),
                ("Offense", BLANK),
                ("Submitting officer (name, ID)", BLANK),
                ("Victim", BLANK),
                ("Suspect", BLANK),
                ("Date and time seized", BLANK),
                ("Location of seizure", BLANK),
                ("Authority", said(label("Evidence-Legal-Authority"))),
                ("Examiner", said(label("Evidence-Examiner"))),
                ("Evidence folder sealed", (Words(words.moment(clock, folder.sealed.line.at)),)),
                ("Bag digest (SHA-256)", (Digest(folder.bag.sha256),)),
                words.reach(folder),
            )
        ),
        Prose(
            "Filled in from the evidence folder; whatever it does not tell is left to the pen. "
            f"All times: {clock.name}, by the clocks of the computers that wrote the log. The making of this page is "
            "recorded in the log after the last line that was read."
        ),
    )


def _items(folder: Folder) -> tuple[Block, ...]:
    device = words.described(folder.device)
    label = folder.label("Evidence-Source-Device")
    backup = f"Source: backup of {device or label or 'a device that the backup does not describe'}"
    octets, _, files = (folder.label("Payload-Oxum") or "").partition(".")
    size = f"; {files} files, {octets} bytes" if files else ""
    row = (Blank("condition, marks"),)
    kind = words.KIND[0].lower() + words.KIND[1:]
    return (
        Heading("Items"),
        Table(
            "Items",
            ("Item", "Quantity", "Description (model, serial number, condition, marks)"),
            (2, 2, 11),
            (
                (said(folder.item), (Words("1"),), (Words(f"{backup}. As the backup describes it."), *row)),
                (
                    said(folder.item),
                    (Words("1"),),
                    (
                        Words(f"Evidence folder: {kind}{size}. Bag digest:"),
                        Digest(folder.bag.sha256),
                        *row,
                    ),
                ),
                (BLANK, BLANK, BLANK),
                (BLANK, BLANK, BLANK),
            ),
        ),
    )


def _table(folder: Folder, clock: Clock) -> tuple[Block, ...]:
    found = movements(folder.lines)
    shown = found[:_MOST_ROWS]
    rows = [_row(folder, one, clock) for one in shown]
    blank: Cell = (Blank("name, ID"), Blank("signature"))
    rows += [(BLANK, BLANK, (Blank(),), blank, blank, BLANK)] * _BLANK_ROWS
    listed = {step.number for one in shown for step in (*one.steps, *one.corrections)}
    other = Counter(one.line.event for one in folder.lines if one.number not in listed)
    told = ", ".join(f"{count} {event}" for event, count in sorted(other.items()))
    rest = (
        f"The log holds further lines that move nothing ({told}); `bagtag custody show` prints all of it."
        if other
        else "These are all lines of the log."
    )
    if len(found) > len(shown):
        rest = f"Only the first {_MOST_ROWS:,} of {len(found):,} movements are listed here. {rest}"
    return (
        Heading("Chain of custody"),
        Table(
            "Chain of custody",
            ("Line", "Item", "Date and time", "Released by", "Received by", "Comments, location"),
            (2, 3, 6, 6, 6, 8),
            tuple(rows),
        ),
        Prose(rest),
    )


def _row(folder: Folder, one: Movement, clock: Clock) -> tuple[Cell, ...]:
    numbers = ", ".join(str(step.number) for step in one.steps)
    times = "\n".join(words.moments(clock, step.line) for step in one.steps[-1:])
    if len(one.steps) > 1 and one.event == "transferred":
        times = "\n".join(words.moments(clock, step.line) for step in one.steps)
    return (
        (Words(numbers),),
        said(folder.item),
        (Words(times),),
        _hand(one.released_by),
        _hand(one.received_by),
        (Words("\n".join(_comments(one, clock))), Blank()),
    )


def _hand(name: str | None) -> Cell:
    return (Blank("name, ID") if name is None else Words(name), Blank("signature"))


def _comments(one: Movement, clock: Clock) -> list[str]:
    last = one.steps[-1].line
    state = {"begun": ": no receipt is recorded", "failed": ": refused or failed", "issues": ", with issues"}
    told = [f"{one.event}{state.get(last.result, '')}"]
    for step in one.steps:
        line = step.line
        told += [f"recorded by {line.actor} at {line.host}"]
        told += [text for text in (line.reason, line.authority, line.note) if text]
        told += words.signed(step)
    told += [
        f"CORRECTED by line {other.number} ({words.moment(clock, other.line.at)}, {other.line.actor}): "
        f"{other.line.note or 'no reason given'}"
        for other in one.corrections
    ]
    return list(dict.fromkeys(told))


def _closing() -> tuple[Block, ...]:
    disposal = Facts(
        (("Items to be disposed of", BLANK), ("Authority for disposal", BLANK), ("Method of disposal", BLANK))
    )
    return (
        Together(
            (
                Heading("Final disposal"),
                disposal,
                Lines(("authorizing officer (name, ID)", "signature", "date")),
                Lines(("disposed of by (name, ID)", "signature", "date")),
            )
        ),
        Together(
            (
                Heading("Witness to destruction"),
                Facts((("Item, and how and where it was destroyed", BLANK),)),
                Lines(("witness (name, ID)", "signature", "date")),
            )
        ),
        Together(
            (
                Heading("Release to owner"),
                Facts((("Item", BLANK), ("Owner (name, address)", BLANK))),
                Lines(("released by (name, ID)", "signature", "date")),
                Lines(("received by owner", "signature", "date")),
            )
        ),
    )
