"""Codecs: how a payload is written for a peer, and read from it. One file for each name; `registry.names("codec")` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..options import Options
from ..packet import Batch


def is_utf8(body: bytes) -> bool:
    """Whether the bytes are valid UTF-8 (RFC 3629: no surrogates, nothing overlong), as a WebSocket text message must be."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def in_lines(codec: Codec) -> bool:
    """The codec's ``in_lines``; if it has none, whether its bodies differ from the payloads: joined, these could not be separated again."""
    return getattr(codec, "in_lines", not codec.verbatim)


class CodecOptions(Options):
    """The base of every codec's options."""


class Codec(Protocol):
    """Writes payloads as bodies, and reads bodies as payloads. It does no I/O."""

    verbatim: bool
    """Whether a body is the payload itself, so that a stream can pass bytes on as they were received."""

    in_lines: bool
    """Whether a stream without ``framing`` gets the bodies as lines, not joined. A codec may leave it out: see the function `in_lines`."""

    def encode(self, batch: Batch) -> Sequence[bytes]:
        """Return one body for each packet."""

    def is_text(self, body: bytes) -> bool:
        """Whether a body is sent as a text message where there are text and binary ones (WebSocket)."""

    def decode(self, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        """Return the payload, and the fields if there are any. Raises CodecError."""
