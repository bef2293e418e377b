"""The examination: which case, which item, who works on it, and by what authority.

What a custody form's head holds (NIST and NIJ sample forms, ISO/IEC 27037): given as options, or in a TOML file
that a lab keeps for a case. Options win over the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from bagtag.custody.errors import UsageError

_REQUIRED = ("case", "item", "examiner")
_MAX_FILE = 1 << 20
_MAX_VALUE = 4096


@dataclass(frozen=True, slots=True)
class Examination:
    """The facts on the label. Text as given, without spaces round it; None where nothing was said."""

    case: str
    item: str
    examiner: str
    agency: str | None = None
    exhibit: str | None = None
    authority: str | None = None
    location: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class ExaminationFile:
    """What an examination file holds: any of the facts, and who signs and stamps when no option says so."""

    facts: dict[str, str]
    signer: str | None = None
    tsa: str | None = None


FACTS: tuple[str, ...] = tuple(field.name for field in fields(Examination))


def read_file(path: Path) -> ExaminationFile:
    """Read an examination file: a flat TOML table of text. Raises UsageError naming what is wrong with it."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE + 1)
        if len(raw) > _MAX_FILE:
            raise UsageError(f"{path} is larger than 1 MiB", hint="an examination file is a few lines of TOML")
        table = tomllib.loads(raw.decode("utf-8"))
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read: {trouble.strerror}", hint="name a readable TOML file") from trouble
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise UsageError(f"{path} is no TOML: {trouble}", hint='lines such as case = "2024-0815"') from trouble
    known = {*FACTS, "signer", "tsa"}
    unknown = sorted(set(table) - known)
    if unknown:
        raise UsageError(
            f"{path}: unknown {'keys' if len(unknown) > 1 else 'key'} {', '.join(map(repr, unknown))}",
            hint="known keys are " + ", ".join([*FACTS, "signer", "tsa"]),
        )
    values = {key: text for key, value in table.items() if (text := _text(key, value)) is not None}
    return ExaminationFile(
        {key: values[key] for key in FACTS if key in values}, signer=values.get("signer"), tsa=values.get("tsa")
    )


def examination(options: Mapping[str, str | None], file: ExaminationFile | None = None) -> Examination:
    """The examination from options (name without dashes -> text) over a file's facts.

    Raises UsageError when case, item or examiner are missing, or a value cannot stand on a label.
    """
    unknown = sorted(set(options) - set(FACTS))
    if unknown:
        raise UsageError(f"no fact of an examination: {', '.join(unknown)}", hint="known are " + ", ".join(FACTS))
    values = dict(file.facts) if file is not None else {}
    values.update({key: text for key, value in options.items() if (text := _text(key, value)) is not None})
    missing = [key for key in _REQUIRED if key not in values]
    if missing:
        raise UsageError(
            "an evidence folder needs " + ", ".join(f"--{key}" for key in missing),
            hint="for example --case 2024-0815 --item 7 --examiner 'Ann Lee', or --examination FILE.toml holding them",
        )
    return Examination(**values)


def _text(key: str, value: object) -> str | None:
    """None for an empty value: an option left blank says nothing."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise UsageError(f"{key} is no text: {value!r}", hint=f'write {key} = "…" in quotation marks')
    text = value.strip()
    if len(text) > _MAX_VALUE:
        raise UsageError(f"{key} is longer than {_MAX_VALUE} characters", hint="keep long notes in a file of their own")
    allowed = "\n\t" if key == "notes" else ""
    odd = next((character for character in text if not (character.isprintable() or character in allowed)), None)
    if odd is not None:
        raise UsageError(f"{key} holds a character that cannot be printed: {odd!r}", hint="leave it out")
    return text or None
