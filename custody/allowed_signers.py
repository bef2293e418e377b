"""Whom a lab lets sign: a public key in PEM, or a register of keys with names, periods and revocations.

The register is OpenSSH's allowed-signers file (ssh-keygen(1), "ALLOWED SIGNERS"), which labs keep already:

    ann@lab.example,"Ann Lee" valid-after="20240101Z",valid-before="20261231Z" ssh-ed25519 AAAA… comment

A time without `Z` is in this computer's zone, as OpenSSH reads it. One thing is added, known from known_hosts: a line
that begins with `@revoked` revokes its key altogether. Who holds a stolen key dates signatures as he likes, so a
revocation has no date. Whether a signature holds is not judged here, only whose key it is.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_ssh_public_key,
)

from bagtag.custody import durable
from bagtag.custody.errors import UsageError
from bagtag.custody.signer import PublicKey
from bagtag.custody.times import unix_ns

NAMESPACE = "bagtag"
"""A line that names namespaces counts here only when this is among them."""
KIND = "ssh-ed25519"
_MAX_FILE = 1 << 20
_BLANK = " \t\r\n"
_KEY_KIND = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]+")
_OPTION = re.compile(r'([A-Za-z-]+)(?:="([^"\\]*)")?(?:,|$)')
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|UTC)?", re.IGNORECASE)
_HINT = 'a line is: NAME[,NAME…] [valid-after="YYYYMMDDZ",valid-before="YYYYMMDDZ"] ssh-ed25519 AAAA…'


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """One key that may sign, or, `revoked`, may not. Times are UTC with milliseconds and `Z`, both inclusive."""

    key: PublicKey
    names: tuple[str, ...] = ()
    valid_after: str | None = None
    valid_before: str | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whose a key is. `known`: it is in the register; `trusted`: it may sign then; `why`: a predicate of the key."""

    trusted: bool
    known: bool
    name: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Trust:
    """All that was given as trusted, from however many files."""

    signers: tuple[AllowedSigner, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Self:
        """Read every file. Raises UsageError for the first one that is neither a key nor a register."""
        return cls(tuple(signer for path in paths for signer in read(path)))

    def key(self, keyid: str) -> PublicKey | None:
        """The public key of that id, whatever is thought of it; None when no file holds it."""
        return next((signer.key for signer in self._of(keyid)), None)

    def judge(self, keyid: str, at: str | None) -> Judgement:
        """Whether that key may sign at `at` (RFC 3339, as the log claims; None when nobody says). Never raises."""
        known = list(self._of(keyid))
        if not known:
            return Judgement(trusted=False, known=False, name=None, why="is not among the trusted keys")
        names = dict.fromkeys(name for signer in known for name in signer.names)
        name = ", ".join(names) or None
        if any(signer.revoked for signer in known):
            whose = f" (the key of {name})" if name else ""
            return Judgement(trusted=False, known=True, name=name, why=f"was revoked{whose}")
        refusals: list[str] = []
        for signer in known:
            refusal = _outside_its_period(signer, at)
            if refusal is None:
                name = ", ".join(signer.names) or None
                return Judgement(
                    trusted=True, known=True, name=name, why=f"is valid as {name}" if name else "is a trusted key"
                )
            refusals.append(refusal)
        return Judgement(trusted=False, known=True, name=name, why="; ".join(dict.fromkeys(refusals)))

    def _of(self, keyid: str) -> Iterator[AllowedSigner]:
        return (signer for signer in self.signers if signer.key.keyid == keyid)


def read(path: Path) -> tuple[AllowedSigner, ...]:
    """The key in a PEM file, or every line of a register that counts for bagtag.

    Raises UsageError, with the line's number, for anything malformed, and for a file that lets nobody sign.
    """
    try:
        with durable.open_regular(path) as file:
            raw = file.read(_MAX_FILE + 1)
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read: {trouble.strerror or trouble}",
                         hint="name a public key in PEM or an allowed-signers file") from trouble  # fmt: skip
    if len(raw) > _MAX_FILE:
        raise UsageError(f"{path} is larger than {_MAX_FILE:,} bytes", hint="no register of signers comes near")
    if raw.lstrip().startswith(b"-----BEGIN "):
        return (AllowedSigner(_pem(path, raw)),)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        place = raw.count(b"\n", 0, trouble.start) + 1
        raise UsageError(f"{path}, line {place}: is no UTF-8 text", hint=_HINT) from trouble
    found: list[AllowedSigner] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if (bare := line.strip(_BLANK)) and not bare.startswith("#"):
            try:
                found += _line(bare)
            except ValueError as trouble:
                raise UsageError(f"{path}, line {number}: {trouble}", hint=_HINT) from trouble
    if not found:
        raise UsageError(f"{path} names no key that may sign for bagtag", hint=_HINT)
    return tuple(found)


