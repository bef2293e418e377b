"""What stands above every record: the manifest, the tag manifest, the custody log and the statement that name them.

They are compared here, and no more than that: whether the log is whole, who signed and when, is for `bagtag verify`.
"""

from __future__ import annotations

from bagtag.custody import durable, log
from bagtag.custody.line import Artifact, CustodyLine
from bagtag.reports.bundle import manifest, statement
from bagtag.reports.trace.folder import MANIFEST, Folder
from bagtag.reports.trace.station import Station

_STATEMENT = "seal/statement.json"
_TAGS = f"bag/{manifest.TAGS}"


def above(folder: Folder) -> Station:
    """The payload digest and the bag digest, and the lines and the statement that name them."""
    payload, bag = folder.sha256(manifest.PAYLOAD), folder.sha256(manifest.TAGS)
    station = Station(kind="seal", title="What stands above", facts={"payload_digest": payload, "bag_digest": bag})
    where, listed = f"{_TAGS}, no line", None
    try:
        with folder.open(manifest.TAGS) as file:
            for number, raw in enumerate(iter(lambda: file.readline(1 << 16), b""), 1):
                line = manifest.parse(raw, number)
                if isinstance(line, manifest.Listed) and line.path == manifest.PAYLOAD.encode():
                    listed, where = line.sha256, f"{_TAGS}, line {number}"
    except OSError as trouble:
        station.sentences.append(f"{_TAGS} cannot be read: {trouble.strerror or trouble}.")
    station.compare(f"payload digest (sha256 of {MANIFEST})", listed, where, payload)
    _log(station, folder, payload, bag)
    _statement(station, folder, payload, bag)
    station.sentences.append(
        "This is no verification: `bagtag verify` checks every file of the folder, the custody log, signatures and "
        "stamps."
    )
    return station


def _log(station: Station, folder: Folder, payload: str | None, bag: str | None) -> None:
    """The lines of the living log that name the two digests first."""
    wanted = {manifest.PAYLOAD: ("payload digest", payload), manifest.TAGS: ("bag digest", bag)}
    sealed = False
    try:
        for entry in log.read(folder.dest / "custody.jsonl"):
            if not isinstance(entry.line, CustodyLine):
                continue
            sealed = sealed or entry.line.event == "sealed"
            named = {each.name: each for each in entry.line.outputs} if sealed else {}
            for name in [each for each in wanted if each in named]:
                artifact: Artifact = named[name]
                what, digest = wanted.pop(name)
                where = f"custody.jsonl, line {entry.number} ({entry.line.event})"
                station.compare(f"{what} (sha256 of bag/{name})", artifact.sha256, where, digest)
            if not wanted:
                return
    except OSError as trouble:
        station.sentences.append(f"custody.jsonl cannot be read: {trouble.strerror or trouble}.")
    for name, (what, digest) in wanted.items():
        station.compare(f"{what} (sha256 of bag/{name})", None, "custody.jsonl, no line", digest)


def _statement(station: Station, folder: Folder, payload: str | None, bag: str | None) -> None:
    try:
        with durable.open_regular(folder.dest / _STATEMENT) as file:
            facts = statement.parse(file.read(statement.MAX_SIZE))
    except (OSError, ValueError) as trouble:
        station.compare("the statement", "a statement over this bag", _STATEMENT, f"none that can be read: {trouble}")
        return
    station.compare(f"payload digest (sha256 of {MANIFEST})", facts.payload_digest, _STATEMENT, payload)
    station.compare(f"bag digest (sha256 of {_TAGS})", facts.bag_digest, _STATEMENT, bag)
