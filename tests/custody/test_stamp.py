"""Stamps against a time-stamping authority run by openssl, and against the verdicts of `openssl ts -verify`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from bagtag.custody import stamp

pytestmark = pytest.mark.program("openssl")

CONTENT = b'{"_type":"https://in-toto.io/Statement/v1"}'
OTHER = b'{"_type":"https://in-toto.io/Statement/v2"}'
SHA256 = bytes.fromhex("300d06096086480165030402010500")
NOON_2020 = int(datetime(2020, 6, 1, 12, tzinfo=UTC).timestamp())


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    return bytes((tag,)) + (bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")) + body


def info(*more: bytes, content: bytes = CONTENT, at: bytes = b"20200601120000Z", serial: bytes = b"\x07") -> bytes:
    """A TSTInfo (RFC 3161, section 2.4.2), with what may follow the time."""
    imprint = der(0x30, SHA256, der(4, hashlib.sha256(content).digest()))
    return der(0x30, b"\x02\x01\x01\x06\x04\x2a\x03\x04\x01", imprint, der(2, serial), der(0x18, at), *more)


@pytest.fixture(scope="module")
def request_() -> bytes:
    return stamp.request(CONTENT)


@pytest.fixture(scope="module")
def response(authority: Any, request_: bytes) -> bytes:
    made: bytes = authority.stamp(request_)
    return made


def test_a_stamp_is_read_as_openssl_reads_it(authority: Any, request_: bytes, response: bytes) -> None:
    (authority.folder / "shown.tsr").write_bytes(response)
    text = authority.openssl("ts", "-reply", "-in", "shown.tsr", "-text").stdout.decode()
    shown = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    made = stamp.read(response, request_, CONTENT)
    assert datetime.fromisoformat(made.gen_time) == datetime.strptime(
        shown["Time stamp"], "%b %d %H:%M:%S %Y GMT"
    ).replace(tzinfo=UTC)
    assert made.gen_time.endswith("Z")
    assert made.serial == int(shown["Serial number"], 16)
    assert made.policy == "1.2.3.4.1"
    assert made.authority == "CN=Test tsa"
    assert stamp.read(response, None, CONTENT) == made
    stamp.accept(response, CONTENT, [authority.ca_pem])
    assert authority.judge(response, CONTENT)
    assert authority.judge(response, request=request_)
