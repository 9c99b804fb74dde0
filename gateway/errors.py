"""What can go wrong, by whose mistake it is."""

from __future__ import annotations


class GatewayError(Exception):
    """The root of all errors of the gateway's own."""


class ConfigError(GatewayError):
    """The operator's mistake, found before anything has started.

    ``str()`` is one line: ``gw.ini:14: [gauge] baudrate: 'fast' is not an integer``; what is not known is left out.
    """

    def __init__(self, message: str, *, file: str = "", line: int = 0, section: str = "", key: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.section = section
        self.key = key

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        field = f"[{self.section}] {self.key}".rstrip() if self.section else self.key
        return ": ".join(part for part in (place, field, self.message) if part)


class WireError(GatewayError):
    """The peer's mistake."""


class FramingError(WireError):
    """The boundary between packets is lost: the session closes (a serial link resyncs instead)."""


class CodecError(WireError):
    """One frame is unreadable, or one body cannot be said in this framing or codec: skip it and count it."""
