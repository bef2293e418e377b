"""What an evidence folder says about itself, for the papers that go with it: read from the folder alone.

Paper must not repeat what was tampered with, so what is printed is checked first against what was sealed: both logs and
their chain, the digests that the log and the statement name, the files beside the payload, each payload file that is
read here, and the signatures whose keys lie in the folder. That is quick and not everything: `bagtag verify` also reads
the whole payload.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bagtag.custody import chain, durable, log
from bagtag.custody.errors import EvidenceError, VerificationError
from bagtag.custody.line import Artifact, CustodyLine, SignedLine
from bagtag.custody.signer import PublicKey
from bagtag.extract.device import Device, device
from bagtag.extract.plists import Plists
from bagtag.extract.stores.folder import FolderStore
from bagtag.reports.bundle import bag_info, manifest, seal_folder, statement
from bagtag.reports.bundle.contents import sha256_of
from bagtag.reports.bundle.seal_folder import SealFolder
from bagtag.reports.bundle.statement import Statement

LOG = "custody.jsonl"
_SOURCE = "data/source"
_MAX_TAG_FILES = 1000


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the living log with its number and SHA-256, and by which keys it is signed.

    A key id of `unchecked` is that of a key which does not lie in the folder.
    """

    number: int
    sha256: str
    line: CustodyLine
    signed: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What the bag's own records count: outcomes and findings of its files, issues by effect."""

    outcomes: dict[str, int]
    findings: dict[str, int]
    effects: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The facts. `labels` are bag-info.txt's; `sealed` is the line that sealed, `named` the one that names the bag."""

    path: Path
    labels: dict[str, str]
    lines: tuple[Logged, ...]
    log_count: int
    log_head: str
    last_at: str
    bag: Artifact
    payload_digest: str
    sealed: Logged
    named: Logged
    device: Device = field(repr=False)
    signatures: tuple[str, ...]
    stamps: int

    def label(self, name: str) -> str | None:
        """A label of bag-info.txt."""
        return self.labels.get(name)

    @property
    def case(self) -> str:
        """The case number."""
        return self.labels.get("Evidence-Case-Number", "")

    @property
    def item(self) -> str:
        """The item number."""
        return self.labels.get("Evidence-Item-Number", "")


def read(dest: Path, living: Path | None = None) -> Folder:
    """Read and check the folder. `living` is where its log goes on; None: in the folder itself.

    Raises EvidenceError when `dest` is no evidence folder, VerificationError when something differs from what was
    sealed.
    """
    bag = dest / "bag"
    if not all((dest / name).is_file() for name in (LOG, f"bag/{manifest.TAGS}", "bag/bag-info.txt", _STATEMENT)):
        raise EvidenceError(
            f"{dest} is no evidence folder", hint="name the folder that holds README.txt, bag/, seal/ and the log"
        )
    try:
        current = living or dest / LOG
        _check_chains(dest, current)
        entries = list(log.read(current))
        tags = Artifact(manifest.TAGS, (bag / manifest.TAGS).stat().st_size, sha256_of(bag / manifest.TAGS))
        _check_tag_files(bag)
        payload = sha256_of(bag / manifest.PAYLOAD)
        keys = _keys(dest)
        lines = _lines(entries, keys)
        sealed, named = _sealing(lines, tags, payload)
        signatures = _statement(dest, keys, tags.sha256, payload, named)
        folder = SealFolder.of([path.name for path in (dest / seal_folder.NAME).iterdir()])
        labels = bag_info.parse(_small(bag / "bag-info.txt", bag_info.MAX_SIZE))
    except (OSError, ValueError) as trouble:
        raise _broken(f"{dest} cannot be read as an evidence folder: {trouble}") from trouble
    return Folder(
        path=dest,
        labels=dict(reversed(labels)),
        lines=lines,
        log_count=len(entries),
        log_head=entries[-1].sha256,
        last_at=max(entry.line.at for entry in entries if entry.line is not None),
        bag=tags,
        payload_digest=payload,
        sealed=sealed,
        named=named,
        device=_device(bag),
        signatures=signatures,
        stamps=len(folder.responses),
    )


_STATEMENT = f"{seal_folder.NAME}/{seal_folder.STATEMENT}"


class _Row(msgspec.Struct):
    outcome: str = ""
    findings: tuple[str, ...] = ()
    effect: str = ""


def count(dest: Path) -> Counts:
    """Count the bag's inventory and issues, streaming. Raises VerificationError when they are not as sealed."""
    outcomes: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    effects: Counter[str] = Counter()
    try:
        for row in _rows(dest, "data/inventory/files.jsonl"):
            outcomes[row.outcome] += 1
            findings.update(row.findings)
        for row in _rows(dest, "data/records/issues.jsonl"):
            effects[row.effect] += 1
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise _broken(f"the records of {dest} cannot be read: {trouble}") from trouble
    return Counts(dict(sorted(outcomes.items())), dict(sorted(findings.items())), dict(sorted(effects.items())))


def _rows(dest: Path, name: str) -> Iterator[_Row]:
    path = dest / "bag" / name
    if not path.exists():
        return
    _check_payload(dest / "bag", name)
    decode = msgspec.json.Decoder(_Row).decode
    with durable.open_regular(path) as file:
        for line in file:
            yield decode(line)


