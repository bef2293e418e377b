"""The frame of a stream: the bytes of a typedstream round its texts, which most bodies share and which is read once.

The content of a byte string (`+`) stands in no table of the stream, so everything else reads alike whatever the content
is: a body is the frame of its kind with other words in it. A frame is read by the whole reader with empty words, and
what is odd in any way has no frame: it is left to the whole reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bagtag.extract.formats.malformed import MalformedError
from bagtag.parsers.formats import archived_object, typedstream
from bagtag.parsers.formats.archived_object import Group, Object
from bagtag.parsers.formats.attribute_runs import Run, Stored, contents, placed, utf16_length
from bagtag.parsers.formats.foundation import Value

LITTLE = b"\x04\x0bstreamtyped"
TEXT_MARK = b"\x84\x01+"  # a new encoding of a byte string: in a body the first one is that of the text
FARTHEST_TEXT = 256
LENGTH_WIDTHS = {0x81: 2, 0x82: 4}
ONE_NUMBER = 160  # what follows a text whose one dictionary holds the part number is shorter
LONGEST = 4096
KEY = b"__kIM"
KEYS = (KEY, b"IMAudioTranscription")
MARK_LENGTH = 3  # of a string after the first: new object, reference to its class, reference to `+`
MOST_WORDS = 64
PLAIN = (str, int, float, bytes)


def framed(data: bytes) -> tuple[str, list[Run]] | None:
    """(text, runs) of a stream, exactly as the whole reader gives them; None where there is no frame to go by."""
    start = data.find(TEXT_MARK, 0, FARTHEST_TEXT) + len(TEXT_MARK)
    if start < len(TEXT_MARK) or start >= len(data) or not data.startswith(LITTLE):
        return None
    head = data[start]
    first = start + 1
    if head < 0x80:
        end = first + head
    else:
        width = LENGTH_WIDTHS.get(head)
        if width is None:
            return None
        first += width
        end = first + int.from_bytes(data[start + 1 : first], "little")
    if end >= len(data) or len(data) - end > LONGEST:
        return None
    after = data[end:]
    words: list[bytes] = []
    if len(after) > ONE_NUMBER:
        after, words = _emptied(after)
    frame = _frame(data[:start], after, len(words))
    if frame is None:
        return None
    try:
        text = data[first:end].decode()
        values = [word.decode() for word in words]
    except UnicodeDecodeError:
        return None
    only = frame.only
    if only is not None and only.length == len(text) == (end - first if text.isascii() else utf16_length(text)):
        return text, [only]
    warnings: list[str] = []
    runs = placed(text, frame.filled(values) if values else frame.stored, warnings)
    return None if warnings else (text, runs)


def _emptied(after: bytes) -> tuple[bytes, list[bytes]]:
    """What follows a text, with its n-th string that is no key as `_word(n)`; and those strings."""
    at = after.find(KEY) - 1
    if at < MARK_LENGTH:
        return after, []
    mark = after[at - MARK_LENGTH : at]
    pieces = after.split(mark)
    words: list[bytes] = []
    for number in range(1, len(pieces)):
        piece = pieces[number]
        if piece.startswith(KEYS, 1):
            continue
        end = 1 + piece[0] if piece else 0
        if not 0 < end <= 0x80 or end > len(piece) or len(words) == MOST_WORDS:
            return after, []
        pieces[number] = _word(len(words)) + piece[end:]
        words.append(piece[1:end])
    return mark.join(pieces), words


def _word(number: int) -> bytes:
    return b"\x03\x00%02d" % number


@dataclass(frozen=True, slots=True)
class _Frame:
    """The runs of a frame. `words` are (dictionary, key, number of the string that stands there).

    `only` is the one run of a text that has as many code points as UTF-16 units, where there are no words.
    """

    stored: list[Stored]
    words: list[tuple[int, str, int]]
    only: Run | None

    def filled(self, values: list[str]) -> list[Stored]:
        """The runs with these strings in their places."""
        made: dict[int, dict[str, Value]] = {}
        for _, attributes in self.stored:
            if id(attributes) not in made:
                made[id(attributes)] = attributes.copy()
        for dictionary, key, number in self.words:
            made[dictionary][key] = values[number]
        return [(length, made[id(attributes)]) for length, attributes in self.stored]


@lru_cache(maxsize=2048)
def _frame(before: bytes, after: bytes, count: int) -> _Frame | None:
    """The frame of these bytes before the length of the text and after the text, with so many words left open."""
    start = len(before) + 1
    data = before + b"\x00" + after
    try:
        archive = typedstream.read(data)
        text, stored = contents(archive.root, archive.warnings, len(data))
    except MalformedError:
        return None
    root, places = archive.root, archive.byte_strings
    if text or not stored or archive.warnings or places[0] != (start, start) or not isinstance(root, Object):
        return None
    string = root.groups[0].values[0]
    if any(each is string for each in _reachable(root.groups[1:])):
        return None
    if not count:
        length, attributes = stored[0]
        return _Frame(stored, [], Run(0, length, 0, length, attributes) if len(stored) == 1 else None)
    names: dict[str, int] = {}
    for number in range(count):
        content = _word(number)[1:]
        at = data.find(content)
        if data.count(content) != 1 or (at, at + len(content)) not in places:
            return None
        names[content.decode()] = number
    words = _words(stored, names)
    return _Frame(stored, words, None) if words is not None and len(words) == count else None


def _words(stored: list[Stored], names: dict[str, int]) -> list[tuple[int, str, int]] | None:
    """Where the words of a frame stand; None where a value is more than a string or number, for one may be in it."""
    found: list[tuple[int, str, int]] = []
    for attributes in {id(each): each for _, each in stored}.values():
        for key, value in attributes.items():
            if not isinstance(value, PLAIN) or key in names:
                return None
            if isinstance(value, str) and value in names:
                found.append((id(attributes), key, names[value]))
    return found


def _reachable(groups: list[Group]) -> Iterator[Object]:
    """Every object that is written or referred to in the groups, each once."""
    left: list[archived_object.Value] = [value for group in groups for value in group.values]
    met: set[int] = set()
    while left:
        value = left.pop()
        if isinstance(value, tuple):
            left.extend(value)
        elif isinstance(value, Object) and id(value) not in met:
            met.add(id(value))
            yield value
            left.extend(member for group in value.groups for member in group.values)
