"""The payload as it is; a message is always binary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..packet import Batch
from . import CodecOptions


class Options(CodecOptions):
    """The payload as it is. A WebSocket client gets each packet as a binary message."""


class Codec:
    verbatim = True
    in_lines = False

    def __init__(self, options: Options) -> None:
        self.options = options

    def encode(self, batch: Batch) -> Sequence[bytes]:
        return batch.payloads

    def is_text(self, body: bytes) -> bool:
        return False

    def decode(self, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        return body, None
