"""The request that opens a WebSocket (RFC 6455, section 4.2.1): checked here, and rewritten for Autobahn.

Autobahn never sees what the client wrote. It gets a request of ours that holds only what was checked: its own parser takes other
characters for line ends than a proxy does, fails at odd extensions, and sends the text of its exceptions to the peer.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection

from .head import HttpError, Request

VERSION = "13"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_MAX_SUBPROTOCOLS = 32


def check_subprotocol(name: str) -> str:
    """The name itself, if it can be a subprotocol; raises ValueError."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a subprotocol (letters, digits and !#$%&'*+.^_`|~- , at most 64)")
    return name


def upgrade_required() -> HttpError:
    """The refusal of a plain request where only a WebSocket is served, or of another version of the protocol."""
    headers = {"Upgrade": "websocket", "Sec-WebSocket-Version": VERSION}
    return HttpError(426, "this is a WebSocket: open it with ws:// or wss://, version 13", headers)


def canonical_request(request: Request, subprotocols: Collection[str]) -> bytes:
    """The same request, with nothing in it but what was checked; raises `HttpError` if it cannot open a WebSocket.

    Of the subprotocols that the client offers it has the first that is in ``subprotocols``, if any.
    """
    if request.method != "GET" or request.version != "1.1":
        raise HttpError(400, "a WebSocket is opened with GET and HTTP/1.1")
    if "upgrade" not in [token.lower() for token in request.tokens("connection")]:
        raise HttpError(400, "the header Connection lacks Upgrade: a proxy in between must pass on Connection and Upgrade")
    if "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0":
        raise HttpError(400, "a request that opens a WebSocket has no body")
    if request.headers.get("sec-websocket-version") != VERSION:
        raise upgrade_required()
    key = request.headers.get("sec-websocket-key", "")
    if not _is_key(key):
        raise HttpError(400, "the header Sec-WebSocket-Key is not 16 bytes in base64")
    offered = request.tokens("sec-websocket-protocol")
    if len(offered) > _MAX_SUBPROTOCOLS or not all(map(_TOKEN.fullmatch, offered)) or len(set(offered)) != len(offered):
        raise HttpError(400, "the header Sec-WebSocket-Protocol is malformed")
    chosen = next((name for name in offered if name in subprotocols), None)
    lines = [
        f"GET {request.path} HTTP/1.1",
        f"Host: {request.headers['host']}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Version: {VERSION}",
    ]
    if chosen is not None:
        lines.append(f"Sec-WebSocket-Protocol: {chosen}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _is_key(key: str) -> bool:
    try:
        raw = base64.b64decode(key.encode(), validate=True)
    except (ValueError, binascii.Error):
        return False
    return len(raw) == 16 and len(key) == 24
