"""The tag files of a bag as anybody may write them (RFC 8493, section 2.2, and the drafts 0.93 to 0.97 before it).

`bag_info` and `manifest` read what bagtag wrote and nothing else; this reads every bag: in the encoding that bagit.txt
declares, with any line end, with digests in either case, and says what the format does not allow.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

Version = tuple[int, int]
VERSIONS: tuple[Version, ...] = ((0, 93), (0, 94), (0, 95), (0, 96), (0, 97), (1, 0))
V1: Version = (1, 0)
_DECLARATION = re.compile(r"BagIt-Version: (\d{1,4})\.(\d{1,4})\nTag-File-Character-Encoding: (\S{1,64})\n?")
_LINE_END = re.compile(r"\r\n|\r|\n")
_ENTRY = re.compile(r"([0-9A-Fa-f]{2,512})[ \t]+(\S.*)", re.DOTALL)
_ESCAPE = re.compile(r"%(0[aAdD]|25)")
_LABEL = re.compile(r"([^\s:](?:[^:]*[^\s:])?):[ \t](.*)", re.DOTALL)
_URL = re.compile(r"file:/|[a-z][a-z0-9+.-]*://[^/]", re.IGNORECASE)
_NO_CHARSET = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})


@dataclass(frozen=True, slots=True)
class Declared:
    """What bagit.txt says; `encoding` is Python's name for that of the other tag files."""

    version: Version
    encoding: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a manifest: the path, decoded, and its digest in small letters."""

    number: int
    path: str
    digest: str


@dataclass(slots=True)
class Lines:
    """What a tag file holds, what the format forbids about it, and what it merely frowns on."""

    entries: list[Entry] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def declared(raw: bytes) -> Declared:
    """Read bagit.txt. Raises ValueError with what is wrong."""
    if raw.startswith(codecs.BOM_UTF8):
        raise ValueError("begins with a byte-order mark")
    try:
        text = _LINE_END.sub("\n", raw.decode("utf-8"))
    except UnicodeDecodeError as trouble:
        raise ValueError("is no UTF-8") from trouble
    found = _DECLARATION.fullmatch(text)
    if found is None:
        raise ValueError("is not the two lines `BagIt-Version: M.N` and `Tag-File-Character-Encoding: NAME`")
    version = int(found[1]), int(found[2])
    if version not in VERSIONS:
        raise ValueError(f"declares version {found[1]}.{found[2]}, which is none that was published")
    charset = _charset(found[3])
    if charset is None:
        raise ValueError(f"declares the encoding {found[3]!r}, which is not known")
    return Declared(version, charset)


def _charset(name: str) -> str | None:
    """Python's name for an encoding of text; None for what is none."""
    try:
        charset = codecs.lookup(name).name
        "".encode(charset)
    except (LookupError, ValueError):
        return None
    return None if charset.replace("-", "_") in _NO_CHARSET else charset


def manifest(raw: bytes, said: Declared) -> Lines:
    """The entries of a manifest or tag manifest."""
    found = Lines()
    for number, line in _lines(raw, said, found):
        if not line:
            found.notes.append(f"line {number} is empty")
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            found.problems.append(f"line {number} is no line of digest, space and path")
            continue
        name = entry[2]
        if name.startswith("*"):
            found.notes.append(f"line {number} has an asterisk before the path, as md5sum writes it")
            name = name[1:]
        path = _decoded(name, said.version)
        while path.startswith("./"):
            found.notes.append(f"line {number} has ./ before the path")
            path = path[2:]
        if said.version >= V1 and "%" in _ESCAPE.sub("", name):
            found.problems.append(f"line {number} holds a % that is not encoded as %25")
        elif (why := _unsafe(path)) is not None:
            found.problems.append(f"line {number} names a path that may lead out of the bag ({why}): {path}")
        else:
            found.entries.append(Entry(number, path, entry[1].lower()))
    return found


def bag_info(raw: bytes, said: Declared) -> Lines:
    """The labels of bag-info.txt, in order; the lines of a long value are joined."""
    found = Lines()
    for number, line in _lines(raw, said, found):
        if not line.strip():
            continue
        if line[0] in " \t" and found.labels:
            label, value = found.labels[-1]
            found.labels[-1] = (label, f"{value} {line.strip()}")
            continue
        matched = _LABEL.fullmatch(line if line.endswith((" ", "\t")) or ":" not in line else line + " ")
        if matched is None and (said.version >= V1 or ":" not in line):
            found.problems.append(f"line {number} is no `Label: value`")
        elif matched is None:
            label, _, value = line.partition(":")
            found.labels.append((label.strip(), value.strip()))
        else:
            found.labels.append((matched[1], matched[2].strip()))
    return found


def fetch(raw: bytes, said: Declared) -> Lines:
    """The paths that fetch.txt says to fetch; the entries' digests are empty."""
    found = Lines()
    for number, line in _lines(raw, said, found):
        fields = line.split(None, 2)
        if len(fields) != 3 or not (fields[1] == "-" or (fields[1].isascii() and fields[1].isdigit())):
            found.problems.append(f"line {number} is no line of URL, length and path")
            continue
        url, _, name = fields
        path = _decoded(name, said.version)
        if _URL.match(url) is None:
            found.problems.append(f"line {number} has no URL")
        if (why := _unsafe(path)) is not None:
            found.problems.append(f"line {number} names a path that may lead out of the bag ({why}): {path}")
        elif said.version >= V1 and not path.startswith("data/"):
            found.problems.append(f"line {number} names a path outside data/: {path}")
        else:
            found.entries.append(Entry(number, path, ""))
    return found


def _lines(raw: bytes, said: Declared, found: Lines) -> Iterator[tuple[int, str]]:
    try:
        text = raw.decode(said.encoding)
    except (UnicodeDecodeError, ValueError):
        found.problems.append(f"is not in the encoding that bagit.txt declares ({said.encoding})")
        return
    if text.startswith("\ufeff"):
        found.notes.append("begins with a byte-order mark")
        text = text[1:]
    lines = _LINE_END.split(text)
    if lines and not lines[-1]:
        lines.pop()
    yield from enumerate(lines, 1)


def _decoded(name: str, version: Version) -> str:
    """CR, LF and, since 1.0, the per cent sign are encoded in paths, and nothing else is."""
    return _ESCAPE.sub(lambda each: each[0] if each[1] == "25" and version < V1 else chr(int(each[1], 16)), name)


def _unsafe(path: str) -> str | None:
    if path.startswith(("/", "~", "\\")) or re.match(r"[A-Za-z]:[/\\]", path):
        return "absolute"
    if "\0" in path:
        return "NUL"
    if any(part in {"", ".", ".."} for part in path.split("/")):
        return "empty component, . or .."
    if ".." in path.split("\\"):
        return "backslashes"
    return None
