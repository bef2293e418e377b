"""Drafts: what was typed into a conversation and not sent. It is in no database.

Messages keeps each in a folder of its own, `Library/SMS/Drafts/<chat>/composition.plist`, named by the conversation;
files that were to go with it lie beside the list or are named in it. The words under `text` are an archived attributed
string; examiners saw a keyed archive whose attribute `CKCompositionFileURL` names a file. All other keys are kept raw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from typing import Any
from urllib.parse import unquote

from bagtag.extract.evidence import Issue
from bagtag.extract.files import FileFacts
from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers import property_list
from bagtag.parsers.artifact import short
from bagtag.parsers.cells import has_surrogate, plain, whole
from bagtag.parsers.companion_records import Draft, DraftFile
from bagtag.parsers.file_artifact import Holdings, file_artifact, where_of
from bagtag.parsers.formats import keyed_archive
from bagtag.parsers.formats.attributed_string import read_attributed_string
from bagtag.parsers.formats.foundation import Url
from bagtag.parsers.names import Matcher

DOMAIN, FOLDER = "HomeDomain", "Library/SMS/Drafts/"
NAME = "composition.plist"
FILE_URL = "CKCompositionFileURL"
_NO_CHAT = "Pending"
_ARCHIVE = b"bplist00"
_LONGEST_TEXT = 1024 * 1024
_MOST_FILES = 100_000
_MOST_NAMED = 1_000
_MOST_LEVELS = 64


@file_artifact(name="drafts", title="drafts", places=((DOMAIN, FOLDER),), writes=(Draft,))
def drafts(held: Holdings) -> Iterator[Draft | Issue]:
    """Yield a `Draft` for each composition.plist; a file beside none, or a list that cannot be read, is an issue."""
    found = sorted(islice(held.files.under(DOMAIN, FOLDER), _MOST_FILES + 1), key=lambda each: each.relative_path or "")
    if len(found) > _MOST_FILES:
        what = f"more than {_MOST_FILES} files lie below {FOLDER}: the others were not read"
        yield Issue(effect="lost", what=what, where=where_of(found.pop()))
    matcher = held.names.matcher(None)
    for folder, files in groupby(found, key=_folder):
        yield from _read(folder, list(files), held, matcher)


def _folder(facts: FileFacts) -> str:
    """The folder below Drafts; empty for a file that lies in none."""
    first, slash, _ = (facts.relative_path or "")[len(FOLDER) :].partition("/")
    return first if slash else ""


def _read(folder: str, files: list[FileFacts], held: Holdings, matcher: Matcher) -> Iterator[Draft | Issue]:
    path = f"{FOLDER}{folder}/{NAME}"
    if not folder or all(each.relative_path != path for each in files):
        for each in files:
            yield Issue(effect="note", what=f"a file of a draft without {NAME}", where=where_of(each))
        return
    facts = held.files.facts(DOMAIN, path)
    content = held.files.content(DOMAIN, path, property_list.LARGEST + 1)
    if facts is None or content is None:
        listed = next(each for each in files if each.relative_path == path)
        yield Issue(effect="lost", what="a draft cannot be read: its file has no content", where=where_of(listed))
        return
    where = where_of(facts)
    try:
        values = property_list.dictionary(content)
    except MalformedError as trouble:
        yield Issue(effect="lost", what=f"a draft cannot be read: {trouble}", where=where)
        return
    beside = [each for each in files if each.relative_path != path]
    draft = _Composition(values, held, beside)
    known_as, guid = _chat(folder)
    record = Draft(
        id=f"draft/{short(where)}/{NAME}/0",
        folder=whole(folder),
        chat_guid=guid,
        chat_identifier=known_as,
        names=matcher.of(known_as) if known_as else [],
        text=draft.text("text"),
        subject=draft.text("subject"),
        attachments=draft.attachments(),
        modified_at=facts.modified_at,
        provenance=where,
        raw={whole(str(key)): plain(value) for key, value in values.items()},
        notes=[f"the folder {_NO_CHAT} names no conversation"] if folder == _NO_CHAT else [],
    )
    yield record
    for what in draft.troubles:
        yield Issue(effect="partial", what=what, where=where)


def _chat(folder: str) -> tuple[str | None, str | None]:
    """(identifier, guid) of the chat that a folder is named by; a guid has the form `iMessage;-;+12025550171`."""
    if folder == _NO_CHAT:
        return None, None
    name = whole(folder)
    service, _, rest = name.partition(";")
    kind, _, identifier = rest.partition(";")
    if service and identifier and kind in ("-", "+"):
        return identifier, name
    return name, None


class _Composition:
    """The values of one composition.plist; `troubles` are what could not be read of them."""

    def __init__(self, values: Mapping[str | int, Any], held: Holdings, beside: list[FileFacts]) -> None:
        self.troubles: list[str] = []
        self._values = values
        self._held = held
        self._beside = beside
        self._named: list[str] = []

    def text(self, key: str) -> str | None:
        """The words under a key: plain, or an attributed string in either archive; files that it names are noted."""
        value: Any = self._values.get(key)
        if isinstance(value, bytes):
            try:
                value = self._unarchived(value)
            except MalformedError as trouble:
                self.troubles.append(f"{key} of a draft cannot be decoded: {trouble}")
                return None
        if not isinstance(value, str):
            if value is not None:
                self.troubles.append(f"{key} of a draft holds no text")
            return None
        if has_surrogate(value):
            self.troubles.append(f"{key} of a draft holds lone surrogates: each is shown as U+FFFD")
        return whole(value)

    def attachments(self) -> list[DraftFile]:
        """The files that the texts name, in their order, then those that lie beside and are not named."""
        found: list[DraftFile] = []
        left = {each.relative_path or "": each for each in self._beside}
        for url in dict.fromkeys(self._named):
            tail = unquote(url).rstrip("/").rpartition("/")[2]
            path = next((path for path in left if path.endswith(f"/{tail}")), None) if tail else None
            name = whole(tail or url)
            found.append(DraftFile(name=name) if path is None else self._file(left.pop(path), name))
        found += [self._file(each, (each.relative_path or "").rpartition("/")[2]) for each in left.values()]
        return found

    def _file(self, listed: FileFacts, name: str) -> DraftFile:
        facts = self._held.files.facts(DOMAIN, listed.relative_path or "") or listed
        return DraftFile(
            name=name, file_id=facts.file_id, relative_path=facts.relative_path, sha256=facts.sha256, size=facts.size
        )  # fmt: skip

    def _unarchived(self, blob: bytes) -> Any:
        if len(blob) > _LONGEST_TEXT:
            raise MalformedError(f"{len(blob)} bytes, more than {_LONGEST_TEXT}")
        if not blob.startswith(_ARCHIVE):
            string = read_attributed_string(blob)
            for run in string.runs:
                self._note_files(dict(run.attributes), 0)
            return string.text
        value = keyed_archive.read(blob)
        self._note_files(value, 0)
        if isinstance(value, dict):
            value = value.get("NSString")
            if not isinstance(value, str):
                raise MalformedError("an archive that holds no attributed string")
        return value

    def _note_files(self, value: Any, level: int) -> None:
        if level > _MOST_LEVELS or len(self._named) >= _MOST_NAMED:
            return
        if isinstance(value, dict):
            for key, member in value.items():
                if key == FILE_URL and isinstance(member, Url | str):
                    self._named.append(member.text if isinstance(member, Url) else member)
                else:
                    self._note_files(member, level + 1)
        elif isinstance(value, list):
            for member in value:
                self._note_files(member, level + 1)
