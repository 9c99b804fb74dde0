"""Values that could be meant as they stand, and never are: quotes, a shell's abbreviations, the names of bytes."""

from __future__ import annotations

import re

from pydantic.fields import FieldInfo

from ..options import write_escaped
from .fields import takes_bytes, takes_text
from .sentences import quote

_QUOTED = re.compile(r"(['\"]).*\1")
_SHELL = re.compile(r"~[\w-]*/|\$(?:HOME|USER|PWD)\b|\$\{")
_HEX = re.compile(r"0[xX][0-9A-Fa-f]{2}(?:[ ,]*0[xX][0-9A-Fa-f]{2})*")
_NAMED = {
    "NUL": 0,
    "SOH": 1,
    "STX": 2,
    "ETX": 3,
    "EOT": 4,
    "ENQ": 5,
    "ACK": 6,
    "TAB": 9,
    "LF": 10,
    "CR": 13,
    "NAK": 21,
    "ETB": 23,
    "ESC": 27,
}


def miswritten(value: str, field: FieldInfo) -> str:
    """What is wrong with the value of a field of text or bytes, and what to write; empty where nothing is."""
    if takes_text(field):
        if not value:
            return "has no value"
        if _QUOTED.fullmatch(value):
            return f"the quotes in {quote(value)} would be part of the value: write it without"
        if _SHELL.match(value):
            return f"{quote(value)}: ~ and $NAME are not filled in here: write the whole path"
    if takes_bytes(field) and (meant := _bytes(value)):
        return f"{quote(value)} would be these characters themselves: bytes are written {write_escaped(meant)}"
    return ""


def hint(value: str, key: str) -> str:
    """What may explain why a value was refused, to go behind the refusal."""
    if re.search(r"[ \t]#", value):
        return " (a comment behind a value begins with ;)"
    if key in ("listen", "connect") and re.match(r"\.{0,2}/", value):
        return " (for a UNIX socket: transport = unix)"
    return ""


def _bytes(value: str) -> bytes:
    if _HEX.fullmatch(value):
        return bytes(int(digits, 16) for digits in re.findall(r"0[xX](..)", value))
    if value in ("CRLF", "CR LF"):
        return b"\r\n"
    return bytes([_NAMED[value]]) if value in _NAMED else b""
