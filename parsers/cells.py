"""A cell: one value of a database row, and the form in which a record keeps it.

SQLite stores a type with every value, whatever the column declares, so the stored type decides. Public contract,
section 6: integers and floats are kept as strings, a blob as its sha256 and size, and lone surrogates, which neither
UTF-8 nor JSON can hold, become U+FFFD.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from plistlib import UID
from typing import Any

from bagtag.extract.apple_times import apple_iso
from bagtag.extract.formats.binary_plist import Date
from bagtag.parsers.formats.foundation import Range, Unknown, Url
from bagtag.parsers.records import RawValue

MAX_DEPTH = 40
REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_SMALL = {number: str(number) for number in range(-2, 4096)}


def has_surrogate(text: str) -> bool:
    """Whether the text holds lone surrogates (also SQLite's form of bytes that are no UTF-8)."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def whole(text: str) -> str:
    """The text with each lone surrogate as U+FFFD: as many code points as before."""
    return text if text.isascii() else _SURROGATE.sub(REPLACEMENT, text)


def stored(text: str) -> str:
    """A text column with lone surrogates and bytes that are no UTF-8 replaced by U+FFFD.

    Surrogates written as UTF-8 come back as one character: a pair as what it stands for, a lone one as U+FFFD.
    """
    if not has_surrogate(text):
        return text
    try:
        joined = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogatepass")
        return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    except UnicodeError:
        return whole(text)


def blob(value: bytes) -> dict[str, Any]:
    """What a record keeps of a blob."""
    return {"sha256": hashlib.sha256(value).hexdigest(), "size": len(value)}


def raw(value: Any) -> RawValue:
    """The cell as it stands."""
    if value is None:
        return None
    if type(value) is str:
        return stored(value)
    if type(value) is int:
        return _SMALL.get(value) or str(value)
    if type(value) is bytes:
        return blob(value)
    return repr(value)


def raw_row(names: tuple[str, ...], row: tuple[Any, ...], broken: list[str] | None = None) -> dict[str, RawValue]:
    """The first `len(names)` cells of a row under their column names.

    Names of text columns whose bytes are no text are added to `broken`.
    """
    small = _SMALL
    return {
        name: value
        if value is None or (type(value) is str and value.isascii())
        else small[value]
        if type(value) is int and value in small
        else raw(value)
        if type(value) is not str or broken is None
        else _checked(name, value, broken)
        for name, value in zip(names, row, strict=False)
    }


def fill(raw_cells: dict[str, RawValue], places: list[tuple[str, int]], row: tuple[Any, ...]) -> bool:
    """Put the cells of a row at those (name, place) into `raw_cells`, where NULL stands already.

    Whether all text is text; if not, `raw_row` says which is not.
    """
    whole_text = True
    for name, place in places:
        value = row[place]
        if value is None:
            continue
        kind = type(value)
        if kind is int:
            raw_cells[name] = str(value)
        elif kind is not str:
            raw_cells[name] = raw(value)
        elif not has_surrogate(value):
            raw_cells[name] = value
        else:
            whole_text = False
    return whole_text


def fill_json(
    pieces: list[bytes], places: list[tuple[int, int]], row: tuple[Any, ...], encode: Callable[[Any], bytes]
) -> bool:
    """As `fill`, into the pieces of a JSON text at those (number of the piece, place)."""
    whole_text = True
    for number, place in places:
        value = row[place]
        if value is None:
            continue
        kind = type(value)
        if kind is int:
            pieces[number] = b'"%d"' % value
        elif kind is not str:
            pieces[number] = encode(raw(value))
        elif not has_surrogate(value):
            pieces[number] = encode(value)
        else:
            whole_text = False
    return whole_text


def _checked(name: str, value: str, broken: list[str]) -> str:
    if has_surrogate(value):
        broken.append(name)
    return stored(value)


def integer(value: Any) -> int | None:
    """The value as an integer of 64 bits: also a whole float or decimal digits, which declared types do not prevent."""
    found: int | None = None
    if type(value) is int:
        found = value
    elif isinstance(value, float):
        found = int(value) if value.is_integer() else None
    elif isinstance(value, str) and _DIGITS.fullmatch(value):
        found = int(value)
    return found if found is not None and -(2**63) <= found < 2**63 else None


def text(value: Any) -> str | None:
    """The cell as text: also a blob that holds UTF-8; a number as its digits. None for NULL and other blobs."""
    if type(value) is str:
        return value if value.isascii() else stored(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    return None if value is None else str(value)


def plain(value: Any, depth: int = 0) -> Any:
    """A decoded property list, archive or attribute as JSON can hold it.

    Blobs become {sha256, size}, times RFC 3339, URLs their text, objects of unknown classes a mapping with `$class`.
    Numbers that JSON readers cannot hold exactly become strings.
    """
    if depth > MAX_DEPTH:
        return {"$class": "nested too deep"}
    match value:
        case None | bool():
            return value
        case int():
            return value if -(2**53) < value < 2**53 else str(value)
        case float():
            return value if value - value == 0 else repr(value)
        case str():
            return whole(value)
        case bytes():
            return blob(value)
        case Url():
            return whole(value.text if value.base is None else f"{value.base} {value.text}")
        case dict():
            return {whole(str(key)): plain(member, depth + 1) for key, member in value.items()}
        case list() | tuple():
            return [plain(member, depth + 1) for member in value]
        case _:
            return _object(value, depth)


def _object(value: Any, depth: int) -> Any:
    match value:
        case Date():
            finite = value.seconds - value.seconds == 0
            return (apple_iso(value.seconds, "s") if finite else None) or repr(value.seconds)
        case Range():
            return {"location": plain(value.location), "length": plain(value.length)}
        case UID():
            return {"uid": value.data}
        case datetime():
            return value.isoformat()
        case Unknown():
            members = [plain(each, depth + 1) for _, values in value.groups for each in values]
            return {"$class": whole(value.class_name), "values": members}
    return {"$class": type(value).__name__}
