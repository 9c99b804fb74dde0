"""Places for connections that are not authenticated yet: bounded in all and for each source, and the oldest is evicted first.

To refuse newcomers when full would let a thousand silent clients lock everybody out for as long as they like. To evict the oldest serves
an honest client at once: it is done within milliseconds, while a silent one only grows old.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable


def source_of(host: str) -> str:
    """The name under which connections from this address are counted.

    An IPv6 network is one source, because a single client has all of its /64; an IPv4 address mapped into IPv6 counts as itself;
    what is not an address (a UNIX socket) is its own source.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


class Ticket:
    """The place of one connection that is not yet authenticated."""

    __slots__ = ("_admission", "evict", "source")

    def __init__(self, admission: Admission, source: str, evict: Callable[[], None]) -> None:
        self._admission = admission
        self.source = source
        self.evict = evict

    def leave(self) -> None:
        """Give the place back. A second call, or one after an eviction, does nothing."""
        self._admission._leave(self)


class Admission:
    """At most ``limit`` tickets in all and ``per_source`` for one source. Entering and leaving take constant time."""

    def __init__(self, limit: int = 1000, per_source: int = 500) -> None:
        if not 1 <= per_source <= limit:
            raise ValueError(f"per_source {per_source} must be from 1 to limit {limit}")
        self.limit = limit
        self.per_source = per_source
        self.entered = 0
        self.evicted = 0
        self._all: OrderedDict[Ticket, None] = OrderedDict()
        self._by_source: dict[str, OrderedDict[Ticket, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, source: str, evict: Callable[[], None]) -> Ticket:
        """Take a place; nobody is refused.

        When none is free the oldest ticket is evicted: the oldest of this source if the source is at its limit, else the oldest of all.
        Its ``evict`` is called once, after it has lost its place, and must end its connection.
        """
        oldest = None
        if len(self._by_source.get(source, ())) >= self.per_source:
            oldest = next(iter(self._by_source[source]))
        elif len(self._all) >= self.limit:
            oldest = next(iter(self._all))
        if oldest is not None:
            self._leave(oldest)
        ticket = Ticket(self, source, evict)
        self._all[ticket] = None
        self._by_source.setdefault(source, OrderedDict())[ticket] = None
        self.entered += 1
        if oldest is not None:
            self.evicted += 1
            oldest.evict()
        return ticket

    def _leave(self, ticket: Ticket) -> None:
        if ticket not in self._all:
            return
        del self._all[ticket]
        waiting = self._by_source[ticket.source]
        del waiting[ticket]
        if not waiting:
            del self._by_source[ticket.source]
