"""Whether a connection begins with TLS: its first six bytes decide.

A TLS connection begins with a handshake record (RFC 8446, section 5.1; RFC 5246, section 6.2.1): content type 22, version 3.x, the
length of the record (at most 2**14), and then the type of the first message, 1 for a ClientHello (RFC 8446, section 4).
"""

from __future__ import annotations

from enum import Enum

_HANDSHAKE = 0x16
_MAJOR = 0x03
_NEWEST_MINOR = 0x04
_LONGEST = 1 << 14
_CLIENT_HELLO = 0x01

SHOWN = 24
"""How many of a peer's first bytes a message shows."""


class Beginning(Enum):
    """What the first bytes of a connection are."""

    TLS = "tls"
    MORE = "more"
    SSLV2 = "sslv2"
    PLAIN = "plain"


def sniff(data: bytes) -> Beginning:
    """What the first bytes of a connection are.

    ``MORE``: they begin a ClientHello, and are fewer than the six that decide. ``SSLV2``: a hello in the format of SSL 2.0, whatever
    version it offers; it is recognised only to be refused.
    """
    if not data:
        return Beginning.MORE
    if data[0] != _HANDSHAKE:
        return Beginning.SSLV2 if _is_sslv2(data) else Beginning.PLAIN
    if len(data) > 1 and data[1] != _MAJOR:
        return Beginning.PLAIN
    if len(data) > 2 and data[2] > _NEWEST_MINOR:
        return Beginning.PLAIN
    if len(data) > 3 and data[3] > _LONGEST >> 8:
        return Beginning.PLAIN
    if len(data) > 4 and not 1 <= int.from_bytes(data[3:5], "big") <= _LONGEST:
        return Beginning.PLAIN
    if len(data) > 5:
        return Beginning.TLS if data[5] == _CLIENT_HELLO else Beginning.PLAIN
    return Beginning.MORE


def _is_sslv2(data: bytes) -> bool:
    """A two-byte header with its high bit set, CLIENT-HELLO, and version 0.2 or 3.x (RFC 5246, appendix E.2)."""
    if len(data) < 5 or not data[0] & 0x80 or data[2] != _CLIENT_HELLO:
        return False
    return data[3:5] == b"\x00\x02" or (data[3] == _MAJOR and data[4] <= _NEWEST_MINOR)


_HTTP_METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"CONNECT ", b"DELETE ", b"PATCH ", b"PRI ")


def describe(data: bytes) -> str:
    """What a peer that does not speak TLS seems to speak, for a message. It quotes at most `SHOWN` bytes."""
    start = bytes(data[:SHOWN])
    if not start:
        return "sent nothing"
    if start.startswith(_HTTP_METHODS):
        return f"speaks HTTP ({start!r}): is TLS meant? Its URL begins with https:// or wss://"
    match sniff(start):
        case Beginning.TLS | Beginning.MORE:
            return "began like TLS"
        case Beginning.SSLV2:
            return "speaks SSL 2.0, which is refused"
    if start.startswith(b"SSH-"):
        return f"speaks SSH ({start!r})"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):
        return f"speaks plain text ({start!r}): is TLS meant?"
    return f"does not speak TLS (it began with {start.hex(' ')}): is TLS meant?"