def register_line(names: Sequence[str], key: PublicKey) -> str:
    """The line that enters this key in a register (no newline). Raises UsageError for a name that no line can hold."""
    listed = ",".join(checked_names(names))
    plain = not any(character in _BLANK for character in listed) and listed[0] not in "#@"
    plain = plain and _KEY_KIND.fullmatch(listed) is None
    public = load_der_public_key(key.der)
    assert isinstance(public, Ed25519PublicKey)  # PublicKey is made of nothing else
    return f"{listed if plain else chr(34) + listed + chr(34)} {_ssh(public)}"


def checked_names(names: Sequence[str]) -> list[str]:
    """The names without blanks round them. Raises UsageError for one that no line of a register can hold."""
    checked = [name.strip() for name in names]
    for name in checked:
        if not name or not name.isprintable() or any(odd in name for odd in '",*?!\\'):
            raise UsageError(
                f"{name!r} cannot stand in a register of signers",
                hint="a name has no comma, quotation mark, asterisk, question or exclamation mark and no backslash",
            )
    return checked


def _pem(path: Path, raw: bytes) -> PublicKey:
    """A key that a person hands over: line ends of another system are forgiven, unlike in a seal folder."""
    if b"PRIVATE KEY-----" in raw:
        raise UsageError(f"{path} is a private key", hint="`bagtag signer show FILE --public OUT.pem` gives the public")
    if raw.count(b"-----BEGIN ") > 1:
        raise UsageError(f"{path} holds several keys", hint="give one key a file, or an allowed-signers file")
    try:
        return PublicKey.from_pem(raw.replace(b"\r\n", b"\n").strip() + b"\n")
    except ValueError as trouble:
        raise UsageError(f"{path} {trouble}", hint="`bagtag signer show FILE --public OUT.pem` writes one") from trouble


def _line(text: str) -> list[AllowedSigner]:
    """The signer that a line of the register names; none when it counts for other programs only. Raises ValueError."""
    revoked = False
    if text.startswith("@"):
        marker, _, text = _word(text)
        if marker != "@revoked":
            raise ValueError(f"the marker {marker} is not known here, only @revoked is")
        revoked = True
    listed, quoted, rest = _word(text)
    names = tuple(name.strip() for name in listed.split(","))
    if not all(names) or not listed.isprintable():
        raise ValueError("a name is empty or cannot be printed")
    if any(name.startswith("!") for name in names):
        raise ValueError("a name that begins with ! names nobody")
    if not quoted and _KEY_KIND.fullmatch(listed):
        raise ValueError("begins with the key: the name of its holder is missing")
    options = ""
    if rest and not _KEY_KIND.fullmatch(_word(rest)[0]):
        options, rest = _options_end(rest)
    after, before, counts = _options(options)
    if revoked and options:
        raise ValueError("a revocation has no options: it holds for every signature of the key")
    signer = AllowedSigner(_key(rest), names, after, before, revoked)
    return [signer] if counts else []


def _word(text: str) -> tuple[str, bool, str]:
    """The next word, whether it was in quotation marks, and what follows it, as OpenSSH's strdelim cuts."""
    if text.startswith('"'):
        word, mark, rest = text[1:].partition('"')
        if not mark:
            raise ValueError("a quotation mark is not closed")
        return word, True, rest.lstrip(_BLANK)
    found = re.match(r"[^ \t\r\n\"]*", text)
    end = found.end() if found else 0
    if text[end : end + 1] == '"':
        word, mark, rest = text[end + 1 :].partition('"')
        if not mark:
            raise ValueError("a quotation mark is not closed")
        return text[:end] + word, True, rest.lstrip(_BLANK)
    return text[:end], False, text[end:].lstrip(_BLANK)


