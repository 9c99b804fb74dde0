"""Host names that this machine knows itself: those in the hosts file. No name server is asked."""

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


def addresses_of(name: str) -> list[str]:
    """The addresses that the hosts file (hosts(5)) gives a name, in its order."""
    name = name.lower().removesuffix(".")
    try:
        with open(HOSTS, encoding="utf-8", errors="replace") as file:
            lines = [line.partition("#")[0].split() for line in file]
    except OSError:
        return []
    return [words[0] for words in lines if name in (word.lower() for word in words[1:]) and is_address(words[0])]
