"""The time-stamp token: what an authority signed, and whether its own parts hold together, whoever the authority is.

A response (RFC 3161, section 2.4.2) is a status and a CMS SignedData (RFC 5652) over a TSTInfo. The signature covers
the TSTInfo and the signed attributes; those name the certificate by its hash (RFC 2634, RFC 5035, RFC 5816). Everything
outside the signature is compared with what is inside it, or must be the one value that is allowed there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bagtag.custody import der

MAX_RESPONSE = 1 << 20
"""Bytes of a response; they have a few thousand."""
_MAX_CERTIFICATES = 32
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_RSA_WITH = {
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
_ECDSA_WITH = {
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
_NULL = b"\x05\x00"
_UTF8 = 0x0C
_OPTIONAL = {der.SEQUENCE: 0, der.BOOLEAN: 1, der.INTEGER: 2, der.context(0): 3, der.context(1): 4}
_STATUS = {
    1: "granted, but with modifications",
    2: "rejected",
    3: "waiting",
    4: "granted, with a warning that the certificate is about to be revoked",
    5: "granted, with notice that the certificate has been revoked",
}
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for certificates that it cannot read, not all of which are ValueErrors."""
_TIME = re.compile(rb"(\d{14})(\.\d{1,9})?Z")


@dataclass(frozen=True, slots=True)
class Token:
    """A response taken apart. `gen_time`: when, UTC; `fraction`: its part of a second as written, `.123` or empty.

    `digest`: the SHA-256 of what was stamped; `nonce`: None where the authority gives none back.
    `certificates`: as in the token, the signer's first. `sorted_response`: the same response with its certificates in
    the order that DER asks of a set. openssl writes them as they come, and the certificates are outside the signature.
    """

    gen_time: datetime
    fraction: str
    serial: int
    policy: str
    digest: bytes
    nonce: int | None
    certificates: tuple[x509.Certificate, ...]
    sorted_response: bytes


def read(response: bytes) -> Token:
    """The token in a response, its signature checked with the certificate inside.

    Raises ValueError with the reason: refused by the authority, cut short, trailing bytes, not canonical DER, signed
    by another key, a certificate that is not the one signed for. Whom to trust is not asked here.
    """
    if len(response) > MAX_RESPONSE:
        raise ValueError(f"has {len(response)} bytes, which no time stamp has")
    status, *rest = der.read(response).parts(der.SEQUENCE, 1, 2)
    _check_granted(status)
    if not rest:
        raise ValueError("grants the stamp, but carries no token")
    kind, wrapped = rest[0].parts(der.SEQUENCE, 2, 2)
    if kind.oid() != _SIGNED_DATA:
        raise ValueError("carries something other than signed data")
    # SignedData ::= SEQUENCE { version, digestAlgorithms, encapContentInfo, [0] certificates, [1] crls, signerInfos }
    fields = wrapped.only(der.context(0)).parts(der.SEQUENCE, 4, 6)
    version, digests, encapsulated, certificates = fields[:4]
    if version.integer() != 3:
        raise ValueError("carries signed data of another version")
    if certificates.tag != der.context(0) or len(fields) == 4:
        raise ValueError("carries no certificate")
    if len(fields) == 6:
        fields[4].parts(der.context(1))  # revocation lists: kept with the stamp, no part of the signature
    kind_of_content, content = encapsulated.parts(der.SEQUENCE, 2, 2)
    if kind_of_content.oid() != _TST_INFO:
        raise ValueError("is signed over something other than a time stamp")
    info = content.only(der.context(0)).octets()
    members = certificates.parts(der.context(0), 1, _MAX_CERTIFICATES)
    chain = _check_signer(fields[-1].only(der.SET), digests.only(der.SET), info, members)
    ordered = der.encode(der.context(0), b"".join(sorted(member.raw for member in members)))
    body = b"".join((*(f.raw for f in fields[:3]), ordered, *(f.raw for f in fields[4:])))
    token = der.encode(der.SEQUENCE, kind.raw + der.encode(der.context(0), der.encode(der.SEQUENCE, body)))
    return _read_info(info, chain, der.encode(der.SEQUENCE, status.raw + token))


def _check_granted(status: der.Node) -> None:
    code, *rest = status.parts(der.SEQUENCE, 1, 3)
    number = code.integer()
    said = ""
    if rest and rest[0].tag == der.SEQUENCE:
        texts = [part.expect(_UTF8).body.decode("utf-8") for part in rest.pop(0).parts(der.SEQUENCE)]
        said = f": {'; '.join(texts)[:200]!a}"
    if rest:
        rest.pop(0).expect(der.BIT_STRING)  # failInfo: why it was refused, as bits
    if rest:
        raise ValueError("has a status in a form that is not canonical")
    if number != 0:
        word = _STATUS.get(number, "unknown")
        raise ValueError(f"was not granted by the authority (status {number}, {word}){said}")


