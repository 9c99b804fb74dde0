"""Values that are valid but almost certainly mistakes: with a # comment, quotes, ~ or $NAME, URLs as addresses, names of bytes."""

from __future__ import annotations

import re

from pydantic.fields import FieldInfo

from ..options import write_escaped
from .fields import part_kind, takes_address, takes_bytes, takes_text
from .sentences import quote

_QUOTED = re.compile(r"(['\"]).*\1")
_SHELL = re.compile(r"~[\w-]*/|\$(?:HOME|USER|PWD)\b|\$\{")
_PATTERN = re.compile(r"/dev/.*[*?]")
_WITH_SPEED = re.compile(r"(/[^,]+),([0-9]{3,})(?:[,nNeEoO].*)?")
_PLACE = re.compile(r"[\w.\[\]:*-]*:[0-9]{1,5}")
_HEX = re.compile(r"0[xX][0-9A-Fa-f]{2}(?:[ ,]*0[xX][0-9A-Fa-f]{2})*")
_COMMENT = re.compile(r"((?:^|,[ \t]*)#)[ \t]+[^ \t,].*|(?<=[^ \t,])[ \t]+#.*")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#\s]*)([^?#\s]*).*|(unix):(/.*)", re.IGNORECASE)
_WEB_PORTS = {"ws": "80", "http": "80", "wss": "443", "https": "443"}
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


def uncommented(value: str) -> str:
    """The value without a comment that begins with #. A # that is an entry by itself is a topic filter, and stays."""
    found = None if _QUOTED.fullmatch(value) else _COMMENT.search(value)
    return value[: found.end(1) if found[1] else found.start()] if found else value


def unquoted(value: str) -> str:
    """The value without quotes around it, which `miswritten` reports."""
    return value[1:-1] if _QUOTED.fullmatch(value) else value


def not_a_comment(key: str, value: str) -> str:
    """The error text where `uncommented` removed a comment. It does not show the value, which may be a secret in the wrong place."""
    really = ""
    if value.startswith(("/", ".", "file:")):
        really = ", or make a symbolic link if the path really holds it"
    elif key.startswith("framing."):
        really = ", or \\x23 where the byte is meant"
    return f"write ; in place of #{really} (a comment behind a value begins with ;)"


def miswritten(value: str, field: FieldInfo, key: str) -> str:
    """What is wrong with the value of a field, and what to write instead; "" where nothing is wrong."""
    if key in ("listen", "connect") and (takes_text(field) or takes_address(field)) and (url := _URL.fullmatch(value)):
        return f"{quote(value)} is a URL: {_without_scheme(url, key)}"
    if _QUOTED.fullmatch(value) and not takes_bytes(field) and not part_kind(field):
        return f"the quotes in {quote(value)} would be part of the value: write it without"
    if takes_text(field):
        if not value:
            return "has no value"
        if _SHELL.match(value):
            return f"{quote(value)}: ~ and $NAME are not expanded here: write the whole path"
        if _PATTERN.match(value):
            return f"{quote(value)}: * and ? are not expanded here: write the whole path, as ls -l /dev/serial/by-id/ shows it"
        if key == "device" and (both := _WITH_SPEED.fullmatch(value)):
            return f"{quote(value)} is not a path: write device = {both[1]} and baudrate = {both[2]}"
        if key in ("listen", "connect") and not takes_address(field) and _PLACE.fullmatch(value):
            return f"{quote(value)} is an address, not a path: without transport = unix it is a TCP port"
    if takes_bytes(field) and (meant := _bytes(value)):
        return f"{quote(value)} is taken as text: to give the bytes, write {write_escaped(meant)}"
    return ""


def hint(value: str, key: str) -> str:
    """A possible reason why a value was refused, to append to the refusal; "" if none is known."""
    if key in ("listen", "connect") and re.match(r"\.{0,2}/", value):
        return " (for a UNIX socket: transport = unix)"
    if key == "listen" and (path := re.fullmatch(r"[^/]+:[0-9]+(/.*)", value)):
        return f" (a path goes on a line of its own: transport = websocket, path = {path[1]})"
    return ""


def _without_scheme(url: re.Match[str], key: str) -> str:
    """The keys to write in place of a URL."""
    scheme, place, path = (url[1] or url[4]).lower(), url[2] or "", url[3] or url[5] or ""
    if scheme == "unix":
        return f"write transport = unix and {key} = {place}{path}"
    if not re.search(r":[0-9]+$", place):
        place = f"{place or 'HOST'}:{_WEB_PORTS.get(scheme, 'PORT')}"
    secure = " and tls = NAME, of a [tls NAME] section" if scheme in ("wss", "https", "tls", "ssl") else ""
    if scheme not in _WEB_PORTS:
        return f"write {key} = {place}{secure}"
    if key == "connect":
        return "transport = websocket only listens; connect = HOST:PORT is for a TCP or TLS server"
    return f"write transport = websocket, listen = {place}, path = {path or '/'}{secure}"


def _bytes(value: str) -> bytes:
    if _HEX.fullmatch(value):
        return bytes(int(digits, 16) for digits in re.findall(r"0[xX](..)", value))
    if value in ("CRLF", "CR LF"):
        return b"\r\n"
    return bytes([_NAMED[value]]) if value in _NAMED else b""
