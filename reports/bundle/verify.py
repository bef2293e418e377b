"""Checking an evidence folder: every problem, and one verdict. Reads only; needs no network, no backup, no key.

 1 structure      the names and kinds that belong there, and nothing else
 2 completeness   the manifest beside the payload, both ways
 3 digests        every payload file has the bytes that were sealed
 4 tag files      the same two for the files beside the payload; the label and its profile
 5 chains         both custody logs are sound
 6 sealing        the sealed log is the beginning of the living one; `sealed` and the line after it name the digests
 7 statement      seal/statement.json is canonical and names this bag and that line
 8 records        have the published shape, and the files that they name
 9 anchors        what was given from outside: the expected bag digest, another copy of the log

No step stops at its first problem, and no problem keeps a later step from its own (public contract, verdicts).
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from bagtag.custody import chain, durable, log
from bagtag.custody.errors import EvidenceError, UsageError
from bagtag.custody.line import Artifact, CustodyLine, SignedLine
from bagtag.custody.problem import Problem
from bagtag.custody.progress import Progress, Silent
from bagtag.reports.bundle import bag_info, contents, manifest, profile, readme, shapes, statement, structure
from bagtag.reports.bundle.contents import Contents, sha256_of
from bagtag.reports.bundle.tree import walk
from bagtag.reports.bundle.verdict import Reach, Verdict, Verification, anchored

_SIGNS = ("bag/bagit.txt", "bag/manifest-sha256.txt", "seal/statement.json")
_HEX = re.compile(r"[0-9a-f]{64}")


def verify(
    dest: Path,
    *,
    expect: str | None = None,
    other_log: Path | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check the evidence folder `dest`.

    `expect` is the bag digest as it was given by another way than the folder; `other_log` another party's copy of
    custody.jsonl; `progress` counts the bytes of the payload.
    Raises EvidenceError when `dest` is no evidence folder, UsageError when an anchor is none.
    """
    wanted = _expected(expect)
    _evidence_folder(dest)
    found = structure.problems(dest)  # 1
    bag = dest / "bag"
    payload = _payload(bag, progress or Silent())  # 2 and 3
    found += payload.problems
    found += _tag_files(bag, payload)  # 4
    living = chain.examine(dest / "custody.jsonl", "custody.jsonl")  # 5
    sealed = chain.examine(bag / "custody.jsonl", "bag/custody.jsonl")
    found += living.problems + sealed.problems
    found += _sealing(dest, sealed.count)  # 6
    stated, problems = _statement(dest)  # 7
    found += problems
    found += _records(bag, payload)  # 8
    bag_digest = _digest(bag / manifest.TAGS)  # 9
    if wanted is not None and bag_digest != wanted:
        found.append(Problem(f"bag/{manifest.TAGS}", "is not the bag digest that was given", wanted, bag_digest))
    other, problems = _other_log(dest / "custody.jsonl", other_log)
    found += problems
    verdict: Verdict = "broken" if found else "authentic" if wanted is not None else "intact"
    reach = Reach(living.count, sealed.count - 1 if sealed.count else None, stated, other)
    return Verification(
        verdict=verdict,
        problems=tuple(dict.fromkeys(found)),
        payload_digest=_digest(bag / manifest.PAYLOAD),
        bag_digest=bag_digest,
        anchored=anchored(reach, broken=bool(found), expected=wanted is not None),
        notes=(*living.notes, *_unchecked(dest / "custody.jsonl")),
    )


def _expected(expect: str | None) -> str | None:
    if expect is None:
        return None
    digest = expect.strip().lower()
    if _HEX.fullmatch(digest) is None:
        raise UsageError(f"no bag digest: {expect!r}", hint="a bag digest is 64 hexadecimal digits (sha256)")
    return digest


def _evidence_folder(dest: Path) -> None:
    if not dest.is_dir():
        raise EvidenceError(
            f"{dest} is no folder", hint="name the folder that holds README.txt, bag/ and custody.jsonl"
        )
    is_bag = (dest / "bagit.txt").exists()
    if not any((dest / sign).exists() for sign in _SIGNS) and (is_bag or not (dest / "custody.jsonl").exists()):
        hint = "name the folder that holds README.txt, bag/ and custody.jsonl"
        if is_bag:
            hint = f"this is a bag; name the folder round it: {dest.absolute().parent}"
        raise EvidenceError(f"{dest} is no evidence folder", hint=hint)


