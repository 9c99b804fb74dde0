"""Which pages may open a WebSocket here (RFC 6454; RFC 6455, section 10.2).

A browser sends the page's origin with every WebSocket request, and leaves the decision to the server: here a stranger's page is kept from
a user's device. A page of the gateway itself has the origin that the request was sent to. DNS rebinding defeats that check alone: it makes
a stranger's name point here. So without TLS the same origin counts only if it is an address, ``localhost``, a name of this machine, or a
name that ``origins`` lists. With TLS the browser has checked the name against the certificate.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from ..net.hosts import is_address
from .head import HttpError

_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::([0-9]{1,5}))?")
_LONGEST = 300
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

ANY = "*"
NULL = "null"


def normalize(text: str) -> str:
    """An origin in lower case, without its scheme's default port; ``*`` and ``null`` as they are. Raises ValueError."""
    if text in (ANY, NULL):
        return text
    match = _ORIGIN.fullmatch(text.lower())
    if match is None or len(text) > _LONGEST:
        raise ValueError(f"{text!r} is not an origin (write scheme://host or scheme://host:port, without a path; or *)")
    scheme, host, port = match.groups()
    if port is None or int(port) == _PORTS.get(scheme):
        return f"{scheme}://{host}"
    if int(port) > 65535:
        raise ValueError(f"{text!r}: the highest port is 65535")
    return f"{scheme}://{host}:{int(port)}"


class Visit(NamedTuple):
    """Where a request came from and went to."""

    origin: str | None
    """The header Origin as it was sent."""
    host: str
    """The header Host as it was sent; its syntax is checked."""
    secure: bool
    """Whether it came over TLS."""
    known: bool
    """Whether the client is on this machine, or has shown its certificate."""


def check_origin(visit: Visit, allowed: Collection[str], machine: Collection[str]) -> None:
    """Return if the visitor may open a WebSocket, else raise `HttpError`, which names the option to set.

    ``allowed`` holds normalized origins, ``machine`` the names of this machine in lower case.
    """
    if visit.origin is None:
        if visit.known or ANY in allowed:
            return
        text = "a client that sends no Origin is accepted from this machine or with a client certificate; to allow all: origins = *"
        raise HttpError(403, text)
    try:
        origin = normalize(visit.origin)
    except ValueError:
        origin = ANY
    if origin == ANY:
        raise HttpError(403, "the header Origin is malformed")
    if origin in allowed or (ANY in allowed and origin != NULL):
        return
    if origin == NULL:
        text = (
            "origin null refused: sandboxed frames and files have it, so any page can; serve the page from a host of its own and list that"
        )
        raise HttpError(403, text)
    try:
        own = normalize(f"{'https' if visit.secure else 'http'}://{visit.host}")
    except ValueError:
        raise HttpError(400, "the header Host is malformed") from None
    if origin != own:
        raise HttpError(403, f"origin {origin} refused; to allow it: origins = {origin}")
    if not visit.secure and not _cannot_be_rebound(visit.host, machine):
        text = f"origin {origin} refused, because without TLS any name can be made to point here; to allow it: origins = {origin}"
        raise HttpError(403, text)


def _cannot_be_rebound(host: str, machine: Collection[str]) -> bool:
    name = re.sub(r":[0-9]+\Z", "", host).lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost") or name in machine:
        return True
    return is_address(name.strip("[]"))
