"""Checking an evidence folder: every problem, and one verdict. Reads only; needs no network, no backup, no key.

     1 structure      the names and kinds that belong there, and nothing else
     2 completeness   the manifest beside the payload, both ways
     3 digests        every payload file has the bytes that were sealed
     4 tag files      the same two for the files beside the payload; the label and its profile
     5 chains         both custody logs are sound
     6 sealing        the sealed log is the beginning of the living one; `sealed` and the line after it name the digests
     7 statement      seal/statement.json is canonical and names this bag and that line
     8 seal files     what lies in seal/ is what custody lines name
     9 signatures     over the statement and over custody lines, by keys at hand or trusted
    10 stamps         over the statement, well formed, accepted by an authority that was given
    11 schemas        the records and the inventory have the published shape
    12 references     and the files that they name lie in the bag
    13 anchors        what was given from outside: the expected bag digest, another copy of the log

No step stops at its first problem, and no problem keeps a later step from its own (public contract, verdicts). Each
step is a module of `checks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.custody.log import Entry
from bagtag.custody.progress import Progress, Silent
from bagtag.reports.bundle import bare_bag, manifest
from bagtag.reports.bundle.checks import (
    anchors,
    chains,
    completeness,
    records,
    seal_files,
    sealing,
    signatures,
    stamps,
    statements,
    structure,
    tag_files,
)
from bagtag.reports.bundle.checks.completeness import Contents
from bagtag.reports.bundle.evidence_folder import EvidenceFolder, FolderOnDisk, sha256_of
from bagtag.reports.bundle.verdict import Strength, Verdict, Verification, Witness, anchored

if TYPE_CHECKING:
    from bagtag.custody.allowed_signers import Trust

_SIGNS = ("bag/bagit.txt", "bag/manifest-sha256.txt", "seal/statement.json")
_HINT = "name the folder that holds README.txt, bag/ and custody.jsonl, or a zip of it"


def verify(
    dest: Path,
    *,
    expect: str | None = None,
    trust: Sequence[Path] = (),
    tsa_ca: Sequence[Path] = (),
    other_log: Path | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check the evidence folder `dest`, or a zip of one; a bare bag is checked by RFC 8493 alone.

    `expect` is the bag digest as it was given by another way than the folder; `trust` names public keys (PEM) and
    registers of signers, `tsa_ca` certificates of time-stamping authorities; `other_log` is another party's copy of
    custody.jsonl; `progress` counts the bytes of the payload.
    Raises EvidenceError when `dest` is no evidence folder, UsageError when an anchor is none.
    """
    wanted = anchors.bag_digest(expect)
    trusted = _trusted(trust)
    authorities = stamps.authorities(tsa_ca)
    theirs = anchors.other_log(other_log)
    if bare_bag.is_one(dest):
        if expect is not None or trust or tsa_ca or other_log is not None:
            raise UsageError(
                f"{dest} is a bare bag: it holds no custody log and no seal that could be compared",
                hint="give the bag alone, or the evidence folder round it",
            )
        return bare_bag.verify(dest, progress or Silent())
    with opened(dest) as folder:
        steps = _Steps(folder, progress or Silent())
        return steps.run(wanted, trusted, authorities, theirs, str(other_log))


@contextmanager
def opened(dest: Path) -> Iterator[EvidenceFolder]:
    """The evidence folder at `dest`, on the disk or in a zip. Raises EvidenceError when it is none."""
    if dest.is_file():
        from bagtag.reports.bundle.zipped_folder import ZippedFolder

        with ZippedFolder(dest, _SIGNS) as folder:
            yield folder
    else:
        _evidence_folder(dest)
        yield FolderOnDisk(dest)


def _trusted(paths: Sequence[Path]) -> Trust | None:
    """None where nobody is asked for: what reads keys takes longer to load than a small folder to check."""
    if not paths:
        return None
    from bagtag.custody.allowed_signers import Trust

    return Trust.of(paths)


def _evidence_folder(dest: Path) -> None:
    if not dest.is_dir():
        raise EvidenceError(f"{dest} is no folder and no zip", hint=_HINT)
    is_bag = (dest / "bagit.txt").exists()
    if not any((dest / sign).exists() for sign in _SIGNS) and (is_bag or not (dest / chains.LIVING).exists()):
        hint = f"this is a bag; name the folder round it: {dest.absolute().parent}" if is_bag else _HINT
        raise EvidenceError(f"{dest} is no evidence folder", hint=hint)


class _Steps:
    """The steps in their order, over one folder."""

    def __init__(self, folder: EvidenceFolder, progress: Progress) -> None:
        self.folder, self.progress = folder, progress

    def run(
        self,
        wanted: str | None,
        trusted: Trust | None,
        authorities: Sequence[bytes],
        theirs: list[Entry] | None,
        name: str,
    ) -> Verification:
        folder = self.folder
        found = structure.problems(folder)  # 1
        payload = self._payload()  # 2 and 3
        found += payload.problems
        found += tag_files.problems(folder, payload)  # 4
        logs = chains.read(folder)  # 5
        found += logs.problems
        found += sealing.problems(folder, logs)  # 6
        stated = statements.read(folder, logs)  # 7
        found += stated.problems
        seal = seal_files.read(folder, logs)  # 8
        signed = signatures.examine(folder, seal, stated, logs, trusted)  # 9
        stamped = stamps.examine(folder, seal, stated, logs, authorities)  # 10
        found += [*seal.problems, *signed.problems, *stamped.problems]
        found += records.problems(folder, payload)  # 11 and 12
        bag_digest = sha256_of(folder, f"bag/{manifest.TAGS}")
        outside = anchors.examine(logs, wanted, bag_digest, theirs, name)  # 13
        found += outside.problems
        verdict: Verdict = "broken" if found else "authentic" if wanted is not None or signed.trusted else "intact"
        witnesses = [*signed.witnesses(), *stamped.witnesses(), *outside.witnesses]
        if stated.last_line is not None:
            witnesses.append(
                Witness(Strength.STATEMENT, stated.last_line, f"{statements.PATH} alone{_unsigned(stamped)}")
            )
        return Verification(
            verdict=verdict,
            problems=tuple(dict.fromkeys(found)),
            payload_digest=sha256_of(folder, f"bag/{manifest.PAYLOAD}"),
            bag_digest=bag_digest,
            anchored=anchored(len(logs.living or ()), witnesses, broken=bool(found)),
            notes=tuple(dict.fromkeys([*logs.notes, *seal.notes, *signed.notes, *stamped.notes, *outside.notes])),
            signatures=tuple(signed.found),
            stamps=tuple(stamped.found),
        )

    def _payload(self) -> Contents:
        folder = self.folder
        if not folder.is_folder("bag"):
            return Contents(ordered=False)
        self.progress.step("checking the payload", tag_files.declared_octets(folder))
        nodes = folder.walk("bag/data", b"data/") if folder.is_folder("bag/data") else iter(())
        return completeness.compare(folder, manifest.PAYLOAD, nodes, payload=True, progress=self.progress)


def _unsigned(stamped: stamps.Stamps) -> str:
    """What is to be said of a statement that no signature and no accepted stamp stands behind."""
    stamp = ", whose time stamp was accepted by no given authority" if stamped.found else ""
    return f", which nobody signed{stamp}"