def _check_signer(
    signer: der.Node, digests: der.Node, info: bytes, members: Sequence[der.Node]
) -> tuple[x509.Certificate, ...]:
    # SignerInfo ::= SEQUENCE { version, sid, digestAlgorithm, [0] signedAttrs, signatureAlgorithm, signature, … }
    version, sid, digest_id, attributes, algorithm, signature, *unsigned = signer.parts(der.SEQUENCE, 6, 7)
    if version.integer() != 1:
        raise ValueError("has a signer of another version")
    for node in unsigned:
        node.parts(der.context(1))  # what others added later, no part of the signature
    function = _hash(digest_id)
    if digests.raw != digest_id.raw:
        raise ValueError("names two different hash functions for one signature")
    values = _attributes(attributes)
    if _signed(values, _CONTENT_TYPE).oid() != _TST_INFO:
        raise ValueError("is signed as something other than a time stamp")
    if _signed(values, _MESSAGE_DIGEST).octets() != _digest(function, info):
        raise ValueError("is signed over another time-stamp content: its digest differs")
    chain = _certificates(members, sid)
    _check_binding(values, chain[0], sid)
    # RFC 5652, section 5.4: signed is the SET as such, not the [0] that stands in its place.
    _check_signature(chain[0], algorithm, signature.octets(), der.encode(der.SET, attributes.body), function)
    _check_issuers(chain)
    return chain


def _digest(function: hashes.HashAlgorithm, content: bytes) -> bytes:
    return hashlib.new(function.name, content).digest()


def _hash(identifier: der.Node) -> hashes.HashAlgorithm:
    kind, *parameters = identifier.parts(der.SEQUENCE, 1, 2)
    if [p.raw for p in parameters] not in ([], [_NULL]):
        raise ValueError("names a hash function with parameters it does not have")
    function = _HASHES.get(kind.oid())
    if function is None:
        raise ValueError(f"uses the hash function {kind.oid()}: only SHA-256, SHA-384 and SHA-512 are accepted")
    return function


def _attributes(attributes: der.Node) -> dict[str, der.Node]:
    values: dict[str, der.Node] = {}
    for attribute in attributes.parts(der.context(0)):
        kind, value = attribute.parts(der.SEQUENCE, 2, 2)
        if kind.oid() in values:
            raise ValueError(f"signs the attribute {kind.oid()} twice")
        values[kind.oid()] = value.only(der.SET)
    return values


def _signed(values: dict[str, der.Node], kind: str) -> der.Node:
    if kind not in values:
        raise ValueError(f"does not sign the attribute {kind}, which every time stamp has")
    return values[kind]


def _certificates(members: Sequence[der.Node], sid: der.Node) -> tuple[x509.Certificate, ...]:
    signers: list[x509.Certificate] = []
    others: list[x509.Certificate] = []
    for member in members:
        # TBSCertificate: [0] version, serial, signature, issuer, …  (RFC 5280, section 4.1)
        _version, serial, _algorithm, issuer = member.parts(der.SEQUENCE, 3, 3)[0].parts(der.SEQUENCE, 7)[:4]
        if serial.integer() <= 0:
            raise ValueError("carries a certificate whose serial number is not positive")
        try:
            certificate = x509.load_der_x509_certificate(member.raw)
        except UNREADABLE as trouble:
            raise ValueError("carries a certificate that cannot be read") from trouble
        named = der.encode(der.SEQUENCE, issuer.raw + serial.raw)
        (signers if named == sid.raw else others).append(certificate)
    if len(signers) != 1:
        raise ValueError("does not carry the certificate that its signer names")
    return (*signers, *others)


def _check_binding(values: dict[str, der.Node], certificate: x509.Certificate, sid: der.Node) -> None:
    raw = certificate.public_bytes(Encoding.DER)
    if _SIGNING_CERTIFICATE_V2 in values:
        entry = _first_entry(values[_SIGNING_CERTIFICATE_V2])
        function: hashes.HashAlgorithm = hashes.SHA256()  # the default, RFC 5035, section 4
        if entry[0].tag == der.SEQUENCE:
            function, entry = _hash(entry[0]), entry[1:]
        _check_named(entry, _digest(function, raw), sid)
    if _SIGNING_CERTIFICATE in values:
        # RFC 2634: always SHA-1. The key behind the certificate made the signature, so this alone decides nothing.
        digest = hashlib.sha1(raw, usedforsecurity=False).digest()
        _check_named(_first_entry(values[_SIGNING_CERTIFICATE]), digest, sid)
    if not values.keys() & {_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_V2}:
        raise ValueError("does not sign for the certificate it was made with (no ESSCertID)")


