"""Stamps against a time-stamping authority run by openssl, and against the verdicts of `openssl ts -verify`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from rfc3161_client import decode_timestamp_response

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


def split(raw: bytes) -> list[bytes]:
    """The values inside one value."""
    found = []
    at = 2 if raw[1] < 128 else 2 + raw[1] - 128
    while at < len(raw):
        extra = max(0, raw[at + 1] - 128)
        size = int.from_bytes(raw[at + 2 : at + 2 + extra], "big") if extra else raw[at + 1]
        found.append(raw[at : at + 2 + extra + size])
        at += len(found[-1])
    return found


def rewrapped(response: bytes, change: Callable[[list[bytes]], None]) -> bytes:
    """The response with the fields of its SignedData changed."""
    status, token = split(response)
    kind, wrapped = split(token)
    fields = split(split(wrapped)[0])
    change(fields)
    return der(0x30, status, der(0x30, kind, der(0xA0, der(0x30, *fields))))


ALL_BITS = (1, 2, 4, 8, 16, 32, 64, 128, 255)


def flips(raw: bytes, patterns: Sequence[int] = ALL_BITS) -> Iterator[tuple[int, bytes]]:
    """Each byte with each of its bits turned, and with all of them."""
    for at in range(len(raw)):
        for bits in patterns:
            yield at, raw[:at] + bytes((raw[at] ^ bits,)) + raw[at + 1 :]


def signed(authority: Any, by: str, what: bytes | None = None, *options: str) -> bytes:
    """A response over a TSTInfo, which openssl signs as anybody."""
    made: bytes = authority.sign(what or info(), by, "-cades", *options)
    return made


def replaced(at: int, value: bytes) -> Callable[[list[bytes]], None]:
    return lambda fields: fields.__setitem__(at, value)


def refuses(call: Callable[..., object], *arguments: Any) -> bool:
    try:
        call(*arguments)
    except ValueError:
        return True
    return False


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


def test_a_request_is_what_openssl_would_ask(authority: Any, request_: bytes) -> None:
    (authority.folder / "shown.tsq").write_bytes(request_)
    shown = authority.openssl("ts", "-query", "-in", "shown.tsq", "-text").stdout.decode()
    assert "Version: 1\nHash Algorithm: sha256\n" in shown
    assert "Policy OID: unspecified" in shown
    assert "Certificate required: yes" in shown
    stamp.check_request(authority.ask_for(CONTENT), CONTENT)


def test_a_request_has_another_nonce_each_time_and_is_always_in_canonical_form() -> None:
    made = {stamp.request(CONTENT) for _ in range(500)}
    assert len(made) == 500
    for request in made:
        stamp.check_request(request, CONTENT)


def test_other_requests_are_refused_with_the_reason(authority: Any, request_: bytes) -> None:
    with pytest.raises(ValueError, match="other content"):
        stamp.check_request(request_, OTHER)
    with pytest.raises(ValueError, match="trailing"):
        stamp.check_request(request_ + b"\0", CONTENT)
    with pytest.raises(ValueError, match="cut short"):
        stamp.check_request(request_[:-1], CONTENT)
    for options in (["-no_nonce"], ["-tspolicy", "1.2.3.4.1"], ["-sha512"]):
        with pytest.raises(ValueError, match="canonical form"):
            stamp.check_request(authority.ask_for(CONTENT, *options), CONTENT)


@pytest.mark.parametrize("by", ["tsa", "ec", "chained", "fractions", "sha1"])
def test_stamps_of_all_kinds_are_accepted_by_us_and_by_openssl(authority: Any, request_: bytes, by: str) -> None:
    response = authority.stamp(request_, by)
    made = stamp.read(response, request_, CONTENT)
    assert datetime.fromisoformat(made.gen_time) <= datetime.now(UTC)
    stamp.accept(response, CONTENT, [authority.ca_pem])
    assert authority.judge(response, CONTENT)
    assert authority.judge(response, request=request_)


def test_a_part_of_a_second_is_kept_as_the_authority_writes_it(authority: Any) -> None:
    for written, read in (
        (b"20200601120000.092Z", "2020-06-01T12:00:00.092Z"),
        (b"00010203040506Z", "0001-02-03T04:05:06Z"),
    ):
        assert stamp.read(signed(authority, "tsa", info(at=written)), None, CONTENT).gen_time == read


@pytest.mark.parametrize("options", [["-md", "sha384"], ["-md", "sha512"]])
@pytest.mark.parametrize("by", ["tsa", "ec"])
def test_signatures_over_longer_digests_are_checked_too(authority: Any, by: str, options: list[str]) -> None:
    response = signed(authority, by, None, *options)
    assert stamp.read(response, None, CONTENT).serial == 7
    stamp.accept(response, CONTENT, [authority.ca_pem])
    assert authority.judge(response, CONTENT)


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("stranger", "unable to get local issuer certificate"),
        ("unchained", "unable to get local issuer certificate"),
        ("expired", "certificate has expired .judged at the stamp's own time"),
    ],
)
def test_a_stamp_without_a_chain_to_the_given_root_reads_but_is_not_accepted(
    authority: Any, request_: bytes, by: str, why: str
) -> None:
    response = authority.stamp(request_, by)
    assert stamp.read(response, request_, CONTENT).policy == "1.2.3.4.1"
    with pytest.raises(ValueError, match=why):
        stamp.accept(response, CONTENT, [authority.ca_pem])
    assert not authority.judge(response, CONTENT)


@pytest.mark.parametrize("by", ["unmarked", "soft", "twice"])
def test_a_certificate_must_be_for_time_stamping_alone_and_critically_so(authority: Any, by: str) -> None:
    response = signed(authority, by)
    with pytest.raises(ValueError, match="unsuitable certificate purpose"):
        stamp.accept(response, CONTENT, [authority.ca_pem])
    assert not authority.judge(response, CONTENT)


def test_a_certificate_that_has_run_out_since_still_stands_behind_its_stamps(authority: Any) -> None:
    response = signed(authority, "expired")
    stamp.accept(response, CONTENT, [authority.ca_pem])
    assert not authority.judge(response, CONTENT), "openssl judges at this computer's time unless told otherwise"
    assert authority.judge(response, CONTENT, at=NOON_2020)
    before = signed(authority, "expired", info(at=b"20191231235959Z"))
    with pytest.raises(ValueError, match="not yet valid"):
        stamp.accept(before, CONTENT, [authority.ca_pem])
    assert not authority.judge(before, CONTENT, at=NOON_2020 - 86_400 * 300)


def test_any_one_of_several_authorities_will_do(authority: Any, request_: bytes) -> None:
    stranger_pem = authority.stranger_ca.read_bytes()
    response = authority.stamp(request_)
    stamp.accept(response, CONTENT, [stranger_pem, authority.ca_pem, authority.ca_pem])
    stamp.accept(authority.stamp(request_, "stranger"), CONTENT, [stranger_pem + authority.ca_pem])
    with pytest.raises(ValueError, match="not accepted"):
        stamp.accept(response, CONTENT, [stranger_pem])


def test_intermediates_may_come_with_the_root_but_are_no_root(authority: Any, request_: bytes) -> None:
    response = authority.stamp(request_, "unchained")
    sub = (authority.folder / "sub.pem").read_bytes()
    bundle = authority.folder / "bundle.pem"
    bundle.write_bytes(sub + authority.ca_pem)
    stamp.accept(response, CONTENT, [sub, authority.ca_pem])
    stamp.accept(response, CONTENT, [bundle.read_bytes()])
    assert authority.judge(response, CONTENT, ca=bundle)
    with pytest.raises(ValueError, match="unable to get issuer certificate"):
        stamp.accept(response, CONTENT, [sub])
    assert not authority.judge(response, CONTENT, ca=authority.folder / "sub.pem")


def test_a_root_that_comes_with_the_response_is_not_trusted(authority: Any) -> None:
    response = signed(authority, "stranger", None, "-certfile", "stranger-ca.pem")
    stamp.accept(response, CONTENT, [authority.stranger_ca.read_bytes()])
    with pytest.raises(ValueError, match="self-signed certificate in certificate chain"):
        stamp.accept(response, CONTENT, [authority.ca_pem])
    assert not authority.judge(response, CONTENT)


def test_what_is_no_certificate_is_refused_as_an_authority(authority: Any, response: bytes) -> None:
    key = (authority.folder / "ca.key").read_bytes()
    for given in ([], [b""], [key], [b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]):
        with pytest.raises(ValueError, match="no certificate"):
            stamp.accept(response, CONTENT, given)


def test_a_stamp_of_other_content_is_refused(authority: Any, request_: bytes, response: bytes) -> None:
    for call in (lambda: stamp.read(response, None, OTHER), lambda: stamp.accept(response, OTHER, [authority.ca_pem])):
        with pytest.raises(ValueError, match="stamp of other content"):
            call()
    assert not authority.judge(response, OTHER)
    with pytest.raises(ValueError, match="asks for a stamp of other content"):
        stamp.read(response, request_, OTHER)


def test_the_answer_to_another_request_is_refused(authority: Any, request_: bytes, response: bytes) -> None:
    again = stamp.request(CONTENT)
    with pytest.raises(ValueError, match="nonce"):
        stamp.read(response, again, CONTENT)
    assert not authority.judge(response, request=again)
    without = authority.stamp(authority.ask_for(CONTENT, "-no_nonce"))
    with pytest.raises(ValueError, match="nonce"):
        stamp.read(without, request_, CONTENT)
    assert not authority.judge(without, request=request_)
    assert stamp.read(without, None, CONTENT).serial > 0


def test_a_refusal_says_what_the_authority_said(authority: Any, request_: bytes) -> None:
    response = authority.stamp(request_, "refused")
    with pytest.raises(ValueError, match=r"status 2, rejected.*: 'Message digest algorithm is not supported\.'"):
        stamp.read(response, request_, CONTENT)
    assert not authority.judge(response, CONTENT)
    hostile = der(0x30, der(0x30, b"\x02\x01\x02", der(0x30, der(0x0C, b"\x1b[2J" + b"a" * 5000))))
    with pytest.raises(ValueError, match=r"'\\x1b\[2J") as caught:
        stamp.read(hostile, None, CONTENT)
    assert len(str(caught.value)) < 400


def test_what_openssl_overlooks_is_refused(authority: Any, request_: bytes, response: bytes) -> None:
    # openssl reads one value and leaves the rest of the file; it takes a stamp granted "with modifications" though
    # nothing was asked that could be modified; it takes what is no DER. We keep to one way of writing a stamp down.
    granted = bytes.fromhex("3003020100")
    modified = response.replace(granted, granted[:-1] + b"\x01", 1)
    longer = response.replace(granted, bytes.fromhex("308103020100"), 1)
    longer = longer[:2] + (len(longer) - 4).to_bytes(2, "big") + longer[4:]
    cases = [
        (response + b"\0", "trailing"),
        (modified, "with modifications"),
        (longer, "fewest bytes"),
        (signed(authority, "tsa", info(b"\x01\x01\x00")), "not canonical"),
        (signed(authority, "tsa", info(b"\x02\x01\x05\x01\x01\xff")), "not canonical"),
        (signed(authority, "tsa", info(at=b"20201231235960Z")), "does not exist"),
    ]
    for case, why in cases:
        with pytest.raises(ValueError, match=why):
            stamp.read(case, None, CONTENT)
    assert [authority.judge(case, CONTENT) for case, _ in cases] == [True, True, True, True, False, True]


def test_what_openssl_refuses_is_refused(authority: Any, response: bytes) -> None:
    good = signed(authority, "tsa")
    others = split(split(split(split(signed(authority, "ec"))[1])[1])[0])
    another_info = der(0x30, split(others[2])[0], der(0xA0, der(4, info(serial=b"\x08"))))
    cases = [
        (response[:-1], "cut short"),
        (b"", "cut short"),
        (b"\x30\x05" + bytes.fromhex("3003020100"), "no token"),
        (signed(authority, "tsa", None, "-nocerts"), "no certificate"),
        (signed(authority, "tsa", None, "-keyopt", "rsa_padding_mode:pss"), "not accepted .1.2.840.113549.1.1.10."),
        (authority.sign(info(), "tsa", "-noattr"), "holds 5 values in a structure of 6"),
        (authority.sign(info(), "tsa"), "no ESSCertID"),
        (signed(authority, "tsa", info(content=OTHER)), "other content"),
        (rewrapped(good, replaced(3, others[3])), "does not carry the certificate"),
        (rewrapped(good, replaced(2, another_info)), "its digest differs"),
    ]
    for case, why in cases:
        with pytest.raises(ValueError, match=why):
            stamp.read(case, None, CONTENT)
        with pytest.raises(ValueError, match=why):
            stamp.accept(case, CONTENT, [authority.ca_pem])
        assert not authority.judge(case, CONTENT)


def test_a_stamp_signed_for_another_certificate_of_the_same_key_is_refused(authority: Any) -> None:
    # The substitution that ESSCertID is for (RFC 2634, section 5): same key, same issuer and number, other certificate.
    twin = authority.twin("tsa")
    response = signed(authority, "tsa")
    swapped = rewrapped(response, replaced(3, der(0xA0, twin)))
    with pytest.raises(ValueError, match="another certificate than the one it was signed for"):
        stamp.read(swapped, None, CONTENT)
    assert not authority.judge(swapped, CONTENT)


def test_the_order_of_certificates_is_the_authoritys(authority: Any, request_: bytes) -> None:
    # `openssl ts -reply -chain` writes them as they come; rfc3161-client alone takes them sorted only.
    response = authority.stamp(request_, "chained")
    members = split(split(split(split(split(response)[1])[1])[0])[3])
    verdicts = []
    for backwards in (False, True):
        case = rewrapped(response, replaced(3, der(0xA0, *sorted(members, reverse=backwards))))
        assert stamp.read(case, request_, CONTENT).authority == "CN=Test chained"
        stamp.accept(case, CONTENT, [authority.ca_pem])
        assert authority.judge(case, CONTENT)
        verdicts.append(refuses(decode_timestamp_response, case))
    assert verdicts == [False, True]


def test_what_others_added_to_a_stamp_later_is_let_stand(authority: Any) -> None:
    # Revocation lists and unsigned attributes: an archive adds them so that a stamp can be checked in many years.
    def add(fields: list[bytes]) -> None:
        signer = split(split(fields[4])[0])
        note = der(0x30, bytes.fromhex("06042a030405"), der(0x31, der(0x0C, b"added later")))
        fields[4] = der(0x31, der(0x30, *signer, der(0xA1, note)))
        fields.insert(4, der(0xA1, authority.revocation_list()))

    response = rewrapped(signed(authority, "tsa"), add)
    assert stamp.read(response, None, CONTENT).serial == 7
    stamp.accept(response, CONTENT, [authority.ca_pem])
    assert authority.judge(response, CONTENT)


@pytest.mark.parametrize("by", ["tsa", "ec", "sha1"])
def test_no_changed_bit_of_a_stamp_or_its_request_goes_unseen(authority: Any, request_: bytes, by: str) -> None:
    response = authority.stamp(request_, by)
    assert not refuses(stamp.read, response, request_, CONTENT)
    assert [at for at, changed in flips(response) if not refuses(stamp.read, changed, request_, CONTENT)] == []
    assert [at for at, changed in flips(request_) if not refuses(stamp.read, response, changed, CONTENT)] == []


def test_a_changed_bit_of_an_intermediate_certificate_is_seen_with_the_root_at_hand(
    authority: Any, request_: bytes
) -> None:
    response = authority.stamp(request_, "chained")
    unseen = [
        (at, changed)
        for at, changed in flips(response, (1, 16, 255))
        if not refuses(stamp.read, changed, request_, CONTENT)
    ]
    sub = authority.der("sub")
    start = response.index(sub)
    assert {at for at, _ in unseen} <= set(range(start, start + len(sub))), "only what the root signed"
    assert [at for at, changed in unseen if not refuses(stamp.accept, changed, CONTENT, [authority.ca_pem])] == []


def test_the_one_other_way_to_write_an_rsa_signature_down_is_as_true(authority: Any, request_: bytes) -> None:
    # RFC 3370, section 3.2, knows two names for the same algorithm, and the name is not signed. Both are in use. This
    # is the only change of a byte that a stamp of our authority survives; the digest in the custody log catches it.
    response = authority.stamp(request_)
    name = bytes.fromhex("300d06092a864886f70d0101010500")
    at = response.rindex(name)
    changed = response[: at + 12] + b"\x0b" + response[at + 13 :]
    assert stamp.read(changed, request_, CONTENT) == stamp.read(response, request_, CONTENT)
    stamp.accept(changed, CONTENT, [authority.ca_pem])
    assert authority.judge(changed, CONTENT)


def test_whatever_is_done_to_a_stamp_ends_in_a_reason(authority: Any, request_: bytes, response: bytes) -> None:
    chance = random.Random(3161)
    for _ in range(3000):
        changed = bytearray(response if chance.random() < 0.8 else request_)
        for _ in range(chance.randint(1, 4)):
            at, size = chance.randrange(len(changed) or 1), chance.randint(0, 30)
            changed[at : at + size] = chance.randbytes(chance.choice([0, size, 3]))
        case = bytes(changed)
        if case not in {response, request_}:
            assert refuses(stamp.read, case, request_, CONTENT)
            assert refuses(stamp.accept, case, CONTENT, [authority.ca_pem])
            refuses(stamp.check_request, case, CONTENT)  # another nonce makes another good request


@pytest.mark.parametrize(
    "more",
    [
        der(0x30, b"\x04\x01a"),  # accuracy
        der(0xA0, b"\x04\x01a"),  # tsa
        der(0xA1, b"\x04\x01a"),  # extensions
    ],
)
def test_nonsense_that_an_authority_signed_is_not_accepted(authority: Any, more: bytes) -> None:
    response = signed(authority, "tsa", info(more))
    assert refuses(stamp.accept, response, CONTENT, [authority.ca_pem])
    assert not authority.judge(response, CONTENT)


def test_an_answer_too_long_for_a_stamp_is_not_even_looked_at() -> None:
    with pytest.raises(ValueError, match="1048577 bytes"):
        stamp.read(b"\0" * ((1 << 20) + 1), None, CONTENT)
