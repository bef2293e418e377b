"""Every fault that samples are minted with is met as the contract says: outcome, findings, bytes and exit code.

The truth beside each sample was written by the mint, which shares no code with the reader.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody.errors import BagtagError
from bagtag.extract.backup import Backup
from bagtag.extract.decrypt import extract
from bagtag.extract.evidence import HARMFUL, Issue
from bagtag.extract.findings import issues_of
from bagtag.extract.inventory import InventoryRow, decode, encode
from bagtag.extract.naming import Names
from bagtag.extract.workspace import Workspace
from bagtag.sample_backups.faults import registry as faults

LONGEST = 20.0
"""Seconds of computing that a sample may take: a reader that a fault leads in circles takes forever."""
COLUMNS = ("file_id", "domain", "relative_path", "flags")
DESCRIBED = ("size", "mode", "modified_at", "changed_at", "created_at", "protection_class")
RECORDED = ("inode", "uid", "gid", "target", "digest")
FURTHER = {
    ("Documents/fileid-upper-case.txt", "findings"),  # fileid-mismatch: capitals are other bytes
    (None, "findings"),  # path-mismatch: the record names a path, the column none
}
"""Where the reader tells a finding more than the truth does."""

KINDS = [
    (ios, encrypted)
    for ios in ("18.5", "9.3")
    for encrypted in (True, False)
]  # fmt: skip
ALONE = [
    pytest.param(arguments, id=f"{name}-{arguments['ios']}-{'encrypted' if arguments['encrypted'] else 'plain'}")
    for name in sorted({**faults.SET_FAULTS, **faults.MESSAGE_FAULTS})
    for arguments in faults.describe(name).arguments
]
EACH_ROW = [
    pytest.param(arguments, id=f"{name}-{arguments['ios']}-{'encrypted' if arguments['encrypted'] else 'plain'}")
    for name in sorted(faults.ROW_FAULTS)
    for arguments in faults.describe(name).arguments
]


@dataclass
class Met:
    """What reading a sample gave."""

    rows: list[InventoryRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    error: BagtagError | None = None

    @property
    def code(self) -> int:
        if self.error is not None:
            return self.error.exit_code
        return int(any(issue.effect in HARMFUL for issue in self.issues))


def _read(minted: Any, place: Path) -> Met:
    """Open, unlock and extract into `place`/out, as a user of the library does."""
    met = Met()
    try:
        with Workspace.inside(place / "work") as workspace, Backup.open(minted.folder, workspace) as backup:
            if backup.locked:
                backup.unlock(passphrase=minted.passphrase)
            with Names(backup.manifest, workspace) as names:
                # Through the bytes of the line: what the inventory says, not what was meant.
                met.rows = [
                    decode(encode(row)) for row in extract(backup, None, place / "out", names, prefix="")
                ]  # fmt: skip
            met.issues = [*backup.issues, *(issue for row in met.rows for issue in issues_of(row))]
    except BagtagError as trouble:
        met.error = trouble
    return met


def _tree(place: Path, besides: Path | None = None) -> dict[str, tuple[int, int, int, str]]:
    """Everything below a place but the folder `besides`: kind, size, time of change, and where a link leads."""
    found = {}
    for path in [place, *place.rglob("*")]:
        if besides is not None and (path == besides or besides in path.parents or path in besides.parents):
            continue
        facts = path.lstat()
        leads = str(path.readlink()) if path.is_symlink() else ""
        found[str(path)] = (facts.st_mode, facts.st_size, facts.st_mtime_ns, leads)
    return found


def _differences(minted: Any, met: Met, place: Path) -> Iterator[str]:
    """Where the reader and the truth differ; each a sentence."""
    ours: dict[tuple[Any, ...], list[InventoryRow]] = {}
    for row in met.rows:
        if row.outcome.value != "orphan":
            ours.setdefault(tuple(getattr(row, name) for name in COLUMNS), []).append(row)
    for fact in minted.truth["manifest"]:
        key = tuple(fact[name] for name in COLUMNS)
        if not ours.get(key):
            if not minted.truth.get("some_lost"):
                yield f"no row {key}"
            continue
        yield from (f"{key}: {text}" for text in _of_row(fact, ours[key].pop(0), place))
    yield from (f"a row that is not there: {key}" for key, rest in ours.items() if rest)
    if minted.truth.get("some_lost"):  # then blobs are orphans that are none
        assert 0 < len(ours) < len(minted.truth["manifest"])
        return
    orphans = sorted(
        (row.stored for row in met.rows if row.outcome.value == "orphan" and row.stored), key=lambda each: each.path
    )
    told = [(each.path, each.size, each.sha256) for each in orphans]
    truth = [(each["path"], each["size"], each["sha256"]) for each in minted.truth["orphans"]]
    if told != truth:
        yield f"orphans: {told}, not {truth}"


def _of_row(fact: Mapping[str, Any], row: InventoryRow, place: Path) -> Iterator[str]:
    told: dict[str, Any] = {name: getattr(row, name) for name in DESCRIBED}
    told |= {name: getattr(row.manifest, name) if row.manifest else None for name in RECORDED}
    told |= {"outcome": row.outcome.value, "findings": sorted(row.findings)}
    told["stored"] = (row.stored.path, row.stored.size, row.stored.sha256) if row.stored else None
    told["plain"] = (row.plain.size, row.plain.sha256) if row.plain else None
    truth = {name: fact[name] for name in (*DESCRIBED, *RECORDED, "outcome")}
    truth["findings"] = sorted(fact["findings"])
    for name, keys in (("stored", ("path", "size", "sha256")), ("plain", ("size", "sha256"))):
        truth[name] = tuple(fact[name][key] for key in keys) if fact[name] else None
    for name, value in truth.items():
        if told[name] != value and (fact["relative_path"], name) not in FURTHER:
            yield f"{name} is {told[name]!r}, not {value!r}"
    if row.plain is None:
        return
    if row.name_changed is not fact["renamed"]:
        yield f"name_changed is {row.name_changed}"
    kept = place / "out" / str(row.bag_path)
    content = kept.read_bytes()
    if (len(content), hashlib.sha256(content).hexdigest()) != told["plain"]:
        yield "the file that was written has other bytes"


def _check(minted: Any, place: Path) -> None:
    around = minted.folder.parent
    before, outside = _tree(around), _tree(place)
    begun = time.process_time()
    met = _read(minted, place)
    assert time.process_time() - begun < LONGEST
    assert _tree(around) == before, "the source was changed"
    written = {path for path in _tree(place, place / "out") if Path(path).name != "work"}
    assert written <= set(outside), "something was written outside of DEST"
    if minted.truth["exit"] in {3, 6}:
        assert met.error is not None, "the set was read although it cannot be"
        assert met.error.hint
        said = met.error.message
        assert all(word in said for word in minted.truth["issue"]), said
    else:
        assert met.error is None, met.error
        assert list(_differences(minted, met, place)) == []
        if minted.truth["issue"]:
            told = [issue.what for issue in met.issues]
            assert any(all(word in what for word in minted.truth["issue"]) for what in told), told
    assert met.code == minted.truth["exit"], [issue.what for issue in met.issues if issue.effect in HARMFUL]


@pytest.mark.parametrize(("ios", "encrypted"), KINDS)
def test_all_faults_of_rows_at_once_are_met_as_the_truth_says(
    ios: str, encrypted: bool, mint: Any, tmp_path: Path
) -> None:
    names = [name for name, fault in faults.ROW_FAULTS.items() if fault.fits(encrypted=encrypted, ios=ios)]
    _check(mint(ios=ios, encrypted=encrypted, faults=names), tmp_path)


@pytest.mark.parametrize("arguments", ALONE)
def test_a_fault_of_the_set_is_met_as_the_truth_says(arguments: Any, mint: Any, tmp_path: Path) -> None:
    _check(mint(**arguments), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", EACH_ROW)
def test_a_fault_of_one_row_is_met_as_the_truth_says(arguments: Any, mint: Any, tmp_path: Path) -> None:
    _check(mint(**arguments), tmp_path)


def test_at_least_sixty_faults_have_names() -> None:
    assert len(faults.ALL) >= 60
