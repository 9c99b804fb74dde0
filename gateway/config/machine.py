"""Whether a host is this machine, found out without asking a name server."""

from __future__ import annotations

import ipaddress
import socket

from ..net.hosts import addresses_of


def is_this_machine(host: str) -> bool:
    """Whether ``host``, an address or a name, is this machine: by its interfaces, its host name, and the hosts file."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().removesuffix(".")
        own = socket.gethostname().lower()
        return name in (own, own.partition(".")[0]) or any(is_this_machine(found) for found in addresses_of(name))
    return _is_local(str(address))


def _is_local(address: str) -> bool:
    """Whether the address is one of this machine's: only to such an address does the system route from the same address. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0]).partition("%")[0] == address.partition("%")[0]
    except OSError:  # no route, or no such address family
        return False
