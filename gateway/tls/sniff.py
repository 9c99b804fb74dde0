"""Whether a connection begins with TLS, told from at most six of its bytes.

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
"""As many bytes of a peer's beginning appear in a message."""


class Verdict(Enum):
    """What a connection begins with."""

    TLS = "tls"
    MORE = "more"
    SSLV2 = "sslv2"
    PLAIN = "plain"


def sniff(data: bytes) -> Verdict:
    """Judge the first bytes of a connection.

    ``MORE`` only for a true beginning of a ClientHello; six bytes always decide. ``SSLV2`` is a hello of SSL 2.0 (of any version
    that it offers), which is recognised only to be refused.
    """
    if not data:
        return Verdict.MORE
    if data[0] != _HANDSHAKE:
        return Verdict.SSLV2 if _is_sslv2(data) else Verdict.PLAIN
    if len(data) > 1 and data[1] != _MAJOR:
        return Verdict.PLAIN
    if len(data) > 2 and data[2] > _NEWEST_MINOR:
        return Verdict.PLAIN
    if len(data) > 3 and data[3] > _LONGEST >> 8:
        return Verdict.PLAIN
    if len(data) > 4 and not 1 <= int.from_bytes(data[3:5], "big") <= _LONGEST:
        return Verdict.PLAIN
    if len(data) > 5:
        return Verdict.TLS if data[5] == _CLIENT_HELLO else Verdict.PLAIN
    return Verdict.MORE


def _is_sslv2(data: bytes) -> bool:
    """A two-byte header with its high bit set, CLIENT-HELLO, and version 0.2 or 3.x (RFC 5246, appendix E.2)."""
    if len(data) < 5 or not data[0] & 0x80 or data[2] != _CLIENT_HELLO:
        return False
    return data[3:5] == b"\x00\x02" or (data[3] == _MAJOR and data[4] <= _NEWEST_MINOR)


_HTTP_METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"CONNECT ", b"DELETE ", b"PATCH ", b"PRI ")


def describe(data: bytes) -> str:
    """What a peer that did not speak TLS seems to speak, for a message: quoted, and never more than the first few bytes."""
    start = bytes(data[:SHOWN])
    if not start:
        return "sent nothing"
    if start.startswith(_HTTP_METHODS):
        return f"speaks HTTP ({start!r}): is TLS meant? Its URL begins with https:// or wss://"
    match sniff(start):
        case Verdict.TLS | Verdict.MORE:
            return "began like TLS"
        case Verdict.SSLV2:
            return "speaks SSL 2.0, which is refused"
    if start.startswith(b"SSH-"):
        return f"speaks SSH ({start!r})"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):
        return f"speaks plain text ({start!r}): is TLS meant?"
    return f"does not speak TLS (it began with {start.hex(' ')}): is TLS meant?"
