"""What this machine itself knows of names: the hosts file, read without a question to any name server."""

from __future__ import annotations

import ipaddress

HOSTS = "/etc/hosts"


def is_address(text: str) -> bool:
    """Whether it is an address, and no name."""
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
