"""The payload as hexadecimal digits: to look at binary protocols, and to type them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import CodecError
from ..options import write_count
from ..packet import Batch
from . import CodecOptions


class Options(CodecOptions):
    """The payload as lower-case hexadecimal digits, two for each byte. Upper-case ones, and blanks between the bytes, are read as well."""


class Codec:
    verbatim = False
    in_lines = True

    def __init__(self, options: Options) -> None:
        self.options = options

    def encode(self, batch: Batch) -> Sequence[bytes]:
        return [payload.hex().encode() for payload in batch.payloads]

    def is_text(self, body: bytes) -> bool:
        return True

    def decode(self, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        try:
            return bytes.fromhex(body.decode("ascii")), None
        except ValueError:
            raise CodecError(
                f"{write_count(len(body), 'byte')} that are not hexadecimal digits, two for each byte (as 0d0a or 0D 0A)"
            ) from None
