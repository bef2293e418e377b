"""seal/statement.json: what a signature or a time stamp of this folder is over.

An in-toto Statement v1 (in-toto attestation framework). Its subjects are the bag digest and the custody head: the line
of custody.jsonl that names the bag digest. The file is canonical: made again from its own facts it is the same bytes,
so nothing can be hidden in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from bagtag.custody.line import Natural, Sha256
from bagtag.reports.bundle.manifest import TAGS

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:bagtag:evidence-folder:1"
MAX_SIZE = 1 << 16


class _Digest(msgspec.Struct, frozen=True):
    sha256: Sha256


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: _Digest


class _Predicate(msgspec.Struct, frozen=True, rename="camel"):
    payload_digest: _Digest
    custody_seq: Natural


class _Statement(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="_type")
    subject: tuple[_Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: _Predicate


@dataclass(frozen=True, slots=True)
class Statement:
    """The facts. `custody_head` is the sha256 of line `custody_seq` of custody.jsonl, without its newline."""

    bag_digest: str
    payload_digest: str
    custody_head: str
    custody_seq: int


def render(facts: Statement) -> bytes:
    """The file's bytes."""
    made = _Statement(
        type=TYPE,
        subject=(
            _Subject(TAGS, _Digest(facts.bag_digest)),
            _Subject("custody.jsonl", _Digest(facts.custody_head)),
        ),
        predicate_type=PREDICATE_TYPE,
        predicate=_Predicate(_Digest(facts.payload_digest), facts.custody_seq),
    )
    return msgspec.json.encode(made) + b"\n"


def parse(raw: bytes) -> Statement:
    """The facts in these bytes. Raises ValueError when they are not the canonical statement of any facts."""
    try:
        found = msgspec.json.decode(raw, type=_Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise ValueError(f"is no statement ({trouble})") from trouble
    digests = [subject.digest.sha256 for subject in found.subject]
    if len(digests) != 2:
        raise ValueError(f"has {len(digests)} subjects instead of 2")
    facts = Statement(digests[0], found.predicate.payload_digest.sha256, digests[1], found.predicate.custody_seq)
    if render(facts) != raw:
        raise ValueError("is not in canonical form: made again from its own facts it has other bytes")
    return facts
