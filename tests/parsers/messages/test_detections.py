"""What data detectors found is told in words, from the archives that lie in a body's attributes."""

from __future__ import annotations

from typing import Any

import pytest

from bagtag.parsers.messages import body
from bagtag.parsers.messages.detections import detections
from bagtag.parsers.records import Part, Range
from bagtag.sample_backups import typedstream as minted
from bagtag.sample_backups.detectors import KINDS, MONEY, Result, detected

PART = "__kIMMessagePartAttributeName"


def part(*results: dict[str, Any]) -> Part:
    ranges = [
        Range(start=0, length=1, attributes={MONEY: {"sha256": "", "size": 1, "value": result}}) for result in results
    ]
    return Part(index=0, kind="text", text="x", ranges=ranges)


def result(words: str, *inside: Any) -> dict[str, Any]:
    return {"$class": "DDScannerResult", "MS": words, "T": "Money", "V": None, "SR": list(inside) or None}


@pytest.mark.parametrize(("key", "before", "minted_result"), KINDS, ids=[kind.type for _, _, kind in KINDS])
def test_every_kind_is_told_with_its_type_and_words(key: str, before: str, minted_result: Result) -> None:
    runs = [
        minted.Run(before, {PART: 0}),
        minted.Run(minted_result.words, {PART: 0, key: detected(minted_result, before=before)}),
    ]
    (told,) = body.read(minted.attributed_string(runs), None, print, print).details["data_detected"]
    assert (told["part"], told["type"], told["text"]) == (0, minted_result.type, minted_result.words)
    assert [each["type"] for each in told.get("inside", [])] == [each.type for each in minted_result.inside]


def test_values_of_money_stand_inside_it() -> None:
    (_, before, money) = next(kind for kind in KINDS if kind[0] == MONEY)
    runs = [minted.Run(before, {PART: 2}), minted.Run("$12.50", {PART: 2, MONEY: detected(money, before=before)})]
    assert body.read(minted.attributed_string(runs), None, print, print).details["data_detected"] == [
        {
            "part": 2,
            "type": "Money",
            "text": "$12.50",
            "inside": [
                {"type": "Currency", "text": "$", "value": "$"},
                {"type": "IntegralValue", "text": "12", "value": "12"},
            ],
        }
    ]


def test_a_result_cut_into_two_runs_is_told_once_and_two_of_a_kind_twice() -> None:
    assert [each["text"] for each in detections([part(result("$1"), result("$1"), result("$2"))])] == ["$1", "$2"]


def test_what_is_no_result_says_nothing() -> None:
    odd = {"$class": "DDScannerResult", "MS": 7, "T": None, "SR": ["text", {"$class": "Other", "MS": "x"}]}
    assert detections([part(odd, {"$class": "Other", "MS": "x"}, {})]) == []
    assert detections([Part(index=0, kind="text", text="x", ranges=[Range(start=0, length=1)])]) == []


def test_no_body_tells_more_than_its_share() -> None:
    deep: dict[str, Any] = result("0")
    for number in range(1, 100):
        deep = result(str(number), deep)
    (told,) = detections([part(deep)])
    levels = 0
    while told:
        levels, (told, *_) = levels + 1, told.get("inside", [{}])
    assert levels == 9
    assert len(detections([part(*(result(str(number)) for number in range(1000)))])) == 256
