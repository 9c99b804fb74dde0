"""Whether a host is this machine, found out without asking a name server."""

from __future__ import annotations

import ipaddress

from ..net.hosts import addresses_of
from ..net.sockets import is_own_address, machine_name


def is_this_machine(host: str) -> bool:
    """Whether ``host``, an address or a name, is this machine: by its interfaces, its host name, and the hosts file."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name, own = host.lower().removesuffix("."), machine_name()
        return name in (own, own.partition(".")[0]) or any(is_this_machine(found) for found in addresses_of(name))
    return is_own_address(str(address))
