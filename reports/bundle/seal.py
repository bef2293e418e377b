"""Sealing an evidence folder from outside the bag: signatures and time stamps over seal/statement.json.

Either may be added later, by somebody else, on another machine; nothing in the bag changes by it. Each leaves files in
seal/ and a line in the living log that names them, in an order that a crash at any point survives: files first, then
the line. What a killed run left half done is completed, or used again, by the next.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bagtag.custody import durable, log, stamp, tsa
from bagtag.custody.errors import UsageError
from bagtag.custody.line import Artifact, CustodyLine, SignedLine
from bagtag.custody.log import CustodyLog
from bagtag.custody.signer import Signer
from bagtag.reports.bundle import seal_folder
from bagtag.reports.bundle.seal_folder import STATEMENT, SealFolder

_MAX_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamping authority: its address, and the certificates (PEM) that the examiner holds it to, if any."""

    url: str
    certificates: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, url: str, certificates: Path | None) -> Authority:
        """Raises UsageError when the file of certificates holds none."""
        return cls(url, () if certificates is None else read_certificates(certificates))


@dataclass(frozen=True, slots=True)
class Stamped:
    """How the attempt ended: the files that were kept, or the reason why there is no stamp."""

    outputs: tuple[Artifact, ...] = ()
    failure: str | None = None


def read_certificates(path: Path) -> tuple[bytes, ...]:
    """The certificates in a PEM file, each encoded again. Raises UsageError."""
    hint = "name a PEM file with the certificates of the time-stamping authority"
    try:
        with durable.open_regular(path) as file:
            found = x509.load_pem_x509_certificates(file.read(_MAX_FILE))
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read: {trouble.strerror or trouble}", hint=hint) from trouble
    except ValueError as trouble:
        raise UsageError(f"{path} holds no certificate in PEM", hint=hint) from trouble
    return tuple(certificate.public_bytes(Encoding.PEM) for certificate in found)


