"""Asking an authority: what goes over the wire, and every way in which no stamp comes back."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bagtag.custody import stamp, tsa

CONTENT = b'{"_type":"https://in-toto.io/Statement/v1"}'
SECRET = "s3cret-Marker"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def server(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    made = HTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        made.socket = tls.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


class Answers(BaseHTTPRequestHandler):
    """Answers each POST with one word, and keeps what it heard."""

    heard: list[tuple[str, dict[str, str]]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        self.wfile.write(b"stamp")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
        pass


@pytest.fixture
def answers() -> type[Answers]:
    return type("Fresh", (Answers,), {"heard": []})


@pytest.mark.program("openssl")
def test_the_request_alone_goes_out_and_the_stamp_comes_back(authority: Any) -> None:
    request = stamp.request(CONTENT)
    response = tsa.ask(authority.url, request)
    assert stamp.read(response, request, CONTENT).authority == "CN=Test tsa"
    assert authority.judge(response, request=request)
    path, headers, body = authority.heard[-1]
    assert (path, body) == ("/", request)
    assert headers["Content-Type"] == "application/timestamp-query"
    assert set(headers) == {"Accept", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Host",
                            "User-Agent"}  # fmt: skip


@pytest.mark.program("openssl")
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("http-500", "HTTP 500 Internal Server Error"),
        ("html", "text/html, which is no time stamp"),
        ("endless", "more than 1048576 bytes"),
        ("redirect", "redirect .302., which is not followed"),
        ("slow", "no answer within 0.4 seconds"),
        ("silent", "no answer within 0.4 seconds"),
    ],
)
def test_an_authority_that_does_not_answer_as_it_should_is_named_with_the_reason(
    authority: Any, how: str, why: str
) -> None:
    started = time.monotonic()
    with pytest.raises(tsa.TsaError, match=why) as caught:
        tsa.ask(f"{authority.url}/{how}", stamp.request(CONTENT), timeout=20 if how == "endless" else 0.4)
    assert str(caught.value).startswith(authority.url.removeprefix("http://"))
    assert time.monotonic() - started < 10


@pytest.mark.program("openssl")
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("refused", "not granted"),
        ("truncated", "cut short"),
        ("trailing", "trailing"),
        ("empty", "cut short"),
        ("other-content", "stamp of other content"),
        ("other-nonce", "another request"),
    ],
)
def test_an_answer_is_handed_on_as_it_came_and_judged_as_a_stamp(authority: Any, how: str, why: str) -> None:
    request = stamp.request(CONTENT)
    response = tsa.ask(f"{authority.url}/{how}", request)
    with pytest.raises(ValueError, match=why):
        stamp.read(response, request, CONTENT)
    assert authority.judge(response, request=request) == (how == "trailing"), "openssl overlooks trailing bytes"


def test_an_authority_that_nobody_runs_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening: connections are refused
        with pytest.raises(tsa.TsaError, match=r"^127\.0\.0\.1:\d+ could not be asked: "):
            tsa.ask(f"http://127.0.0.1:{taken.getsockname()[1]}/", b"request", timeout=5)


def test_a_name_that_stands_for_no_host_is_unreachable() -> None:
    with pytest.raises(tsa.TsaError, match=r"^tsa\.invalid (could not be asked|gave no answer)"):
        tsa.ask("http://tsa.invalid/", b"request", timeout=5)


def test_what_does_not_speak_http_gives_no_stamp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-nothing\r\n")

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        with pytest.raises(tsa.TsaError, match="could not be asked: BadStatusLine"):
            tsa.ask(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"request", timeout=5)
        thread.join()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/stamp",
        "data:application/timestamp-reply,x",
        "/etc/passwd",
        "",
        "http://",
        "http:///stamp",
        "http://host:port/",
        "http://host:0/",
        "http://host:99999/",
        "http://[::1/",
        "http://host/a b",
        "http://host/\r\nX-Injected: 1",
        f"http://user:12/{SECRET}@host/",
        f"http://user:12?{SECRET}@host/",
        f"http://user:12#{SECRET}@host/",
        f"http://user:{SECRET}/x@host/",
        f"gopher://user:{SECRET}@host/",
    ],
)
def test_what_is_no_address_of_an_authority_is_never_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_args, **_named: pytest.fail("asked"))
    for call in (lambda: tsa.ask(url, b"request"), lambda: tsa.shown(url)):
        with pytest.raises(tsa.TsaError, match="address of the authority") as caught:
            call()
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://tsa.example", "http://tsa.example"),
        ("https://tsa.example:8443/rfc3161", "https://tsa.example:8443/rfc3161"),
        (f"https://lab:{SECRET}@tsa.example/x", "https://tsa.example/x"),
        (f"https://{SECRET}@tsa.example/x", "https://tsa.example/x"),
        (f"https://tsa.example/x?key={SECRET}", "https://tsa.example/x?…"),
        (f"https://tsa.example/x#{SECRET}", "https://tsa.example/x"),
        (f"https://a@{SECRET}@tsa.example/x", "https://tsa.example/x"),
    ],
)
def test_an_address_is_written_down_without_its_secrets(url: str, shown: str) -> None:
    assert tsa.shown(url) == shown


def test_a_password_goes_to_the_authority_and_into_no_message(answers: type[Answers], capfd: Any) -> None:
    with server(answers) as url:
        with_password = url.replace("://", f"://lab%40x:{SECRET}%2F@") + "/x?key=1"
        assert tsa.ask(with_password, b"request") == b"stamp"
    path, headers = answers.heard[0]
    assert path == "/x?key=1"
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"lab@x:{SECRET}/".encode()).decode()
    assert "@" not in headers["Host"]
    with pytest.raises(tsa.TsaError) as caught:  # the server is gone
        tsa.ask(with_password, b"request", timeout=5)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.getrepr())
    assert capfd.readouterr() == ("", "")


@pytest.mark.program("openssl")
@pytest.mark.parametrize("how", ["http-500", "redirect", "html", "silent"])
def test_no_trouble_with_the_authority_tells_the_password(authority: Any, how: str, capfd: Any) -> None:
    url = authority.url.replace("://", f"://lab:{SECRET}@")
    with pytest.raises(tsa.TsaError) as caught:
        tsa.ask(f"{url}/{how}", stamp.request(CONTENT), timeout=0.4)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__dict__)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert capfd.readouterr() == ("", "")


def test_a_proxy_of_the_house_is_used(answers: type[Answers], monkeypatch: pytest.MonkeyPatch) -> None:
    with server(answers) as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert tsa.ask("http://tsa.invalid/x", b"request") == b"stamp"
    assert answers.heard[0][0] == "http://tsa.invalid/x"


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:1", "socks5://127.0.0.1:1", "file:///etc/passwd"])
def test_a_proxy_of_another_kind_is_not_used(
    answers: type[Answers], monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with server(answers) as url:
        assert tsa.ask(url, b"request") == b"stamp"


def test_the_password_of_a_proxy_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://lab:{SECRET}@127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(tsa.TsaError, match=r"^tsa\.invalid could not be asked") as caught:
        tsa.ask("http://tsa.invalid/", b"request", timeout=5)
    assert SECRET not in str(caught.value)


@pytest.mark.program("openssl")
def test_over_tls_the_server_must_be_who_it_says(
    answers: type[Answers], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with server(answers, tls) as url:
        with pytest.raises(tsa.TsaError, match="certificate"):
            tsa.ask(url, b"request", timeout=5)
        assert answers.heard == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert tsa.ask(url, b"request", timeout=5) == b"stamp"
