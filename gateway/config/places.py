"""The addresses, sockets and devices of links: no two links have the same, and no link connects to another of the same file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..net.hosts import is_address, is_loopback
from ..options import Address
from .draft import Draft

_ANYWHERE = ("0.0.0.0", "::")
_NUMERIC = {"localhost": "127.0.0.1"}
_HINTS = {"listens": "write 0.0.0.0:{port} for all addresses", "connects": "write the name or address of the server"}


def check_places(drafts: Sequence[Draft], is_ours: Callable[[str], bool]) -> None:
    """Refuse every link whose address, socket or device another link of the same file has. ``is_ours`` says if a host is this machine."""
    for index, draft in enumerate(drafts):
        for does, hint in _HINTS.items():
            _check_host(draft, does, hint)
        for other in drafts[:index]:
            _check_listeners(draft, other)
            _check_devices(draft, other)
        for other in drafts:
            _check_loop(draft, other, is_ours)


def _check_host(draft: Draft, does: str, hint: str) -> None:
    key, address = draft.place(does)
    if isinstance(address, Address) and "*" in address.host:
        draft.reading.refuse(f"{address}: * is not a host: {hint.format(port=address.port)}", key)


def _check_listeners(draft: Draft, other: Draft) -> None:
    (key, mine), (_, theirs) = draft.place("listens"), other.place("listens")
    if mine is None or theirs is None or not _collide(mine, theirs):
        return
    (shared_by, own), (_, others) = draft.shared_by, other.shared_by
    if mine != theirs or draft.transport != other.transport or own is None or others is None:
        what = "port" if isinstance(mine, Address) else "path"
        if own is not None and draft.transport == other.transport:
            what += f", or both the same {key} and each its own {shared_by}"
        draft.reading.refuse(f"{mine} is taken: [{other.name}] listens on {theirs}: give one of them another {what}", key)
    elif own == others:
        draft.reading.refuse(
            f"[{other.name}] has the same address and {shared_by}: give one of them another {shared_by}",
            shared_by if draft.text(shared_by) else key,
        )
    elif _tls(draft) != _tls(other):
        draft.reading.refuse(
            f"[{other.name}] listens on the same address with another tls: the two must be the same", "tls" if draft.text("tls") else key
        )


def _tls(draft: Draft) -> Any:
    return draft.text("tls") if draft.options is None else getattr(draft.options, "tls", None)


def _check_devices(draft: Draft, other: Draft) -> None:
    (key, mine), (_, theirs) = draft.place("opens"), other.place("opens")
    if mine is not None and mine == theirs and "://" not in str(mine):
        draft.reading.refuse(f"{mine} is already the {key} of [{other.name}]; to share it: attach = {other.name}", key)


def _check_loop(draft: Draft, other: Draft, is_ours: Callable[[str], bool]) -> None:
    (key, connect), (_, listen) = draft.place("connects"), other.place("listens")
    if connect is None or listen is None:
        return
    here = connect == listen
    if isinstance(connect, Address) and isinstance(listen, Address):
        here = connect.port == listen.port != 0 and _reaches(_host(connect), _host(listen), is_ours)
    if here:
        draft.reading.refuse(f"{connect} is where [{other.name}] listens: join links of one file by subscribe or attach", key)


def _reaches(to: str, at: str, is_ours: Callable[[str], bool]) -> bool:
    """Whether a connection to the host ``to`` reaches a listener on the host ``at``, both on this machine."""
    if to == at:
        return True
    if at in _ANYWHERE:
        return to in _ANYWHERE or is_loopback(to) or is_ours(to)
    # A connection to 0.0.0.0 goes to 127.0.0.1; a name of this machine stands for any of its addresses.
    return (to in _ANYWHERE and is_loopback(at)) or (not is_address(to) and is_ours(to) and is_ours(at))


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
