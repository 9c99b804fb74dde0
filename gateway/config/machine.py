"""Whether a host is this machine itself, told without a question to any name server."""

from __future__ import annotations

import ipaddress
import socket

from ..net.hosts import addresses_of


def is_this_machine(host: str) -> bool:
    """Whether ``host``, an address or a name, is this machine's: by its interfaces, its own name, and the names in /etc/hosts."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().removesuffix(".")
        own = socket.gethostname().lower()
        return name in (own, own.partition(".")[0]) or any(is_this_machine(found) for found in addresses_of(name))
    return _is_local(str(address))


def _is_local(address: str) -> bool:
    """Who asks the way to an address of its own is sent from that address. Nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0]).partition("%")[0] == address.partition("%")[0]
    except OSError:  # no way there, or no such family
        return False