def _options_end(text: str) -> tuple[str, str]:
    """Options end at the first blank outside quotation marks."""
    quoted = False
    for place, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character in _BLANK and not quoted:
            return text[:place], text[place:].lstrip(_BLANK)
    raise ValueError("a quotation mark is not closed" if quoted else "holds no key")


def _options(text: str) -> tuple[str | None, str | None, bool]:
    """From when, until when, and whether the line counts for bagtag. Raises ValueError."""
    values: dict[str, str | None] = {}
    place = 0
    while place < len(text):
        found = _OPTION.match(text, place)
        if found is None:
            raise ValueError(f"cannot read the options from {text[place : place + 40]!r} on")
        name = found[1].lower()
        if name == "cert-authority":
            raise ValueError("cert-authority: keys that certify others are not known here, name each key itself")
        if name not in {"valid-after", "valid-before", "namespaces"}:
            raise ValueError(f"the option {found[1]} is not known")
        if name in values:
            raise ValueError(f"the option {name} is given twice")
        if not found[2]:
            raise ValueError(f'the option {name} needs a value in quotation marks: {name}="…"')
        values[name] = found[2]
        place = found.end()
    if text.endswith(","):
        raise ValueError("the options end with a comma")
    after, before = _moment(values.get("valid-after")), _moment(values.get("valid-before"))
    if after is not None and before is not None and before <= after:
        raise ValueError("valid-before is not after valid-after: such a key was never valid")
    spaces = values.get("namespaces")
    return after, before, spaces is None or _in_pattern_list(NAMESPACE, spaces)


def _in_pattern_list(text: str, patterns: str) -> bool:
    """OpenSSH's lists of patterns: `*` and `?`, and one with `!` that fits rules out."""
    fits = False
    for pattern in patterns.split(","):
        # A bracket means itself here.
        if fnmatch.fnmatchcase(text, pattern.strip().removeprefix("!").replace("[", "[[]")):
            if pattern.strip().startswith("!"):
                return False
            fits = True
    return fits


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time: YYYYMMDD[HHMM[SS]][Z]")
    try:
        numbers = [int(number or 0) for number in found.groups()[:6]]
        bare = datetime(*numbers, tzinfo=UTC if found[7] else None)  # type: ignore[arg-type, misc]
        return bare.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError) as trouble:
        raise ValueError(f"{text!r} is no time: {trouble}") from trouble


def _key(text: str) -> PublicKey:
    kind, _, rest = _word(text)
    if not kind:
        raise ValueError("holds no key")
    if kind != KIND:
        if _KEY_KIND.fullmatch(kind):
            raise ValueError(f"is a key of the kind {kind}: only {KIND} signs here")
        raise ValueError(f"{kind[:40]!r} is no kind of key: {KIND} is expected")
    encoded = _word(rest)[0]
    try:
        key = load_ssh_public_key(f"{kind} {encoded}".encode())
    except (ValueError, UnsupportedAlgorithm) as trouble:
        raise ValueError(f"holds no {KIND} key after the word {KIND}") from trouble
    if not isinstance(key, Ed25519PublicKey) or _ssh(key) != f"{kind} {encoded}":
        raise ValueError(f"holds no {KIND} key after the word {KIND}")
    return PublicKey.of(key)


def _ssh(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")


def _outside_its_period(signer: AllowedSigner, at: str | None) -> str | None:
    """Why the signer may not sign then; None when it may."""
    if signer.valid_after is None and signer.valid_before is None:
        return None
    limits = []
    if signer.valid_after is not None:
        limits.append(f"from {signer.valid_after} on")
    if signer.valid_before is not None:
        limits.append(f"until {signer.valid_before}")
    trusted = f"is trusted {' and '.join(limits)}"
    if at is None:
        return f"{trusted}, and nothing says when it signed"
    try:
        moment = unix_ns(at)
    except UsageError:
        return f"{trusted}, the signature is dated {at}, which is no time"
    early = signer.valid_after is not None and moment < unix_ns(signer.valid_after)
    late = signer.valid_before is not None and moment > unix_ns(signer.valid_before)
    return f"{trusted}, the signature is dated {at}" if early or late else None
