"""What all rooms' tests share: sample backups minted once a session, tests that need a program on this computer, and
a time-stamping authority on the loopback address."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bagtag.sample_backups.make import Minted
from bagtag.sample_backups.make import mint as mint_backup

Mint = Callable[..., Minted]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is absent, naming it; with BAGTAG_REQUIRE_ALL=1 it fails instead."""
    for marker in item.iter_markers("program"):
        need(str(marker.args[0]))


def need(program: str) -> None:
    """Skip the test at hand when the program is absent; with BAGTAG_REQUIRE_ALL=1 fail it."""
    if shutil.which(program) is None:
        reason = f"needs the program {program}, which is not on this computer"
        if os.environ.get("BAGTAG_REQUIRE_ALL") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def encrypted_backup(tmp_path_factory: pytest.TempPathFactory) -> Minted:
    """A sound encrypted backup of iOS 18. Shared by all tests: read it, never change it."""
    return mint_backup(tmp_path_factory.mktemp("encrypted"))


@pytest.fixture(scope="session")
def plain_backup(tmp_path_factory: pytest.TempPathFactory) -> Minted:
    """The same device without encryption. Shared by all tests: read it, never change it."""
    return mint_backup(tmp_path_factory.mktemp("plain"), encrypted=False)


@pytest.fixture(scope="session")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Mint:
    """Mint a backup into a folder of its own, with the arguments of `bagtag.sample_backups.make.mint`."""

    def into_new_folder(**arguments: Any) -> Minted:
        dest: Path = tmp_path_factory.mktemp("minted")
        return mint_backup(dest, **arguments)

    return into_new_folder


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Time-stamping authorities, run by openssl, answering on the loopback address: see `Authority`."""
    need("openssl")
    made = Authority(tmp_path_factory.mktemp("authority"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield made
    made.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


class Authority:
    """Some time-stamping authorities with their keys in `folder`; stamps are made by `openssl ts -reply`.

    `url` answers rightly, and `url/NAME` as that authority or in that wrong way:
    tsa (RSA), ec, chained (with its intermediate certificate), unchained (without it), stranger (of another root),
    expired (its certificate ran out in 2021), fractions (thousandths of a second), sha1 (names its certificate by
    SHA-1); refused, other-content, other-nonce, truncated, trailing, empty, http-500, html, endless, slow, silent,
    redirect. Certificates without time stamping as their one critical purpose: unmarked, soft, twice; openssl makes no
    stamps with them, `sign` does.
    `ca`, `ca_pem`: the root; `stranger_ca`: the other one. `heard`: path, headers and body of each request.
    """

    url: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._made: dict[str, tuple[x509.Certificate, Any]] = {}
        self._certify("ca", "ca", ca=True, key=rsa.generate_private_key(65537, 2048))
        self._certify("tsa", "ca", key=rsa.generate_private_key(65537, 2048))
        self._certify("ec", "ca")
        self._certify("sub", "ca", ca=True)
        self._certify("chained", "sub")
        self._certify("stranger-ca", "stranger-ca", ca=True)
        self._certify("stranger", "stranger-ca")
        self._certify("expired", "ca", years=(2020, 2021))
        self._certify("unmarked", "ca", purposes=())
        self._certify("soft", "ca", critical=False)
        self._certify("twice", "ca", purposes=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING))
        self.ca = folder / "ca.pem"
        self.ca_pem = self.ca.read_bytes()
        self.stranger_ca = folder / "stranger-ca.pem"
        (folder / "serial").write_text("01\n")
        common = (
            f"serial={folder.as_posix()}/serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\naccuracy=secs:1\n"
            "ordering=yes\ntsa_name=yes\ness_cert_id_chain=no\n"
        )
        (folder / "tsa.cnf").write_text(
            f"[plain]\n{common}digests=sha256\ness_cert_id_alg=sha256\n"
            f"[refused]\n{common}digests=sha512\n"
            f"[fractions]\n{common}digests=sha256\nclock_precision_digits=3\n"
            f"[sha1]\n{common}digests=sha256\ness_cert_id_alg=sha1\n"
        )

    def _certify(
        self,
        name: str,
        issuer: str,
        *,
        ca: bool = False,
        key: Any = None,
        years: tuple[int, int] = (2015, 2045),
        purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
        critical: bool = True,
    ) -> None:
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test {name}")])
        above, signer = self._made.get(issuer, (None, key))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(above.subject if above else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(years[0], 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(years[1], 1, 1, tzinfo=UTC))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(_usage(certify=ca), critical=True)
        )
        if purposes and not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
        made = builder.sign(signer, hashes.SHA256())
        self._made[name] = made, key
        (self.folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def openssl(self, *arguments: str | Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run openssl in the folder."""
        return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=False, cwd=self.folder)

    def stamp(self, request: bytes, by: str = "tsa") -> bytes:
        """The response of one of the authorities, as openssl makes it."""
        signer = {"unchained": "chained", "refused": "tsa", "fractions": "tsa", "sha1": "tsa"}.get(by, by)
        section = by if by in {"refused", "fractions", "sha1"} else "plain"
        chain = ["-chain", "sub.pem"] if by == "chained" else []
        with self._lock:
            (self.folder / "in.tsq").write_bytes(request)
            done = self.openssl("ts", "-reply", "-config", "tsa.cnf", "-section", section,
                                "-queryfile", "in.tsq", "-signer", f"{signer}.pem", "-inkey", f"{signer}.key", *chain,
                                "-out", "out.tsr")  # fmt: skip
            assert done.returncode == 0, done.stderr
            return (self.folder / "out.tsr").read_bytes()

    def sign(self, info: bytes, by: str, *options: str) -> bytes:
        """A response over any TSTInfo by anybody: `openssl cms -sign`, since `openssl ts` makes only good ones.

        `options`: of `openssl cms`; `-cades` names the certificate in what is signed, as a stamp must.
        """
        done = self.openssl("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER",
                            "-md", "sha256", "-econtent_type", "1.2.840.113549.1.9.16.1.4",
                            "-signer", f"{by}.pem", "-inkey", f"{by}.key", *options, given=info)  # fmt: skip
        assert done.returncode == 0, done.stderr
        body = bytes.fromhex("3003020100") + done.stdout  # PKIStatusInfo { granted }
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    def der(self, name: str) -> bytes:
        """The certificate of that name."""
        return self._made[name][0].public_bytes(Encoding.DER)

    def twin(self, name: str) -> bytes:
        """A certificate of the same issuer, number, subject and key as that one, valid for longer (DER)."""
        made, _ = self._made[name]
        builder = x509.CertificateBuilder(
            made.issuer, made.subject, made.public_key(), made.serial_number,
            made.not_valid_before_utc, datetime(2049, 1, 1, tzinfo=UTC), list(made.extensions),
        )  # fmt: skip
        return builder.sign(self._made["ca"][1], hashes.SHA256()).public_bytes(Encoding.DER)

    def revocation_list(self) -> bytes:
        """A list of no revoked certificates by the root (DER)."""
        made, key = self._made["ca"]
        builder = x509.CertificateRevocationListBuilder(
            made.subject, datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
        )
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def judge(self, response: bytes, content: bytes | None = None, **given: Any) -> bool:
        """What `openssl ts -verify` says. `request` instead of content; `ca`, a file; `at`, seconds since 1970."""
        with self._lock:
            (self.folder / "judged.tsr").write_bytes(response)
            arguments: list[str | Path] = ["-in", "judged.tsr", "-CAfile", given.get("ca", self.ca)]
            if content is not None:
                (self.folder / "judged").write_bytes(content)
                arguments += ["-data", "judged"]
            else:
                (self.folder / "judged.tsq").write_bytes(given["request"])
                arguments += ["-queryfile", "judged.tsq"]
            if "at" in given:
                arguments += ["-attime", str(given["at"])]
            done = self.openssl("ts", "-verify", *arguments)
        assert (b"Verification: OK" in done.stdout) == (done.returncode == 0)
        return done.returncode == 0

    def ask_for(self, content: bytes, *options: str) -> bytes:
        """A request that openssl makes, not bagtag."""
        asked = self.folder / "asked"
        asked.write_bytes(content)
        done = self.openssl("ts", "-query", "-data", asked, "-sha256", "-cert", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def answer(self, path: str, request: bytes) -> tuple[int, dict[str, str], Iterator[bytes]]:
        """What the server says: status, headers, body in pieces."""
        name = path.strip("/") or "tsa"
        reply = {"Content-Type": "application/timestamp-reply"}
        if name == "http-500":
            return 500, {}, iter([b"no"])
        if name == "html":
            return 200, {"Content-Type": "text/html"}, iter([self.stamp(request)])
        if name == "redirect":
            return 302, {"Location": "file:///etc/passwd"}, iter(())
        if name == "endless":
            return 200, reply, iter(lambda: b"\0" * 65536, b"")
        if name == "slow":
            return 200, reply, iter(lambda: b"" if self.closing.wait(0.02) else b"\0", b"")
        if name == "silent":
            self.closing.wait(10)
            return 200, reply, iter(())
        response = self._right_or_wrong(name, request)
        return 200, {**reply, "Content-Length": str(len(response))}, iter([response])

    def _right_or_wrong(self, name: str, request: bytes) -> bytes:
        match name:
            case "empty":
                return b""
            case "truncated":
                return self.stamp(request)[:-1]
            case "trailing":
                return self.stamp(request) + b"\0"
            case "other-content":
                return self.stamp(self.ask_for(b"something else"))
            case "other-nonce":
                at = request.index(b"\x04\x20") + 34  # behind the digest: the nonce's tag and length, then the nonce
                return self.stamp(request[: at + 2] + bytes((request[at + 2] ^ 1,)) + request[at + 3 :])
            case _:
                return self.stamp(request, name)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """How the server answers."""
        this = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                this.heard.append((self.path, dict(self.headers), body))
                status, headers, pieces = this.answer(self.path, body)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    for piece in pieces:
                        self.wfile.write(piece)
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
                pass

        return Handler


def _usage(*, certify: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certify, key_cert_sign=certify, crl_sign=certify, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
