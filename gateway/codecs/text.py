"""The payload as it is; a message is text where it is UTF-8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..packet import Batch
from . import CodecOptions, is_utf8


class Options(CodecOptions):
    """The payload as it is. A WebSocket client gets a text message where the payload is valid UTF-8, else a binary one."""


class Codec:
    verbatim = True
    in_lines = True

    def __init__(self, options: Options) -> None:
        self.options = options

    def encode(self, batch: Batch) -> Sequence[bytes]:
        return batch.payloads

    def is_text(self, body: bytes) -> bool:
        return is_utf8(body)

    def decode(self, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        return body, None
