"""The BagIt profile of evidence bags: which labels, manifests and tag files a bag must carry (BagIt Profiles 1.4.0).

`profile.json` beside this module is copied into every bag as it is. It is identified by a urn; from 1.0 on another
profile gets another urn, and this one never changes.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib import resources

import msgspec

from bagtag.custody.problem import Problem


class _Rule(msgspec.Struct, frozen=True):
    required: bool
    repeatable: bool
    values: tuple[str, ...] | None = None


class _Profile(msgspec.Struct, frozen=True):
    labels: dict[str, _Rule] = msgspec.field(name="Bag-Info")


IDENTIFIER = "urn:bagtag:bagit-profile:1"


@cache
def text() -> bytes:
    """profile.json as it stands in every bag: with LF, also where a checkout gave it CRLF."""
    return resources.files(__package__).joinpath("profile.json").read_bytes().replace(b"\r\n", b"\n")


@cache
def _rules() -> dict[str, _Rule]:
    return msgspec.json.decode(text(), type=_Profile).labels


def required() -> list[str]:
    """The labels that every bag-info.txt carries."""
    return [label for label, rule in _rules().items() if rule.required]


def problems(labels: list[tuple[str, str]]) -> list[Problem]:
    """What the profile finds wrong with the labels of a bag-info.txt."""
    found: list[Problem] = []
    counts = Counter(label for label, _ in labels)
    for label, rule in _rules().items():
        values = [value for name, value in labels if name == label]
        if rule.required and not any(values):
            found.append(Problem("bag/bag-info.txt", "lacks a label that the profile requires", label, "nothing"))
        if not rule.repeatable and counts[label] > 1:
            found.append(Problem("bag/bag-info.txt", f"has the label {label} more than once", "1", str(counts[label])))
        if rule.values is not None:
            found += [
                Problem(
                    "bag/bag-info.txt", f"{label} has a value that the profile does not allow", rule.values[0], value
                )
                for value in values
                if value not in rule.values
            ]
    return found
