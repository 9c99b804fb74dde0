"""What clients of a simulated run speak: plain lines, WebSocket, either in TLS. It shares no code with the program."""

from __future__ import annotations

import base64
import json
import ssl
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

import trustme

from .world import BrokenError

Take = Callable[[bytes], None]


class Form(Protocol):
    """``begin`` once the connection is there; ``feed`` what comes; ``say`` a packet. ``send`` and ``packet`` are set by whoever uses it."""

    send: Take
    packet: Take
    opened: bool

    def begin(self) -> None: ...
    def feed(self, data: bytes) -> None: ...
    def say(self, packet: bytes) -> None: ...


class Lines:
    """Packets end at LF; as a device says them, which a raw link passes on, at CR LF."""

    opened = True

    def __init__(self, end: bytes = b"\n") -> None:
        self._strip = end.removesuffix(b"\n")
        self.send: Take = lambda data: None
        self.packet: Take = lambda packet: None
        self._rest = b""

    def begin(self) -> None:
        """Nothing is said before."""

    def feed(self, data: bytes) -> None:
        *packets, self._rest = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        for packet in packets:
            self.packet(packet.removesuffix(self._strip))

    def say(self, packet: bytes) -> None:
        self.send(packet + b"\n")


class WebSocket:
    """RFC 6455: one message a packet."""

    def __init__(self, path: str = "/") -> None:
        self.send: Take = lambda data: None
        self.packet: Take = lambda packet: None
        self.opened = False
        self.refused = b""
        self.closed = False
        self._path = path
        self._rest = b""

    def begin(self) -> None:
        head = f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.send(head.encode() + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")

    def feed(self, data: bytes) -> None:
        self._rest = rest = self._rest + data
        if not self.opened:
            head, end, rest = rest.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self.refused = head
                self._rest = b""
                return
            self.opened = True
        place = 0
        while len(rest) - place >= 2:
            kind, size, begin = rest[place] & 15, rest[place + 1] & 127, place + 2
            if size == 126 and len(rest) >= place + 4:
                size, begin = struct.unpack_from(">H", rest, begin)[0], begin + 2
            elif size == 127 and len(rest) >= place + 10:
                size, begin = struct.unpack_from(">Q", rest, begin)[0], begin + 8
            elif size >= 126:
                break
            if len(rest) < begin + size:
                break
            self._frame(kind, rest[begin : begin + size])
            place = begin + size
        self._rest = rest[place:]

    def say(self, packet: bytes) -> None:
        self._send_frame(1, packet)

    def _frame(self, kind: int, body: bytes) -> None:
        if kind in (1, 2):
            self.packet(body)
        elif kind == 9:
            self._send_frame(10, body)
        elif kind == 8 and not self.closed:
            self.closed = True
            self._send_frame(8, body)

    def _send_frame(self, kind: int, body: bytes) -> None:
        size = len(body)
        head = bytes((0x80 | kind, 0x80 | size)) if size < 126 else struct.pack(">BBH", 0x80 | kind, 0x80 | 126, size)
        self.send(head + bytes(4) + body)  # a mask of zeros: the body as it is


class Json(WebSocket):
    """WebSocket with ``codec = json``: packets of several topics, and what happens. ``heard`` is given each object, too."""

    def __init__(self, path: str = "/") -> None:
        super().__init__(path)
        self.heard: Callable[[dict[str, Any]], None] = lambda what: None

    def say(self, packet: bytes) -> None:
        super().say(json.dumps({"text": packet.decode()}).encode())

    def say_junk(self) -> None:
        """Something that is no JSON."""
        super().say(b'{"text": ')

    def _frame(self, kind: int, body: bytes) -> None:
        if kind not in (1, 2):
            super()._frame(kind, body)
            return
        what = json.loads(body)
        self.heard(what)
        if "$" not in what["topic"]:
            self.packet(what["text"].encode() if "text" in what else base64.b64decode(what["base64"]))


class Tls:
    """Another form inside TLS, by the real OpenSSL on memory."""

    def __init__(self, inner: Any) -> None:
        self.send: Take = lambda data: None
        self.inner = inner
        self.opened = False
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context().wrap_bio(self._in, self._out, server_hostname="localhost")
        inner.send = self._say
        self._begun = False

    @property
    def packet(self) -> Take:
        return self.inner.packet  # type: ignore[no-any-return]

    @packet.setter
    def packet(self, packet: Take) -> None:
        self.inner.packet = packet

    def begin(self) -> None:
        self._shake()

    def feed(self, data: bytes) -> None:
        self._in.write(data)
        if not self._begun:
            self._shake()
        while self._begun:
            try:
                plain = self._tls.read(1 << 16)
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                break
            except ssl.SSLError as error:
                raise BrokenError(f"what a client got is no TLS: {error}") from None
            if not plain:
                break
            self.inner.feed(plain)
        self.opened = self._begun and self.inner.opened

    def say(self, packet: bytes) -> None:
        if self._begun:
            self.inner.say(packet)

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        self._begun = True
        self._flush()
        self.inner.begin()

    def _say(self, data: bytes) -> None:
        try:
            self._tls.write(data)
        except ssl.SSLZeroReturnError:  # the program has said goodbye: nothing is said after that
            return
        self._flush()

    def _flush(self) -> None:
        if data := self._out.read():
            self.send(data)


@cache
def certificate() -> Path:
    """A folder with ``site.pem``, ``site.key`` and ``ca.pem``, made once. RSA: all its signatures have one length, so traces are equal."""
    folder = Path(mkdtemp(prefix="gateway-sim-tls-"))
    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    issued = authority.issue_cert("localhost", key_type=trustme.KeyType.RSA)
    issued.private_key_pem.write_to_path(folder / "site.key")
    (folder / "site.key").chmod(0o600)
    (folder / "site.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return folder


@cache
def context() -> ssl.SSLContext:
    """A client that trusts `certificate`."""
    return ssl.create_default_context(cafile=certificate() / "ca.pem")