class Seal:
    """The seal folder of one evidence folder, and the log that tells of it. `actor` does it, by `command` if by one."""

    def __init__(self, dest: Path, custody: CustodyLog, actor: str, command: Sequence[str] | None = None) -> None:
        self.dest, self.custody, self.actor, self.command = dest, custody, actor, command

    def settle(self) -> None:
        """Clear away what a killed run left half written: a file in seal/, a last line of the log. Raises OSError."""
        seal_folder.forget_interrupted(self.dest)
        if self.custody.torn:
            self.custody.append(
                "note", result="ok", actor=self.actor, command=self.command, note="goes on after a run that was cut off"
            )

    @property
    def stamps(self) -> int:
        """How many stamps there are. Raises OSError."""
        return len(self._folder().responses)

    def sign(self, signer: Signer, name: str) -> bool:
        """Sign the statement and say so in the log. False when this key's signature stands there already.

        `name` is who the key belongs to, as the signer says it: the key is what can be checked. Raises OSError.
        """
        content = seal_folder.read(self.dest, STATEMENT)
        signature = signer.sign(content)
        place = f"{seal_folder.NAME}/{signer.keyid}.sig"
        if self._named().get(place) == _sha256(signature) and self._holds(f"{signer.keyid}.sig", signature):
            return False
        key = seal_folder.write(self.dest, f"{signer.keyid}.pub.pem", signer.public.pem)
        made = seal_folder.write(self.dest, f"{signer.keyid}.sig", signature)
        self.custody.append(
            "stored", result="ok", actor=name, command=self.command, outputs=[_statement(content), key, made],
            note=f"{seal_folder.NAME}/{STATEMENT} signed by {name} with the key {signer.keyid}",
        )  # fmt: skip
        return True

    def cover(self, signer: Signer) -> SignedLine | None:
        """Sign the log as it stands, unless its last line is this key's signature already."""
        last = deque(log.read(self.custody.path), maxlen=1)
        if last and isinstance(last[0].line, SignedLine) and last[0].line.keyid == signer.keyid:
            return None
        return self.custody.sign(signer)

    def stamp(self, authority: Authority) -> Stamped:
        """Have the statement stamped over the network. One that cannot be had is a line in the log. Raises OSError."""
        content = seal_folder.read(self.dest, STATEMENT)
        place = tsa.shown(authority.url)
        intent = self.custody.begin(
            "stamped", actor=self.actor, command=self.command, inputs=[_statement(content)], note=f"asked {place}"
        )
        request = stamp.request(content)
        try:
            response = tsa.ask(authority.url, request)
            stamp.read(response, request, content)
            if authority.certificates:
                stamp.accept(response, content, authority.certificates)
        except (tsa.TsaError, ValueError) as trouble:
            reason = f"no stamp from {place}: {trouble}"
            self.custody.finish(intent, result="failed", note=reason)
            return Stamped(failure=reason)
        number = self._free_number()
        outputs = (
            seal_folder.write(self.dest, f"{number}.tsq", request),
            *self._keep(number, response, authority.certificates),
        )
        self.custody.finish(
            intent, result="ok", outputs=outputs, note=f"answered by {place}; {_held_to(authority.certificates)}"
        )
        return Stamped(outputs)

    def request(self) -> bytes:
        """Make a request that is carried to an authority by hand; kept until its response comes. Raises OSError."""
        content = seal_folder.read(self.dest, STATEMENT)
        request = stamp.request(content)
        kept = seal_folder.write(self.dest, f"{self._free_number()}.tsq", request)
        self.custody.append(
            "stamped", result="begun", actor=self.actor, command=self.command, inputs=[_statement(content)],
            outputs=[kept], note="a request was written, to be carried to a time-stamping authority",
        )  # fmt: skip
        return request

    def receive(self, response: bytes, certificates: Sequence[bytes]) -> Stamped:
        """Keep the response to a request that was made here. Raises UsageError when it answers none; OSError."""
        content = seal_folder.read(self.dest, STATEMENT)
        folder = self._folder()
        reasons: list[str] = []
        for number in sorted(folder.requests - folder.responses):
            try:
                stamp.read(response, seal_folder.read(self.dest, f"{number}.tsq"), content)
                if certificates:
                    stamp.accept(response, content, certificates)
            except ValueError as trouble:
                reasons.append(f"{seal_folder.NAME}/{number}.tsq: {trouble}")
                continue
            asked = self._artifact(f"{number}.tsq")
            outputs = self._keep(number, response, certificates)
            self.custody.append(
                "stamped", result="ok", actor=self.actor, command=self.command, inputs=[_statement(content), asked],
                outputs=outputs, note=f"the response was brought back; {_held_to(certificates)}",
            )  # fmt: skip
            return Stamped(outputs)
        raise UsageError(
            "the response answers no request of this folder" + (f" ({'; '.join(reasons)})" if reasons else ""),
            hint="make a request with `bagtag seal DEST --tsa-request OUT.tsq` and bring the response to that one",
        )

    def mend(self) -> tuple[Artifact, ...]:
        """Name in the log the stamps that a killed run kept without coming to say so. Raises OSError."""
        named = self._named()
        content = seal_folder.read(self.dest, STATEMENT)
        found: list[Artifact] = []
        folder = self._folder()
        for number in sorted(folder.requests & folder.responses):
            if f"{seal_folder.NAME}/{number}.tsr" in named:
                continue
            try:
                request = seal_folder.read(self.dest, f"{number}.tsq")
                stamp.read(seal_folder.read(self.dest, f"{number}.tsr"), request, content)
            except ValueError:
                continue  # verify names it
            names = [f"{number}.tsq", f"{number}.tsr", *([f"{number}.chain.pem"] if number in folder.chains else [])]
            found += [self._artifact(name) for name in names]
        if found:
            self.custody.append(
                "stamped", result="ok", actor=self.actor, inputs=[_statement(content)], outputs=found,
                note="kept by a run that was cut off before it could say so",
            )  # fmt: skip
        return tuple(found)

    def _keep(self, number: int, response: bytes, certificates: Sequence[bytes]) -> tuple[Artifact, ...]:
        """The response goes last: a stamp is there when its .tsr is."""
        name, chain = f"{number}.chain.pem", b"".join(certificates)
        kept = (seal_folder.write(self.dest, name, chain),) if certificates else ()
        return (*kept, seal_folder.write(self.dest, f"{number}.tsr", response))

    def _free_number(self) -> int:
        """The number for a new stamp: one whose files a killed run began and no line names is used again."""
        named, folder = self._named(), self._folder()
        begun = (folder.requests | folder.chains) - folder.responses
        free = sorted(number for number in begun if f"{seal_folder.NAME}/{number}.tsq" not in named)
        return free[0] if free else folder.next_number

    def _named(self) -> dict[str, str]:
        """Every file that the log says was kept, with the latest SHA-256 it gives."""
        named: dict[str, str] = {}
        for entry in log.read(self.custody.path):
            if isinstance(entry.line, CustodyLine):
                named.update((output.name, output.sha256) for output in entry.line.outputs)
        return named

    def _folder(self) -> SealFolder:
        return SealFolder.of([path.name for path in (self.dest / seal_folder.NAME).iterdir()])

    def _holds(self, name: str, content: bytes) -> bool:
        try:
            return seal_folder.read(self.dest, name) == content
        except (OSError, ValueError):
            return False

    def _artifact(self, name: str) -> Artifact:
        content = seal_folder.read(self.dest, name)
        return Artifact(f"{seal_folder.NAME}/{name}", len(content), _sha256(content))


def _held_to(certificates: Sequence[bytes]) -> str:
    return (
        "its signature leads to the certificates given"
        if certificates
        else "it was compared with no certificate: `bagtag verify --tsa-ca` does that"
    )


def _statement(content: bytes) -> Artifact:
    return Artifact(f"{seal_folder.NAME}/{STATEMENT}", len(content), _sha256(content))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