def _check_chains(dest: Path, current: Path) -> None:
    sealed = dest / "bag" / LOG
    # A last line that a crash cut short is closed, and told of, by the next line that is written.
    problems = [*chain.problems(sealed, f"bag/{LOG}"), *chain.examine(current, current.name).lasting]
    if problems:
        raise _broken(str(problems[0]))
    if not chain.is_prefix(sealed, current):
        raise _broken(f"{current.name} does not go on from bag/{LOG}")


def _check_tag_files(bag: Path) -> None:
    """The files beside the payload are small; the manifests and the label are among them."""
    seen: set[bytes] = set()
    for number, line in enumerate(manifest.read(bag / manifest.TAGS)):
        if isinstance(line, manifest.Unreadable):
            raise _broken(f"bag/{manifest.TAGS}: line {line.number} {line.why}")
        if number > _MAX_TAG_FILES:
            raise _broken(f"bag/{manifest.TAGS} lists more than {_MAX_TAG_FILES} files")
        name = line.path.decode("utf-8")
        if sha256_of(bag / name) != line.sha256:
            raise _broken(f"bag/{name} has other bytes than were sealed")
        seen.add(line.path)
    for name in ("bag-info.txt", manifest.PAYLOAD, LOG):
        if name.encode() not in seen:
            raise _broken(f"bag/{manifest.TAGS} does not list {name}")


def _check_payload(bag: Path, name: str) -> None:
    with manifest.Lookup(bag / manifest.PAYLOAD) as listed:
        wanted = listed.digest(name.encode("utf-8"))
    if wanted is None or sha256_of(bag / name) != wanted:
        raise _broken(f"bag/{name} has other bytes than were sealed")


def _keys(dest: Path) -> dict[str, PublicKey]:
    """The public keys in the seal folder, by id. A file that is not what its name says is an error."""
    names = SealFolder.of([path.name for path in (dest / seal_folder.NAME).iterdir()])
    keys = {}
    for keyid in sorted(names.keys):
        key = PublicKey.from_pem(seal_folder.read(dest, f"{keyid}.pub.pem"))
        if key.keyid != keyid:
            raise _broken(f"seal/{keyid}.pub.pem holds another key")
        keys[keyid] = key
    return keys


def _lines(entries: list[log.Entry], keys: dict[str, PublicKey]) -> tuple[Logged, ...]:
    """The steps of the log; signatures over a step are said with it, and checked where the key is at hand."""
    raws = {entry.sha256: entry.raw for entry in entries}
    signed: dict[str, list[str]] = {}
    unchecked: dict[str, list[str]] = {}
    for entry in entries:
        line = entry.line
        if not isinstance(line, SignedLine):
            continue
        key = keys.get(line.keyid)
        if key is not None and not key.accepts(base64.b64decode(line.sig), raws[line.of]):
            raise _broken(f"{LOG}: the signature of line {line.seq} is not the key's")
        (unchecked if key is None else signed).setdefault(line.of, []).append(line.keyid)
    return tuple(
        Logged(entry.number, entry.sha256, entry.line, tuple(signed.get(entry.sha256, ())),
               tuple(unchecked.get(entry.sha256, ())))
        for entry in entries if isinstance(entry.line, CustodyLine)
    )  # fmt: skip


def _sealing(lines: tuple[Logged, ...], tags: Artifact, payload: str) -> tuple[Logged, Logged]:
    """The `sealed` line and the one after it, which name the two digests."""
    place = next((number for number, one in enumerate(lines) if one.line.event == "sealed"), None)
    if place is None or place + 1 >= len(lines):
        raise _broken(f"{LOG} does not say that the bag was sealed")
    sealed, named = lines[place], lines[place + 1]
    if payload not in [item.sha256 for item in sealed.line.outputs if item.name == manifest.PAYLOAD]:
        raise _broken(f"bag/{manifest.PAYLOAD} is not the one that {LOG} line {sealed.number} names")
    if tags not in named.line.outputs:
        raise _broken(f"bag/{manifest.TAGS} is not the one that {LOG} line {named.number} names")
    return sealed, named


def _statement(dest: Path, keys: dict[str, PublicKey], bag_digest: str, payload: str, named: Logged) -> tuple[str, ...]:
    """The key ids of the signatures over the statement, after the statement and each signature were checked."""
    raw = seal_folder.read(dest, seal_folder.STATEMENT)
    facts = statement.parse(raw)
    if facts != Statement(bag_digest, payload, named.sha256, named.number):
        raise _broken(f"{_STATEMENT} is about another bag or another log")
    names = SealFolder.of([path.name for path in (dest / seal_folder.NAME).iterdir()])
    for keyid in sorted(names.signatures):
        key = keys.get(keyid)
        if key is None or not key.accepts(seal_folder.read(dest, f"{keyid}.sig"), raw):
            raise _broken(f"seal/{keyid}.sig is no signature over the statement by the key beside it")
    return tuple(sorted(names.signatures))


def _device(bag: Path) -> Device:
    """What the property lists that the bag carries say about the device."""
    for name in ("Info.plist", "Manifest.plist", "Status.plist"):
        if (bag / _SOURCE / name).exists():
            _check_payload(bag, f"{_SOURCE}/{name}")
    return device(Plists.read(FolderStore(bag / _SOURCE)))


def _small(path: Path, largest: int) -> bytes:
    with durable.open_regular(path) as file:
        raw = file.read(largest + 1)
    if len(raw) > largest:
        raise ValueError(f"{path.name} is larger than {largest:,} bytes")
    return raw


def _broken(what: str) -> VerificationError:
    return VerificationError(what, hint="no paper is made of a broken folder; `bagtag verify` lists every problem")
