"""Which transport a section means, also where that is miswritten: so that the rest of the section can be checked in the same go."""

from __future__ import annotations

from typing import NamedTuple

from .. import registry
from .reader import Section
from .sections import Reading
from .sentences import did_you_mean, nearest, quote

_IMPLIED = {"device": "serial", "command": "process", "listen": "tcp", "connect": "tcp"}
_ALSO_CALLED = {"ws": "websocket", "wss": "websocket", "http": "websocket", "uart": "serial", "tty": "serial", "tls": "tcp", "ssl": "tcp"}


class Meant(NamedTuple):
    """What a section means: a transport ("": that cannot be told), and its keys as they were meant, ``transport`` aside."""

    transport: str
    section: Section


def meant(section: Section, reading: Reading) -> Meant:
    """The section's transport; refuses what does not say it clearly."""
    entries = {key: entry for key, entry in section.entries.items() if key != "transport"}
    names = registry.names("transport")
    if given := section.entries.get("transport"):
        near = given.value if given.value in names else _ALSO_CALLED.get(given.value.lower()) or nearest(given.value, names)
        if given.value not in names:
            hint = f" (did you mean {near!r}?)" if near else ""
            reading.refuse(f"{quote(given.value)} is not one of {', '.join(names)}{hint}", "transport")
        return Meant(near, section._replace(entries=entries))
    keys = _implied()
    implied = {keys[key]: key for key in entries if key in keys}
    if len(implied) == 1:
        transport, key = implied.popitem()
        if transport in names:
            return Meant(transport, section)
        reading.refuse("unknown option", key)
        del entries[key]
    elif implied:
        meanings = " and ".join(f"{key} means {transport}" for transport, key in implied.items())
        reading.refuse(f"{meanings}: write transport = NAME")
        entries = {key: entry for key, entry in entries.items() if key not in keys}
    else:
        known = [key for key, transport in keys.items() if transport in names]
        for key in entries:
            if right := nearest(key.lower(), known):
                reading.refuse(f"unknown option{did_you_mean(key.lower(), known)}", key)
                corrected = {right if each == key else each: value for each, value in entries.items()}
                return Meant(keys[right], section._replace(entries=corrected))
        reading.refuse(f"what is this link? device means serial, listen or connect tcp; else write transport = {'|'.join(names)}")
    return Meant("", section._replace(entries=entries))


def _implied() -> dict[str, str]:
    """For each key that tells the transport by itself, which."""
    found = dict(_IMPLIED)
    for name in registry.of_others("transport"):
        try:
            keys = getattr(registry.load("transport", name), "IMPLIED_BY", ())
        except ImportError:  # told where it is named
            continue
        for key in keys:
            found.setdefault(key, name)
    return found