def _digest(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None  # step 1 or 4 says so


def _unchecked(living: Path) -> list[str]:
    """Signatures in the log are read, but nobody is asked whether they hold: that must be said."""
    try:
        signed = [entry.number for entry in log.read(living) if isinstance(entry.line, SignedLine)]
    except OSError:
        return []  # step 5 says so
    return [
        f"custody.jsonl: line {number} is a signature, which this version of bagtag does not check" for number in signed
    ]


def _is_folder(path: Path) -> bool:
    """A folder and no link to one: step 1 names the link, and nothing behind it is read."""
    return path.is_dir() and not path.is_symlink()


# -- 2 completeness, 3 digests ---------------------------------------------------------------------------------------


def _payload(bag: Path, progress: Progress) -> Contents:
    if not _is_folder(bag):
        return Contents(ordered=False)
    progress.step("checking the payload", _declared_octets(bag))
    nodes = walk(bag / "data", b"data/") if _is_folder(bag / "data") else iter(())
    return contents.compare(bag, manifest.PAYLOAD, nodes, payload=True, progress=progress)


def _labels(bag: Path) -> list[tuple[str, str]]:
    """Raises OSError, or ValueError with what is wrong with the file."""
    with durable.open_regular(bag / "bag-info.txt") as file:
        return bag_info.parse(file.read(bag_info.MAX_SIZE))


def _declared_octets(bag: Path) -> int | None:
    try:
        oxum = dict(_labels(bag)).get("Payload-Oxum", "")
    except (OSError, ValueError):
        return None  # step 4 says so
    octets = oxum.partition(".")[0]
    return int(octets) if octets.isascii() and octets.isdigit() and len(octets) < 20 else None


# -- 4 tag files -----------------------------------------------------------------------------------------------------


def _tag_files(bag: Path, payload: Contents) -> list[Problem]:
    if not _is_folder(bag):
        return []
    skip = frozenset({b"data", manifest.TAGS.encode()})
    found = contents.compare(bag, manifest.TAGS, walk(bag, skip=skip), payload=False, progress=Silent()).problems
    for name, expected in (("bagit.txt", structure.BAGIT_TXT), ("profile.json", profile.text())):
        try:
            with durable.open_regular(bag / name) as file:
                if file.read(len(expected) + 1) != expected:
                    found.append(Problem(f"bag/{name}", "is not byte for byte what bagtag writes there"))
        except OSError:
            continue  # step 1 says so
    try:
        labels = _labels(bag)
    except OSError:
        return found  # step 1 says so
    except ValueError as trouble:
        return [*found, Problem("bag/bag-info.txt", str(trouble))]
    found += profile.problems(labels)
    declared, oxum = dict(labels).get("Payload-Oxum"), f"{payload.octets}.{payload.files}"
    if declared != oxum:
        found.append(Problem("bag/bag-info.txt", "Payload-Oxum is not that of the payload", declared, oxum))
    return found


# -- 6 sealing -------------------------------------------------------------------------------------------------------


def _sealing(dest: Path, count: int) -> list[Problem]:
    living, copy = dest / "custody.jsonl", dest / "bag/custody.jsonl"
    found: list[Problem] = []
    try:
        if not chain.is_prefix(copy, living):
            number = chain.first_difference(copy, living)
            at = "" if number is None else f" from line {number} on"
            found.append(Problem("custody.jsonl", f"does not go on from bag/custody.jsonl: it differs{at}"))
        found += _sealed_line(dest, copy, count)
        events = [entry.line.event for entry in log.read(living) if entry.line is not None]
        if events.count("sealed") != 1:
            found.append(Problem("custody.jsonl", "is not sealed once", "1", str(events.count("sealed"))))
        after = next((entry.line for entry in islice(log.read(living), count, None)), None)
    except OSError:
        return found  # step 5 says so
    named = _named(after.outputs, manifest.TAGS) if isinstance(after, CustodyLine) else None
    if named is None:
        found.append(Problem("custody.jsonl", f"line {count} does not name the bag digest", manifest.TAGS, "nothing"))
    else:
        found += _same(dest / "bag" / manifest.TAGS, f"bag/{manifest.TAGS}", named, f"line {count} of custody.jsonl")
    return found


def _sealed_line(dest: Path, copy: Path, count: int) -> list[Problem]:
    last = next((entry.line for entry in islice(log.read(copy), max(count - 1, 0), None)), None)
    if not isinstance(last, CustodyLine) or last.event != "sealed":
        return [Problem("bag/custody.jsonl", "does not end with a sealed line")]
    found: list[Problem] = []
    for name, path in ((manifest.PAYLOAD, f"bag/{manifest.PAYLOAD}"), (readme.NAME, readme.NAME)):
        named = _named(last.outputs, name)
        if named is None:
            found.append(Problem("bag/custody.jsonl", f"the sealed line does not name {name}", name, "nothing"))
        else:
            found += _same(dest / path, path, named, "the sealed line")
    return found


def _named(outputs: tuple[Artifact, ...], name: str) -> Artifact | None:
    return next((output for output in outputs if output.name == name), None)


def _same(path: Path, name: str, named: Artifact, by: str) -> list[Problem]:
    """The file has the digest and size by which a custody line names it."""
    found: list[Problem] = []
    sha256 = _digest(path)
    if sha256 is not None and sha256 != named.sha256:
        found.append(Problem(name, f"is not what {by} names (sha256)", named.sha256, sha256))
    if sha256 is not None and named.size != (size := path.lstat().st_size):
        found.append(Problem(name, f"is not what {by} names (size)", str(named.size), str(size)))
    return found


# -- 7 statement -----------------------------------------------------------------------------------------------------


def _statement(dest: Path) -> tuple[int | None, list[Problem]]:
    """The number of the custody line that the statement names, and what is wrong with the statement."""
    name = "seal/statement.json"
    try:
        with durable.open_regular(dest / name) as file:
            facts = statement.parse(file.read(statement.MAX_SIZE))
    except OSError:
        return None, []  # step 1 says so
    except ValueError as trouble:
        return None, [Problem(name, str(trouble))]
    found = [
        Problem(name, f"names another {what}", sha256, said)
        for what, said, path in (
            ("bag digest", facts.bag_digest, dest / "bag" / manifest.TAGS),
            ("payload digest", facts.payload_digest, dest / "bag" / manifest.PAYLOAD),
        )
        if (sha256 := _digest(path)) is not None and sha256 != said
    ]
    try:
        sealed = sum(1 for _ in log.read(dest / "bag/custody.jsonl"))
        line = next(islice(log.read(dest / "custody.jsonl"), min(facts.custody_seq, sealed), None), None)
    except OSError:
        return None, found  # step 5 says so
    if facts.custody_seq != sealed:
        found.append(
            Problem(name, "names another line than the one after the sealing", str(sealed), str(facts.custody_seq))
        )
    elif line is None or line.sha256 != facts.custody_head:
        # Which of the two was changed cannot be told from here, so both are named.
        lies, head = None if line is None else line.sha256, facts.custody_head
        found.append(Problem("custody.jsonl", f"line {sealed} is not the one that {name} names", head, lies))
        found.append(Problem(name, f"does not name line {sealed} of custody.jsonl", lies, head))
    return facts.custody_seq, found


# -- 8 records -------------------------------------------------------------------------------------------------------


def _records(bag: Path, payload: Contents) -> list[Problem]:
    """Left out where the manifest is none or out of order: nothing could be looked up, and earlier steps say so."""
    if not payload.ordered or not _is_folder(bag / "data") or not _is_folder(bag / "schemas"):
        return []
    try:
        return shapes.problems(bag)
    except OSError as trouble:
        return [Problem("bag", f"the records cannot be read: {trouble.strerror or trouble}")]


# -- 9 anchors -------------------------------------------------------------------------------------------------------


def _other_log(living: Path, other: Path | None) -> tuple[int | None, list[Problem]]:
    """The last line that the two copies have in common, and where they part."""
    if other is None:
        return None, []
    try:
        theirs = chain.examine(other, str(other))
        count = sum(1 for _ in log.read(other))
        if count == 0:
            raise UsageError(f"{other} holds no custody line", hint="name the other party's copy of custody.jsonl")
        if theirs.problems:
            return None, theirs.problems
        number = chain.first_difference(other, living)
    except OSError as trouble:
        if not other.is_file():
            raise UsageError(f"{other} cannot be read: {trouble}", hint="name a copy of custody.jsonl") from trouble
        return None, []  # the living log is missing: step 1 says so
    if number is None:
        return count - 1, []
    ours = sum(1 for _ in log.read(living))
    if number >= ours:
        what = f"was cut: the other copy goes on after line {ours - 1}"
        return None, [Problem("custody.jsonl", what, f"{count} lines", f"{ours} lines")]
    return None, [Problem("custody.jsonl", f"differs from the other copy from line {number} on")]
