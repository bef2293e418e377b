"""Faults of the fileID: it is no SHA-1, it would lead out of the folder, or two rows share what it stands for.

Known from edited manifests and from attacks that put a path where a reader expects 40 hex digits.
"""

from __future__ import annotations

from collections.abc import Callable

from bagtag.sample_backups.faults.fault import Fault, document, other_id, text
from bagtag.sample_backups.plan import Plan

Apply = Callable[[Plan], None]


def _fileid_mismatch(plan: Plan) -> None:
    entry = document("fileid-mismatch")
    entry.given_id, entry.findings = other_id("another file"), ["fileid-mismatch"]
    plan.entries.append(entry)


def _given_id(name: str, given: str, *findings: str) -> Apply:
    """A fileID that is none. The blob lies under the SHA-1 of domain and path."""

    def apply(plan: Plan) -> None:
        entry = document(name)
        entry.given_id, entry.outcome, entry.renamed = given, "unsafe-path", True
        entry.findings = list(findings)
        plan.entries.append(entry)

    return apply


def _upper_case(plan: Plan) -> None:
    name = "fileid-upper-case"
    _given_id(name, document(name).file_id.upper())(plan)


def _duplicate(plan: Plan) -> None:
    first, second = document("duplicate-path"), document("duplicate-path")
    second.given_id, second.content = other_id("duplicate-path"), text("the second of duplicate-path")
    second.findings = ["fileid-mismatch"]
    first.renamed = second.renamed = True
    plan.entries += [first, second]


FAULTS = (
    Fault(
        "duplicate-path",
        "two rows of one domain and path, the second under another fileID",
        "both ok and renamed, the second fileid-mismatch",
        _duplicate,
    ),
    Fault("fileid-mismatch", "the fileID is not the SHA-1 of domain and path", "ok, fileid-mismatch", _fileid_mismatch),
    Fault(
        "fileid-path",
        "the fileID is ../../x",
        "unsafe-path, fileid-mismatch; the bytes are kept",
        _given_id("fileid-path", "../../x", "fileid-mismatch"),
    ),
    Fault(
        "fileid-absolute",
        "the fileID is /etc/passwd",
        "unsafe-path, fileid-mismatch; the bytes are kept",
        _given_id("fileid-absolute", "/etc/passwd", "fileid-mismatch"),
    ),
    Fault(
        "fileid-short",
        "the fileID has eight digits",
        "unsafe-path, fileid-mismatch; the bytes are kept",
        _given_id("fileid-short", "deadbeef", "fileid-mismatch"),
    ),
    Fault("fileid-upper-case", "the fileID is in capitals", "unsafe-path; the bytes are kept", _upper_case),
)
"""Faults of the fileID; they can live together in one sample."""
