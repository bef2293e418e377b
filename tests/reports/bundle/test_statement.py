"""seal/statement.json is an in-toto Statement v1, and canonical."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bagtag.reports.bundle import statement
from bagtag.reports.bundle.statement import Statement

FACTS = Statement(bag_digest="a" * 64, payload_digest="b" * 64, custody_head="c" * 64, custody_seq=4)


def test_its_form_is_that_of_an_in_toto_statement() -> None:
    made = json.loads(statement.render(FACTS))
    assert made == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "tagmanifest-sha256.txt", "digest": {"sha256": "a" * 64}},
            {"name": "custody.jsonl", "digest": {"sha256": "c" * 64}},
        ],
        "predicateType": "urn:bagtag:evidence-folder:1",
        "predicate": {"payloadDigest": {"sha256": "b" * 64}, "custodySeq": 4},
    }


def test_the_facts_come_back() -> None:
    assert statement.parse(statement.render(FACTS)) == FACTS


def test_it_names_the_bag_and_a_line_of_the_log(evidence: Path) -> None:
    facts = statement.parse((evidence / "seal/statement.json").read_bytes())
    lines = (evidence / "custody.jsonl").read_bytes().splitlines()
    assert facts.bag_digest == hashlib.sha256((evidence / "bag/tagmanifest-sha256.txt").read_bytes()).hexdigest()
    assert facts.payload_digest == hashlib.sha256((evidence / "bag/manifest-sha256.txt").read_bytes()).hexdigest()
    assert facts.custody_head == hashlib.sha256(lines[facts.custody_seq]).hexdigest()


CANONICAL = statement.render(FACTS)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{" * 100_000,
        CANONICAL[:-1],
        CANONICAL + b"\n",
        CANONICAL.replace(b":", b": ", 1),
        CANONICAL.replace(b"v1", b"v2"),
        CANONICAL.replace(b"tagmanifest-sha256.txt", b"tagmanifest-sha512.txt"),
        CANONICAL.replace(b"a" * 64, b"A" * 64),
        CANONICAL.replace(b"a" * 64, b"a" * 63),
        CANONICAL.replace(b":4}}", b':4,"more":1}}'),
        CANONICAL.replace(b":4}}", b":-4}}"),
        CANONICAL.replace(b'"subject":[', b'"subject":[{"name":"x","digest":{"sha256":"' + b"d" * 64 + b'"}},'),
    ],
)
def test_any_other_bytes_are_no_statement(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"statement|canonical|subjects"):
        statement.parse(raw)


def test_changing_any_byte_changes_the_facts_or_is_refused() -> None:
    for position in range(len(CANONICAL)):
        raw = bytearray(CANONICAL)
        raw[position] ^= 1
        try:
            facts = statement.parse(bytes(raw))
        except ValueError:
            continue
        assert facts != FACTS
