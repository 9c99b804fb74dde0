"""Codecs: how a payload is written for a peer, and read from it. One file per name; `registry.names("codec")` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..options import Options
from ..packet import Batch


def is_utf8(body: bytes) -> bool:
    """Whether the bytes are text (RFC 3629: no surrogates, nothing overlong), as a WebSocket text message has to be."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def in_lines(codec: Codec) -> bool:
    """What the codec says; of one that says nothing, whether it writes bodies of its own: joined, these could not be told apart again."""
    return getattr(codec, "in_lines", not codec.verbatim)


class CodecOptions(Options):
    """The base of every codec's options."""


class Codec(Protocol):
    """Payloads to bodies and back; pure."""

    verbatim: bool
    """True when a body is the payload itself, so that a stream can pass bytes on as they were received."""

    in_lines: bool
    """Whether a stream without ``framing`` gets its bodies as lines rather than joined. A codec need not say it: see `in_lines`."""

    def encode(self, batch: Batch) -> Sequence[bytes]:
        """One body per packet."""

    def is_text(self, body: bytes) -> bool:
        """Whether a body goes as a text message where the wire knows text and binary; asked only where needed."""

    def decode(self, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        """Payload, and fields where there are any; raises CodecError."""
