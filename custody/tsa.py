"""A time-stamping authority asked over the network (RFC 3161, section 3.4): one POST, one answer.

The only module that talks to anybody. What goes out is the request alone: a digest and a random number. The answer is
not judged here but by `bagtag.custody.stamp.read`; here it is bounded in size and time, and no redirect is followed.
"""

from __future__ import annotations

import base64
import http.client
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import SplitResult, unquote, urlsplit

from bagtag.custody.token import MAX_RESPONSE

_QUERY = "application/timestamp-query"
_REPLY = "application/timestamp-reply"
_SCHEMES = ("http", "https")
_CHUNK = 1 << 16


class TsaError(Exception):
    """No answer was had from an authority. The message is a sentence without secrets, fit for the custody log."""


def shown(url: str) -> str:
    """The URL as it may be written down: without user and password, and without what follows a `?`. Raises TsaError."""
    parts = _parts(url)
    return f"{parts.scheme}://{_place(parts)}{parts.path}" + ("?…" if parts.query else "")


def ask(url: str, request: bytes, *, timeout: float = 20) -> bytes:
    """Send a TimeStampReq to an authority and return the bytes of its answer, 1 MiB at most.

    `timeout` in seconds, for all of it together. A user and a password in the URL are sent as Basic authorization.
    Raises TsaError.
    """
    parts = _parts(url)
    target = f"{parts.scheme}://{_place(parts)}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
    call = urllib.request.Request(target, data=request, method="POST")  # noqa: S310 - the scheme was checked
    call.add_header("Content-Type", _QUERY)
    call.add_header("Accept", _REPLY)
    call.add_header("User-Agent", "bagtag")
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        call.add_unredirected_header("Authorization", "Basic " + base64.b64encode(pair).decode("ascii"))
    return _Conversation(call, _place(parts), timeout).answer()


def _parts(url: str) -> SplitResult:
    if not url.isprintable() or " " in url:
        raise TsaError("the address of the authority holds spaces or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TsaError("the address of the authority is no URL") from None
    if parts.scheme not in _SCHEMES:
        raise TsaError("the address of the authority must begin with http:// or https://")
    if not parts.hostname or port == 0:
        raise TsaError("the address of the authority names no host")
    if "@" in parts.path + parts.query + parts.fragment:
        # `http://user:12/34@host` is the host `user` to every parser: half a password would be shown, and asked for.
        raise TsaError(
            "the address of the authority has an @ behind its host: write / ? # in a password as %2F %3F %23"
        )
    return parts


def _place(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


class _Conversation:
    """One exchange in a thread of its own: a socket's timeout is for one read, and a name look-up has none at all."""

    def __init__(self, call: urllib.request.Request, place: str, timeout: float) -> None:
        self._call = call
        self._place = place
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._answer: bytes | None = None
        self._trouble = f"{place} gave no answer within {timeout:g} seconds"

    def answer(self) -> bytes:
        thread = threading.Thread(target=self._run, name="time-stamping authority", daemon=True)
        thread.start()
        thread.join(self._timeout)
        if self._answer is None:
            raise TsaError(self._trouble)
        return self._answer

    def _run(self) -> None:
        try:
            with _opener().open(self._call, timeout=self._timeout) as reply:
                self._answer = self._body(reply)
        except urllib.error.HTTPError as refusal:
            self._trouble = self._status(refusal.code)
            refusal.close()
        except TsaError as trouble:
            self._trouble = str(trouble)
        except TimeoutError:
            return
        except (OSError, http.client.HTTPException, ValueError) as trouble:
            reason = getattr(trouble, "reason", trouble)
            if not isinstance(reason, TimeoutError):
                self._trouble = f"{self._place} could not be asked: {_in_words(reason)}"

    def _status(self, code: int) -> str:
        if 300 <= code < 400:
            return f"{self._place} answers with a redirect ({code}), which is not followed: name the address itself"
        return f"{self._place} answers with HTTP {code} {http.client.responses.get(code, '')}".rstrip()

    def _body(self, reply: http.client.HTTPResponse) -> bytes:
        if reply.status != 200:
            raise TsaError(self._status(reply.status))
        kind = reply.headers.get_content_type()
        if kind != _REPLY:
            raise TsaError(f"{self._place} answers with {ascii(kind)[1:-1][:80]}, which is no time stamp")
        body = bytearray()
        while chunk := reply.read1(_CHUNK):
            body += chunk
            if len(body) > MAX_RESPONSE:
                raise TsaError(f"{self._place} answers with more than {MAX_RESPONSE} bytes, which is no time stamp")
            if time.monotonic() > self._deadline:
                raise TimeoutError
        return bytes(body)


def _in_words(reason: object) -> str:
    # strerror alone: an exception's own text may quote the request or the proxy's address with its password
    words = getattr(reason, "strerror", None) or getattr(reason, "verify_message", None) or type(reason).__name__
    return ascii(words)[1:-1][:200]


def _opener() -> urllib.request.OpenerDirector:
    # Made by hand: no handler for file:, ftp: or data:, none for redirects.
    opener = urllib.request.OpenerDirector()
    proxies = {
        k: v for k, v in urllib.request.getproxies().items() if k in _SCHEMES and v.startswith(("http://", "https://"))
    }
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener
