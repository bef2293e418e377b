"""A transfer as one sentence: what a person reads, a program takes apart again."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagtag.custody.errors import UsageError
from bagtag.custody.handover import Act, Details, Handover, parse, sentence

ACTS: list[Act] = ["released", "received", "refused"]
VALUES = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip()) and text.strip().isprintable())


def test_the_sentence_reads_as_a_custody_form() -> None:
    details = Details(method="courier", tracking="JD-1", old_seal="17", new_seal="18", condition="intact")
    assert sentence(Handover("released", "Ann Lee", "Ben Roe", details)) == (
        "released by Ann Lee to Ben Roe; method courier; tracking JD-1; old seal 17; new seal 18; condition intact"
    )
    assert sentence(Handover("received", "Ben Roe", "Ann Lee")) == "received by Ben Roe from Ann Lee"
    assert sentence(Handover("refused", "Ben Roe", "Ann Lee")) == "not accepted by Ben Roe from Ann Lee"


def test_what_would_blur_the_sentence_stands_in_quotation_marks() -> None:
    details = Details(container="bag 12; condition opened", carrier='"Fast" Co')
    said = sentence(Handover("released", "Ann to Ben", "Cy from Bonn", details))
    assert said == (
        r'released by "Ann to Ben" to "Cy from Bonn"; carrier "\"Fast\" Co"; container "bag 12; condition opened"'
    )
    assert parse(said) == Handover("released", "Ann to Ben", "Cy from Bonn", details)


@given(
    st.sampled_from(ACTS), VALUES, VALUES,
    st.fixed_dictionaries({}, optional={field.name: VALUES for field in fields(Details)}),
)  # fmt: skip
def test_whatever_is_said_comes_back(act: Act, by: str, other: str, details: dict[str, str]) -> None:
    stripped = {name: value.strip() for name, value in details.items()}
    found = parse(sentence(Handover(act, by, other, Details(**details))))
    assert found == Handover(act, by.strip(), other.strip(), Details(**stripped))


@pytest.mark.parametrize(
    "note",
    ["", "handed over", "released by Ann", "released by Ann from Ben", "received by Ben to Ann",
     "released by Ann to Ben; colour red", "released by Ann to Ben; method", 'released by "Ann to Ben',
     "released by Ann to Ben; method a; ", "x released by Ann to Ben",
     "released by Ann to Ben; method a; carrier b; method c", "released by Ann\x1b[2J to Ben",
     "released by  Ann to Ben",
     "released by Ann to Ben\n", 'released by "Ann" to Ben', "released by Ann to Ben; tracking 1; method by hand"],
)  # fmt: skip
def test_another_sentence_is_no_handover(note: str) -> None:
    assert parse(note) is None


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x1b[2J", "a\u202eb", "x" * 4097, "\udcff"])
def test_a_value_that_no_form_can_hold_is_refused(value: str) -> None:
    with pytest.raises(UsageError):
        sentence(Handover("released", "Ann Lee", value))
    with pytest.raises(UsageError):
        sentence(Handover("released", "Ann Lee", "Ben Roe", Details(condition=value)))