def _first_entry(value: der.Node) -> tuple[der.Node, ...]:
    # SigningCertificate ::= SEQUENCE { certs SEQUENCE OF ESSCertID, policies … }: the first is the signer's
    certificates = value.parts(der.SEQUENCE, 1, 2)[0]
    return certificates.parts(der.SEQUENCE, 1)[0].parts(der.SEQUENCE, 1, 3)


def _check_named(entry: tuple[der.Node, ...], digest: bytes, sid: der.Node) -> None:
    if not entry or entry[0].octets() != digest:
        raise ValueError("carries another certificate than the one it was signed for")
    if len(entry) > 1:
        names, serial = entry[1].parts(der.SEQUENCE, 2, 2)
        issuer = names.only(der.SEQUENCE).only(der.context(4))  # GeneralName: directoryName
        if der.encode(der.SEQUENCE, issuer.raw + serial.raw) != sid.raw:
            raise ValueError("names another issuer for its certificate than the one it was signed for")


def _check_signature(
    certificate: x509.Certificate,
    algorithm: der.Node,
    signature: bytes,
    content: bytes,
    function: hashes.HashAlgorithm,
) -> None:
    kind, *parameters = algorithm.parts(der.SEQUENCE, 1, 2)
    oid, extra = kind.oid(), [parameter.raw for parameter in parameters]
    try:
        key = certificate.public_key()
        if (
            isinstance(key, rsa.RSAPublicKey)
            and extra == [_NULL]
            and oid in {_RSA_ENCRYPTION, _RSA_WITH[function.name]}
        ):
            key.verify(signature, content, padding.PKCS1v15(), function)
        elif isinstance(key, ec.EllipticCurvePublicKey) and not extra and oid == _ECDSA_WITH[function.name]:
            key.verify(signature, content, ec.ECDSA(function))
        else:
            raise ValueError(f"is signed in a way that is not accepted ({oid}): RSA (PKCS #1 v1.5) and ECDSA are")
    except InvalidSignature as trouble:
        raise ValueError("has a signature that its own certificate does not confirm") from trouble
    except UnsupportedAlgorithm as trouble:
        raise ValueError("is signed with a kind of key that cannot be checked here") from trouble


def _check_issuers(chain: tuple[x509.Certificate, ...]) -> None:
    for certificate in chain:
        issuers = [other for other in chain if other.subject == certificate.issuer]
        if issuers and not any(_issued(certificate, issuer) for issuer in issuers):
            raise ValueError("carries a certificate that its issuer, also carried, did not sign")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _read_info(info: bytes, chain: tuple[x509.Certificate, ...], ordered: bytes) -> Token:
    # TSTInfo ::= SEQUENCE { version, policy, messageImprint, serialNumber, genTime, … }
    version, policy, imprint, serial, moment, *optional = der.read(info).parts(der.SEQUENCE, 5, 10)
    if version.integer() != 1:
        raise ValueError("states its time in another version")
    function, digest = imprint.parts(der.SEQUENCE, 2, 2)
    if _hash(function).name != "sha256":
        raise ValueError("stamps a digest other than SHA-256")
    gen_time, fraction = _time(moment)
    nonce = None
    last = -1
    for field in optional:
        # accuracy, ordering (never written when false), nonce, [0] tsa, [1] extensions: each at most once, in order
        place = _OPTIONAL.get(field.tag, -1)
        if place <= last or (field.tag == der.BOOLEAN and field.body != b"\xff"):
            raise ValueError("states its time in a form that is not canonical")
        last = place
        if field.tag == der.INTEGER:
            nonce = field.integer()
    return Token(gen_time, fraction, serial.integer(), policy.oid(), digest.octets(), nonce, chain, ordered)


def _time(moment: der.Node) -> tuple[datetime, str]:
    found = _TIME.fullmatch(moment.expect(der.GENERALIZED_TIME).body)
    if found is None:
        raise ValueError("states its time in a form that is not canonical")
    try:
        at = datetime.strptime(found[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as trouble:
        raise ValueError("states a time that does not exist") from trouble
    return at, (found[2] or b"").decode("ascii")
