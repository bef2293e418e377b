"""What a `transferred` line says: who gave the evidence to whom, how it travelled, and in what state.

The fields are those of a custody form (NIST's sample form; ISO/IEC 27037 on transfers): released by, received by,
method, carrier, tracking number, container, seals, condition. They stand in the line's note as one sentence that a
person can read aloud and a program can take apart:

    released by Ann Lee to Ben Roe; method courier; tracking JD-1; old seal 17; new seal 18; condition intact

A value that would blur the sentence stands in quotation marks, as JSON writes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import Literal

from bagtag.custody.errors import UsageError

Act = Literal["released", "received", "refused"]
MAX_VALUE = 4096
"""Characters of one value."""

_OPENINGS: dict[Act, tuple[str, str]] = {
    "released": ("released by", "to"),
    "received": ("received by", "from"),
    "refused": ("not accepted by", "from"),
}
_VALUE = r'("(?:[^"\\]|\\.)*"|[^";]+?)'
_HEAD = re.compile(rf"(released by|received by|not accepted by) {_VALUE} (to|from) {_VALUE}(?=; |\Z)")
_DETAIL = re.compile(rf"; (method|carrier|tracking|container|old seal|new seal|condition) {_VALUE}(?=; |\Z)")
_BLURS = re.compile(r'[";\\]| to | from |^\s|\s$')


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """How the evidence travelled and in what state it was; None where nothing was said."""

    method: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    container: str | None = None
    old_seal: str | None = None
    new_seal: str | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """One side of a transfer. `by` does the act; `other` is who it is released to, or who released it."""

    act: Act
    by: str
    other: str
    details: Details = Details()


def sentence(handover: Handover) -> str:
    """The note. Raises UsageError for a value that is empty, too long or cannot be printed."""
    opening, joint = _OPENINGS[handover.act]
    said = f"{opening} {_said('name', handover.by)} {joint} {_said('name', handover.other)}"
    for field in fields(Details):
        value = getattr(handover.details, field.name)
        if value is not None:
            label = field.name.replace("_", " ")
            said += f"; {label} {_said(label, value)}"
    return said


def parse(note: str) -> Handover | None:
    """The handover that a note tells; None when it is not just the sentence that `sentence` makes of one."""
    head = _HEAD.match(note)
    if head is None:
        return None
    act = next((act for act, opening in _OPENINGS.items() if opening == (head[1], head[3])), None)
    details: dict[str, str] = {}
    place = head.end()
    while (found := _DETAIL.match(note, place)) is not None:
        details[found[1].replace(" ", "_")] = _meant(found[2])
        place = found.end()
    if act is None or place != len(note):
        return None
    made = Handover(act, _meant(head[2]), _meant(head[4]), Details(**details))
    try:
        return made if sentence(made) == note else None
    except UsageError:
        return None


def checked(label: str, value: str) -> str:
    """The value without blanks round it. Raises UsageError when it cannot stand in a line of a custody form."""
    text = value.strip()
    if not text:
        raise UsageError(f"the {label} is empty", hint="leave the option out, or say something")
    if len(text) > MAX_VALUE:
        raise UsageError(f"the {label} is longer than {MAX_VALUE:,} characters", hint="shorten it")
    if not text.isprintable():
        raise UsageError(f"the {label} holds a character that cannot be printed", hint="leave it out")
    return text


def _said(label: str, value: str) -> str:
    text = checked(label, value)
    return json.dumps(text, ensure_ascii=False) if _BLURS.search(text) else text


def _meant(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
