"""What can be known of a host without asking a name server."""

from __future__ import annotations

import ipaddress

HOSTS = "/etc/hosts"


def is_address(text: str) -> bool:
    """Whether ``text`` is an IP address, and not a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to the host, an address (mapped into IPv6 or not) or a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def addresses_of(name: str) -> list[str]:
    """The addresses that the hosts file (hosts(5)) gives a name, in its order."""
    name = name.lower().removesuffix(".")
    try:
        with open(HOSTS, encoding="utf-8", errors="replace") as file:
            lines = [line.partition("#")[0].split() for line in file]
    except OSError:
        return []
    return [words[0] for words in lines if name in (word.lower() for word in words[1:]) and is_address(words[0])]
