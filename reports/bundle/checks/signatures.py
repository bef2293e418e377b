"""Step 9, signatures: over the statement and over custody lines, each checked where its key is at hand.

That a signature holds says that whoever has the key made it; whose key it is, only a key or register given from
outside (`--trust`) says. Anybody can sign a forged folder with a key of his own.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from bagtag.custody.line import SignedLine
from bagtag.custody.log import Entry
from bagtag.custody.problem import Problem
from bagtag.reports.bundle.checks.chains import LIVING, Logs
from bagtag.reports.bundle.checks.seal_files import SealFiles, read_file
from bagtag.reports.bundle.checks.statements import Stated
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.verdict import Signature, SignatureVerdict, Strength, Witness, covered, covered_lines

if TYPE_CHECKING:
    # At run time only a folder with keys loads what reads them: that takes longer than to check a small folder.
    from bagtag.custody.allowed_signers import Trust
    from bagtag.custody.signer import PublicKey

SHOWN = 8
"""Hexadecimal digits by which a sentence names a key."""


@dataclass(slots=True)
class Signatures:
    """All that was found; `trusted` tells whether a key that may sign signed the statement."""

    found: list[Signature] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trusted: bool = False

    def witnesses(self) -> list[Witness]:
        """For how much of the log each speaks."""
        return [_witness(each) for each in self.found if each.last_line is not None and each.verdict in _HOLDS]


_HOLDS = ("trusted", "good")


def examine(folder: EvidenceFolder, seal: SealFiles, stated: Stated, logs: Logs, trust: Trust | None) -> Signatures:
    """Check every signature there is. `trust` is None where nobody was named as trusted."""
    result = Signatures()
    keys = _keys(folder, seal, result)
    for keyid in sorted(seal.names.signatures):
        _of_the_statement(folder, keyid, _Known(keys.get(keyid), trust), (seal, stated), result)
    _of_lines(logs, keys, trust, result)
    if trust is not None and not result.trusted:
        tried = [f"key {_short(each.keyid)} {each.why}" for each in result.found if each.path != LIVING]
        expected = ", ".join(dict.fromkeys(f"key {_short(signer.key.keyid)}" for signer in trust.signers))
        what = "holds no signature over the statement by a trusted key"
        result.problems.append(Problem("seal", what, expected, "; ".join(tried) or "no signature"))
    return result


class _Opinion(NamedTuple):
    trusted: bool
    name: str | None
    why: str


class _Known:
    """A key as far as it is known: from seal/, from the register, or not at all."""

    def __init__(self, key: PublicKey | None, trust: Trust | None) -> None:
        self.key, self.trust = key, trust

    def by_id(self, keyid: str) -> PublicKey | None:
        return self.key if self.key is not None else self.trust.key(keyid) if self.trust is not None else None

    def judge(self, keyid: str, at: str | None) -> _Opinion:
        if self.trust is None:
            return _Opinion(trusted=False, name=None, why="was compared with no trusted key")
        found = self.trust.judge(keyid, at)
        return _Opinion(found.trusted, found.name, found.why)


def _keys(folder: EvidenceFolder, seal: SealFiles, result: Signatures) -> dict[str, PublicKey]:
    """The public keys of seal/ by their id. Each must be canonical and have the id by which its file is named."""
    if not seal.names.keys:
        return {}
    from bagtag.custody.signer import PublicKey

    keys: dict[str, PublicKey] = {}
    for keyid in sorted(seal.names.keys):
        name = f"{keyid}.pub.pem"
        try:
            raw = read_file(folder, name)
            key = None if raw is None else PublicKey.from_pem(raw)
        except ValueError as trouble:
            result.problems.append(Problem(f"seal/{name}", str(trouble)))
            continue
        if key is not None and key.keyid != keyid:
            result.problems.append(Problem(f"seal/{name}", "is another key than its name says", keyid, key.keyid))
        elif key is not None:
            keys[keyid] = key
    return keys


def _of_the_statement(
    folder: EvidenceFolder, keyid: str, known: _Known, over: tuple[SealFiles, Stated], result: Signatures
) -> None:
    seal, stated = over
    path = f"seal/{keyid}.sig"
    at, key = seal.named_at(path), known.by_id(keyid)
    judgement, covers = known.judge(keyid, at), covered(stated.last_line)
    try:
        raw = read_file(folder, f"{keyid}.sig")
        if raw is None or stated.raw is None:
            return  # step 1 says so
        trouble = _trouble(raw, key, stated.raw)
    except ValueError as reason:
        trouble = str(reason)
    if trouble is not None:
        result.problems.append(Problem(path, trouble))
        result.found.append(Signature(path, keyid, judgement.name, "wrong", covers, trouble, at))
        return
    result.trusted |= judgement.trusted
    verdict: SignatureVerdict = "trusted" if judgement.trusted else "good"
    result.found.append(Signature(path, keyid, judgement.name, verdict, covers, judgement.why, at, stated.last_line))


def _trouble(raw: bytes, key: PublicKey | None, content: bytes) -> str | None:
    from bagtag.custody.signer import SIGNATURE_SIZE

    if len(raw) != SIGNATURE_SIZE:
        return f"is no Ed25519 signature: it has {len(raw)} bytes instead of {SIGNATURE_SIZE}"
    if key is None:
        return "cannot be checked: its public key is not beside it, or is none"
    return None if key.accepts(raw, content) else "is not over seal/statement.json as it is, or not by that key"


def _of_lines(logs: Logs, keys: dict[str, PublicKey], trust: Trust | None, result: Signatures) -> None:
    signed: dict[str, Entry] = {}
    for entry in logs.living or ():
        line = entry.line
        if isinstance(line, SignedLine) and (over := signed.get(line.of)) is not None:
            _of_a_line(entry.number, line, over, _Known(keys.get(line.keyid), trust), result)
        signed[entry.sha256] = entry


def _of_a_line(number: int, line: SignedLine, over: Entry, known: _Known, result: Signatures) -> None:
    key, judgement, covers = known.by_id(line.keyid), known.judge(line.keyid, line.at), covered_lines(over.number)
    if key is None:
        why = "cannot be checked: its key is not at hand"
        result.notes.append(
            f"{LIVING}: the signature in line {number} {why} (key {_short(line.keyid)}; `--trust` takes it)"
        )
        result.found.append(Signature(LIVING, line.keyid, judgement.name, "unchecked", covers, why, line.at))
        return
    if not _accepts(key, line.sig, over.raw):
        why = f"line {number} is no signature of line {over.number} by its key"
        result.problems.append(Problem(LIVING, why, f"by key {line.keyid}", "another signature"))
        result.found.append(Signature(LIVING, line.keyid, judgement.name, "wrong", covers, why, line.at))
        return
    verdict: SignatureVerdict = "trusted" if judgement.trusted else "good"
    result.found.append(
        Signature(LIVING, line.keyid, judgement.name, verdict, covers, judgement.why, line.at, over.number)
    )


def _accepts(key: PublicKey, sig: str, content: bytes) -> bool:
    try:
        raw = base64.b64decode(sig, validate=True)
    except binascii.Error:
        return False
    # A second spelling of the same bytes is no other signature, but the line would not be the signer's.
    return base64.b64encode(raw).decode("ascii") == sig and key.accepts(raw, content)


def _witness(each: Signature) -> Witness:
    last = -1 if each.last_line is None else each.last_line
    if each.verdict == "trusted":
        whose = f" of {each.name}" if each.name else ""
        return Witness(Strength.TRUSTED, last, f"a trusted signature{whose} (key {_short(each.keyid)})")
    return Witness(Strength.SIGNATURE, last, f"a signature (key {_short(each.keyid)})")


def _short(keyid: str) -> str:
    return f"{keyid[:SHOWN]}…"
