"""The exceptions of the gateway, by whose mistake they are."""

from __future__ import annotations


class GatewayError(Exception):
    """The class of all errors that the gateway raises itself."""


class ConfigError(GatewayError):
    """A mistake of the operator in the configuration, found before anything starts.

    ``str()`` is one line, ``gw.ini:14: [gauge] max_sessions: 'many' is not an integer``, without what is not known.
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
    """A mistake of the peer, or of a device."""


class FramingError(WireError):
    """The boundary between packets is lost: the session ends (a serial port resynchronizes instead)."""


class CodecError(WireError):
    """A frame cannot be decoded, or a payload cannot be encoded in this framing or codec: the packet is skipped and counted."""
