"""Step 10, time stamps: each is over the statement, well formed, and fits its request; accepted where that is asked.

Form, digest and nonce can be judged from the folder alone. Who stamped, and so when, only an authority given from
outside (`--tsa-ca`) tells: anybody can run an authority of his own and give any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bagtag.custody import durable
from bagtag.custody.errors import UsageError
from bagtag.custody.line import CustodyLine
from bagtag.custody.problem import Problem
from bagtag.custody.times import unix_ns
from bagtag.reports.bundle.checks.chains import Logs
from bagtag.reports.bundle.checks.seal_files import SealFiles, read_file
from bagtag.reports.bundle.checks.statements import Stated
from bagtag.reports.bundle.evidence_folder import EvidenceFolder
from bagtag.reports.bundle.verdict import Stamp, Strength, Witness, covered

# What reads stamps and certificates is loaded where there are some: that takes longer than to check a small folder.

_MAX_CA = 1 << 20
_LATE_NS = 60 * 10**9
"""A clock that is a minute behind is an ordinary one."""


@dataclass(slots=True)
class Stamps:
    """All that was found."""

    found: list[Stamp] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def witnesses(self) -> list[Witness]:
        """For how much of the log the accepted ones speak."""
        return [
            Witness(Strength.STAMP, each.last_line, f"an accepted time stamp of {each.time}")
            for each in self.found
            if each.verdict == "accepted" and each.last_line is not None
        ]


def authorities(paths: Sequence[Path]) -> list[bytes]:
    """The certificates (PEM) of the authorities that are accepted. Raises UsageError."""
    if not paths:
        return []
    from cryptography import x509

    given = []
    for path in paths:
        try:
            with durable.open_regular(path) as file:
                raw = file.read(_MAX_CA)
            x509.load_pem_x509_certificates(raw)
        except OSError as trouble:
            raise UsageError(f"{path} cannot be read: {trouble.strerror or trouble}", hint=_HINT) from trouble
        except ValueError as trouble:
            raise UsageError(f"{path} holds no certificate in PEM", hint=_HINT) from trouble
        given.append(raw)
    return given


_HINT = "name the certificate of the time-stamping authority's root, in PEM"


def examine(folder: EvidenceFolder, seal: SealFiles, stated: Stated, logs: Logs, accepted: Sequence[bytes]) -> Stamps:
    """Check every stamp there is. `accepted` is what `authorities` gave; empty where nobody asks who stamped."""
    result = Stamps()
    for number in sorted(seal.names.chains):
        _chain(folder, number, result)
    requests = {number: _request(folder, number, stated, result) for number in sorted(seal.names.requests)}
    for number in sorted(seal.names.responses):
        _response(folder, number, (stated, requests.get(number)), accepted, result)
    for number in sorted(seal.names.requests - seal.names.responses):
        result.notes.append(f"seal/{number}.tsq: this request for a time stamp has no response yet")
    if accepted and not any(each.verdict == "accepted" for each in result.found):
        tried = "; ".join(f"{each.path} {each.why}" for each in result.found)
        what = "holds no time stamp that a given authority accepts"
        result.problems.append(Problem("seal", what, "an accepted stamp", tried or "no stamp"))
    _compare_with_the_log(logs, result)
    return result


def _request(folder: EvidenceFolder, number: int, stated: Stated, result: Stamps) -> bytes | None:
    from bagtag.custody import stamp

    try:
        raw = read_file(folder, f"{number}.tsq")
        if raw is not None and stated.raw is not None:
            stamp.check_request(raw, stated.raw)
    except ValueError as trouble:
        result.problems.append(Problem(f"seal/{number}.tsq", str(trouble)))
        return None  # the response is judged without it: one fault is one problem
    return raw


def _response(
    folder: EvidenceFolder, number: int, over: tuple[Stated, bytes | None], accepted: Sequence[bytes], result: Stamps
) -> None:
    from bagtag.custody import stamp

    (stated, request), path, raw = over, f"seal/{number}.tsr", None
    covers = covered(stated.last_line)
    try:
        raw = read_file(folder, f"{number}.tsr")
        if raw is None or stated.raw is None:
            return  # step 1 says so
        facts = stamp.read(raw, request, stated.raw)
    except ValueError as trouble:
        result.problems.append(Problem(path, str(trouble)))
        result.found.append(Stamp(path, "wrong", covers, str(trouble)))
        if raw is not None and request is not None and stated.raw is not None and _holds_alone(raw, stated.raw):
            # Which of the two was changed cannot be told from here, so both are named.
            what = f"is not the request that {path} answers"
            result.problems.append(Problem(f"seal/{number}.tsq", what))
        return
    if not accepted:
        result.found.append(Stamp(path, "unjudged", covers, "was compared with no authority (`--tsa-ca`)"))
        return
    try:
        stamp.accept(raw, stated.raw, accepted)
    except ValueError as trouble:
        result.notes.append(f"{path}: no given authority accepts it: {trouble}")
        result.found.append(Stamp(path, "not-accepted", covers, str(trouble)))
        return
    result.found.append(
        Stamp(path, "accepted", covers, "is accepted", facts.gen_time, facts.authority, stated.last_line)
    )


def _holds_alone(response: bytes, content: bytes) -> bool:
    """Whether nothing but the request is against this response."""
    from bagtag.custody import stamp

    try:
        stamp.read(response, None, content)
    except ValueError:
        return False
    return True


def _chain(folder: EvidenceFolder, number: int, result: Stamps) -> None:
    """The certificates beside a stamp serve stock tools; nobody here trusts them. They hold nothing else."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    what = None
    try:
        raw = read_file(folder, f"{number}.chain.pem")
        certificates = [] if raw is None else x509.load_pem_x509_certificates(raw)
        if raw is not None and b"".join(each.public_bytes(Encoding.PEM) for each in certificates) != raw:
            what = "is not in canonical form: encoded again, the certificates have other bytes"
    except ValueError:
        what = "holds no certificates in PEM"
    if what is not None:
        result.problems.append(Problem(f"seal/{number}.chain.pem", what))


def _compare_with_the_log(logs: Logs, result: Stamps) -> None:
    """An accepted stamp that is older than the sealing by this computer's clock: one of the two clocks is wrong."""
    sealed = next((line for _, line in logs.lines() if line.event == "sealed"), None)
    if not isinstance(sealed, CustodyLine):
        return
    for each in result.found:
        if each.time is not None and unix_ns(each.time) < unix_ns(sealed.at) - _LATE_NS:
            result.notes.append(
                f"{each.path}: stamped at {each.time}, but the log dates the sealing {sealed.at}: a clock was wrong"
            )
