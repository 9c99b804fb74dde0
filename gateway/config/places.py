"""The addresses, sockets and devices of links: no two links have the same, and no link connects to another of the same file."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from ..options import Address, parse_address
from .draft import Draft
from .exposures import is_loopback

_ANYWHERE = ("0.0.0.0", "::")
_NUMERIC = {"localhost": "127.0.0.1"}


def check_places(drafts: Sequence[Draft], is_ours: Callable[[str], bool]) -> None:
    """Refuse every link whose address, socket or device another link of the same file has. ``is_ours`` says if a host is this machine."""
    for index, draft in enumerate(drafts):
        for key in ("listen", "connect"):
            _check_host(draft, key)
        for other in drafts[:index]:
            _check_listeners(draft, other)
            _check_devices(draft, other)
        for other in drafts:
            _check_loop(draft, other, is_ours)


def _check_host(draft: Draft, key: str) -> None:
    address = _place(draft, key)
    if isinstance(address, Address) and "*" in address.host:
        hint = f"write 0.0.0.0:{address.port} for all addresses" if key == "listen" else "write the name or address of the server"
        draft.reading.refuse(f"{address}: * is not a host: {hint}", key)


def _place(draft: Draft, key: str) -> Any:
    if draft.options is not None:
        return getattr(draft.options, key, None)
    text = draft.text(key)
    try:
        return parse_address(text) if key in ("listen", "connect") else text or None
    except ValueError:
        return None


def _check_listeners(draft: Draft, other: Draft) -> None:
    mine, theirs = _place(draft, "listen"), _place(other, "listen")
    if mine is None or theirs is None or not _collide(mine, theirs):
        return
    paths = [_place(each, "path") for each in (draft, other)]
    if mine != theirs or draft.transport != other.transport or None in paths:
        what = "port" if isinstance(mine, Address) else "path"
        if None not in paths and draft.transport == other.transport:
            what += ", or both the same listen and each its own path"
        draft.reading.refuse(f"{mine} is taken: [{other.name}] listens on {theirs}: give one of them another {what}", "listen")
    elif paths[0] == paths[1]:
        draft.reading.refuse(
            f"[{other.name}] has the same address and path: give one of them another path", "path" if draft.text("path") else "listen"
        )
    elif _place(draft, "tls") != _place(other, "tls"):
        draft.reading.refuse(
            f"[{other.name}] listens on the same address with another tls: the two must be the same",
            "tls" if draft.text("tls") else "listen",
        )


def _check_devices(draft: Draft, other: Draft) -> None:
    mine, theirs = _place(draft, "device"), _place(other, "device")
    if mine is not None and mine == theirs and "://" not in str(mine):
        draft.reading.refuse(f"{mine} is already the device of [{other.name}]; to share it: attach = {other.name}", "device")


def _check_loop(draft: Draft, other: Draft, is_ours: Callable[[str], bool]) -> None:
    connect, listen = _place(draft, "connect"), _place(other, "listen")
    if connect is None or listen is None:
        return
    here = connect == listen
    if isinstance(connect, Address) and isinstance(listen, Address):
        here = connect.port == listen.port != 0 and _reaches(_host(connect), _host(listen), is_ours)
    if here:
        draft.reading.refuse(f"{connect} is where [{other.name}] listens: join links of one file by subscribe or attach", "connect")


def _reaches(to: str, at: str, is_ours: Callable[[str], bool]) -> bool:
    """Whether a connection to the host ``to`` reaches a listener on the host ``at``, both on this machine."""
    if to == at:
        return True
    if at in _ANYWHERE:
        return to in _ANYWHERE or is_loopback(to) or is_ours(to)
    # A connection to 0.0.0.0 goes to 127.0.0.1; a name of this machine stands for any of its addresses.
    return (to in _ANYWHERE and is_loopback(at)) or (not _is_numeric(to) and is_ours(to) and is_ours(at))


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _collide(one: Any, other: Any) -> bool:
    """Whether two places cannot both be listened on. Port 0 stands for any free port, so it collides with nothing."""
    if not (isinstance(one, Address) and isinstance(other, Address)):
        return bool(one == other)
    mine, theirs = _host(one), _host(other)
    if one.port != other.port or one.port == 0 or (":" in mine) != (":" in theirs):
        return False
    return mine == theirs or mine in _ANYWHERE or theirs in _ANYWHERE


def _host(address: Address) -> str:
    return _NUMERIC.get(address.host.lower(), address.host.lower())
