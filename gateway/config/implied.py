"""Which transport a section means, also where that is miswritten: so that the rest of the section can be checked in the same go."""

from __future__ import annotations

from typing import NamedTuple

from .. import registry
from .ini import Section
from .plan import StreamOptions
from .sections import Reading, one_of_parts
from .sentences import did_you_mean, nearest

_IMPLIED = {"device": "serial", "command": "process", "listen": "tcp", "connect": "tcp"}
_ALSO_CALLED = {
    name: transport
    for transport, names in (
        ("websocket", "ws wss http https"),
        ("serial", "uart tty usb com rs232 rs-232 rs485 rs-485"),
        ("tcp", "tls ssl socket"),
        ("replay", "file"),
    )
    for name in names.split()
}


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
            reading.refuse(one_of_parts("transport", given.value, near), "transport")
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
        strangers = [key for key in entries if key.partition(".")[0] not in StreamOptions.model_fields and reading.elsewhere(key)]
        for key in strangers:
            reading.refuse(reading.elsewhere(key), key)
        if not strangers:
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
