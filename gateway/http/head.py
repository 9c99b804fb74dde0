"""HTTP as far as a WebSocket and a page need it: one request head, read strictly, and one answer (RFC 9110, RFC 9112).

Where a lenient parser and the proxy in front of it disagree, requests are smuggled. So nothing is guessed here: no bare CR or LF, no
folded lines, no control characters, no blank before a colon, nothing twice that may be there once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

MAX_HEAD = 16 << 10
"""The longest request head, in bytes."""
MAX_HEADERS = 100

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHOD_START = re.compile(rb"[A-Z]+(?: |\Z)")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_TARGET = re.compile(r"/[!-\"$-~]*")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?")
_LONGEST_HOST = 300
_ONCE = frozenset(("host", "origin", "content-length", "transfer-encoding", "sec-websocket-key", "sec-websocket-version"))

REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


class HttpError(Exception):
    """A request is refused, with this status."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        """One sentence: what is wrong, and what to do. Fit for the peer, the log and the field engineer."""
        self.headers = dict(headers or {})


class Request(NamedTuple):
    """One request head. Header names are in lower case; a header that came several times is joined with commas."""

    method: str
    path: str
    """The path alone, as it was sent: neither decoded nor normalized, and without the query."""
    version: str
    headers: Mapping[str, str]

    def tokens(self, name: str) -> list[str]:
        """The members of a header that is a comma-separated list; empty ones are left out."""
        return [token.strip(" \t") for token in self.headers.get(name, "").split(",") if token.strip(" \t")]

    @property
    def wants_websocket(self) -> bool:
        """Whether it asks for an upgrade to WebSocket."""
        return any(token.lower() == "websocket" for token in self.tokens("upgrade"))


class HeadReader:
    """Gathers a request head from pieces of any size.

    Keeps at most `MAX_HEAD` bytes and searches each of them once, so a head that dribbles in costs no more than one that comes whole.
    """

    __slots__ = ("_buffer", "_searched")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    @property
    def empty(self) -> bool:
        """Whether nothing has come yet."""
        return not self._buffer

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """The head with its empty line, and all bytes behind it; None while it is not complete.

        Raises `HttpError` as soon as it is clear that this is no request, or too long.
        """
        buffer = self._buffer
        before = len(buffer)
        buffer += data[: MAX_HEAD - before]
        if before < 8:
            _check_start(bytes(buffer[:8]))
        end = buffer.find(b"\r\n\r\n", self._searched)
        if end >= 0:
            end += 4
            return bytes(buffer[:end]), bytes(buffer[end:]) + data[MAX_HEAD - before :]
        if len(buffer) >= MAX_HEAD:
            raise HttpError(431, f"the request head is longer than {MAX_HEAD} bytes")
        self._searched = max(0, len(buffer) - 3)
        return None


def _check_start(start: bytes) -> None:
    if start[:1] == b"\x16":
        raise HttpError(400, "this port speaks plain HTTP, and the client speaks TLS: give the link a tls = NAME, or use http:// and ws://")
    if start and not _METHOD_START.match(start):
        raise HttpError(400, "this is not an HTTP request")


def parse_head(head: bytes) -> Request:
    """The request in a head that ends with an empty line; raises `HttpError`."""
    lines = head[:-4].split(b"\r\n")
    if any(map(_CONTROL.search, lines)):
        raise HttpError(400, "a control character or a bare line end in the request head")
    # Latin-1 keeps every byte apart; the fields that count are checked to be ASCII below.
    request_line, *fields = [line.decode("latin-1") for line in lines]
    method, path, version = _parse_request_line(request_line)
    if len(fields) > MAX_HEADERS:
        raise HttpError(431, f"more than {MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            raise HttpError(400, "a malformed header line")
        name, value = name.lower(), value.strip(" \t")
        if name not in headers:
            headers[name] = value
        elif name in _ONCE:
            raise HttpError(400, f"the header {name.title()} appears more than once")
        else:
            headers[name] += ", " + value
    host = headers.get("host")
    if host is None and version == "1.1":
        raise HttpError(400, "the header Host is missing")
    if host is not None and not _is_host(host):
        raise HttpError(400, "the header Host is malformed")
    return Request(method, path, version, headers)


def _is_host(text: str) -> bool:
    match = _HOST.fullmatch(text)
    return match is not None and len(text) <= _LONGEST_HOST and int(match[1] or 0) <= 65535


def _parse_request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[0].isalpha() or not parts[2].startswith("HTTP/"):
        raise HttpError(400, "this is not an HTTP request")
    method, target, version = parts[0], parts[1], parts[2][5:]
    if version not in ("1.0", "1.1"):
        raise HttpError(505, "only HTTP/1.1 is spoken here")
    if method not in ("GET", "HEAD"):
        raise HttpError(405, "only GET and HEAD are answered here", {"Allow": "GET, HEAD"})
    if not _TARGET.fullmatch(target):
        raise HttpError(400, "the request target is not a path")
    return method, target.partition("?")[0], version


def response(status: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None, *, send_body: bool = True) -> bytes:
    """A whole answer, after which the connection ends. Without ``send_body`` it is the answer to HEAD.

    It does not name this program, and forbids browsers to store it, to guess its type, to frame it or to run what is in it.
    """
    fields = {
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        **(headers or {}),
    }
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    return head.encode("latin-1") + (body if send_body else b"")


def error_response(refusal: HttpError, *, send_body: bool = True) -> bytes:
    """The answer to a request that is refused: one line of plain text."""
    return response(refusal.status, "text/plain; charset=utf-8", f"{refusal.text}\n".encode(), refusal.headers, send_body=send_body)
