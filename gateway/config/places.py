"""The addresses, sockets and devices of links: no two links have the same, and no link connects to another of the same file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..net.hosts import is_address, is_loopback
from ..options import Address
from .draft import Draft

_ANYWHERE = ("0.0.0.0", "::")
_NUMERIC = {"localhost": "127.0.0.1"}
_HINTS = {"listens": "write 0.0.0.0:{port} for all addresses", "connects": "write the name or address of the server"}


def check_places(drafts: Sequence[Draft], is_ours: Callable[[str], bool]) -> None:
    """Refuse every link whose address, socket or device another link of the same file has. ``is_ours`` says if a host is this machine."""
    listening, opening, before = _Listening(drafts), _Opening(), _Listening(())
    for draft in drafts:
        for does, hint in _HINTS.items():
            _check_host(draft, does, hint)
        taken, same = before.beside(draft), opening.beside(draft)
        for other in sorted({*taken, *same}, key=lambda other: other.line):
            _check_listeners(draft, other)
            _check_devices(draft, other)
        before.add(draft)
        opening.add(draft)
        for other in listening.behind(draft):
            _check_loop(draft, other, is_ours)


class _Opening:
    """The links by the device that they open."""

    def __init__(self) -> None:
        self._by_device: dict[str, list[Draft]] = {}

    def add(self, draft: Draft) -> None:
        self._by_device.setdefault(str(draft.place("opens")[1]), []).append(draft)

    def beside(self, draft: Draft) -> Sequence[Draft]:
        """Those with the same one."""
        _key, device = draft.place("opens")
        return () if device is None or "://" in str(device) else self._by_device.get(str(device), ())


class _Listening:
    """The links that listen, by where, and by what tells them apart there: those are found with which one might collide, and few others."""

    def __init__(self, drafts: Iterable[Draft]) -> None:
        self._by_place: dict[Any, dict[Any, dict[Any, list[Draft]]]] = {}
        for draft in drafts:
            self.add(draft)

    def add(self, draft: Draft) -> None:
        port, host = _where(draft.place("listens")[1])
        if port:
            for where in {port, (port, _ANYWHERE if host in _ANYWHERE else host)}:
                self._by_place.setdefault(where, {}).setdefault(_kind(draft), {}).setdefault(draft.shared_by[1], []).append(draft)

    def beside(self, draft: Draft) -> list[Draft]:
        """Those that might collide with this one; not those that share its address, told apart by their paths."""
        port, host = _where(draft.place("listens")[1])
        kind, own = _kind(draft), draft.shared_by[1]
        found: list[Draft] = []
        for where in [port] if host in _ANYWHERE else [(port, host), (port, _ANYWHERE)]:
            for other, shared in self._by_place.get(where, {}).items():
                for drafts in (shared.get(own, []), shared.get(None, [])) if other == kind and own is not None else shared.values():
                    found += drafts
        return found

    def behind(self, draft: Draft) -> list[Draft]:
        """Those that listen on the port, or the socket, to which this one connects."""
        port, _host = _where(draft.place("connects")[1])
        found = [each for shared in self._by_place.get(port, {}).values() for drafts in shared.values() for each in drafts]
        return sorted(found, key=lambda other: other.line)


def _where(place: Any) -> tuple[int | str, str]:
    """The port and the host of an address, or a path and no host; port 0 and "" if there is no place, or any free port will do."""
    if isinstance(place, Address):
        return place.port, _host(place)
    return "" if place is None else str(place), ""


def _kind(draft: Draft) -> tuple[str, ...]:
    """Links that are equal in this, and not in what they are shared by, can listen side by side."""
    return str(draft.place("listens")[1]), draft.transport, str(_tls(draft))


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
