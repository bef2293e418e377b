"""Stamps: an authority's signed word that some content existed at a time (RFC 3161).

The request carries the SHA-256 of the content and a nonce, never the content. The response is kept as it came, so that
anybody's openssl checks it: `openssl ts -verify -data statement.json -in 1.tsr -CAfile ca.pem`. A stamp counts for
what its authority is worth: `read` says whether a response holds together, `accept` whether a trusted root stands
behind it, judged at the stamp's own time, since certificates run out and stamps must not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from bagtag.custody import der, token

_SHA256 = bytes.fromhex("300d06096086480165030402010500")
"""The AlgorithmIdentifier of SHA-256 as the requests write it, with NULL for its parameters."""
_MAX_NONCE = 1 << 64
_PEM_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----")
_OPENSSL = re.compile(r'Verify error: ([^"]+)"')


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a response says. `gen_time`: UTC, RFC 3339 with Z, with the part of a second that the authority gives.

    `authority`: the subject of the certificate that signed (RFC 4514), None when it is empty; `policy`: dotted.
    Nothing here is worth more than the authority: ask `accept`.
    """

    gen_time: str
    serial: int
    policy: str
    authority: str | None


def request(content: bytes) -> bytes:
    """A TimeStampReq (DER) for content that is not empty: SHA-256, a new random nonce of 64 bits, certificate asked."""
    builder = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()


def check_request(raw: bytes, content: bytes) -> None:
    """Raise ValueError when `raw` is no request that `request` could have made, or one for other content."""
    _nonce(raw, content)


def _nonce(raw: bytes, content: bytes) -> int:
    try:
        _version, imprint, number, _certificate = der.read(raw).parts(der.SEQUENCE, 4, 4)
        nonce = number.integer()
        digest = imprint.parts(der.SEQUENCE, 2, 2)[1].octets()
    except ValueError as trouble:
        raise ValueError(f"is no time-stamp request in canonical form: {trouble}") from trouble
    if not 0 <= nonce < _MAX_NONCE or raw != _encoded(digest, nonce):
        raise ValueError("is no time-stamp request in canonical form: made again, it has other bytes")
    if digest != hashlib.sha256(content).digest():
        raise ValueError("asks for a stamp of other content: the digest differs")
    return nonce


def _encoded(digest: bytes, nonce: int) -> bytes:
    # TimeStampReq ::= SEQUENCE { version 1, messageImprint, nonce, certReq TRUE }  (RFC 3161, section 2.4.1)
    imprint = der.encode(der.SEQUENCE, _SHA256 + der.encode(der.OCTET_STRING, digest))
    parts = (der.encode_integer(1), imprint, der.encode_integer(nonce), der.encode(der.BOOLEAN, b"\xff"))
    return der.encode(der.SEQUENCE, b"".join(parts))


def read(response: bytes, request: bytes | None, content: bytes) -> Stamp:
    """What a response says about `content`. `request`: the one it answers, None where it is not at hand.

    Raises ValueError with the reason: refused by the authority, for other content, for another request, cut short,
    trailing bytes, not in canonical form, a signature that the certificate inside does not confirm.
    """
    nonce = None if request is None else _nonce(request, content)
    found = _token(response, content)
    if nonce is not None and found.nonce != nonce:
        raise ValueError("answers another request: the nonce differs")
    moment = found.gen_time.replace(tzinfo=None).isoformat() + found.fraction + "Z"
    return Stamp(moment, found.serial, found.policy, found.certificates[0].subject.rfc4514_string() or None)


def _token(response: bytes, content: bytes) -> token.Token:
    found = token.read(response)
    if found.digest != hashlib.sha256(content).digest():
        raise ValueError("is a stamp of other content: the digest differs")
    return found


def accept(response: bytes, content: bytes, authorities: Sequence[bytes]) -> None:
    """Raise ValueError with the reason unless one of the `authorities` stands behind this stamp of `content`.

    Each of `authorities` is PEM with one or more certificates: roots, and intermediates that the response lacks. A
    certificate is trusted only when it is self-signed, as openssl has it. Chain, purpose (time stamping, critical) and
    validity are judged at the stamp's own time. Revocation is not asked for: there is no network in a check.
    """
    roots = [certificate for pem in authorities for certificate in _load(pem)]
    if not roots:
        raise ValueError("no certificate of a time-stamping authority was given")
    found = _token(response, content)
    builder = VerifierBuilder(roots=list(dict.fromkeys(roots)))
    try:
        builder.build().verify_message(decode_timestamp_response(found.sorted_response), content)
    except (VerificationError, *token.UNREADABLE) as trouble:
        # The library hands on openssl's whole error stack; openssl's own sentence is in it.
        found_why = _OPENSSL.search(str(trouble))
        why = f"{found_why[1]} (judged at the stamp's own time)" if found_why else str(trouble)
        raise ValueError(f"is not accepted by the given authorities: {why}") from trouble


def _load(pem: bytes) -> list[x509.Certificate]:
    if not _PEM_BLOCK.search(pem):
        raise ValueError("the given authority is no certificate in PEM")
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as trouble:
        raise ValueError("the given authority is no certificate in PEM") from trouble
