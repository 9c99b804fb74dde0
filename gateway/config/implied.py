"""Which transport a section has. A misspelled one is guessed, so that the rest of the section is checked in the same run."""

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
    """The transport of a section ("" if unknown), and the section with misspelled keys corrected and without ``transport``."""

    transport: str
    section: Section


def meant(section: Section, reading: Reading) -> Meant:
    """Find the section's transport; refuse a section in which it is missing, unknown or ambiguous."""
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
            reading.refuse(f"no transport: write device (for serial), listen or connect (for tcp), or transport = {'|'.join(names)}")
    return Meant("", section._replace(entries=entries))


def _implied() -> dict[str, str]:
    """For each key that implies a transport, the name of the transport."""
    found = dict(_IMPLIED)
    for name in registry.of_others("transport"):
        try:
            keys = getattr(registry.load("transport", name), "IMPLIED_BY", ())
        except ImportError:  # reported where a section names it
            continue
        for key in keys:
            found.setdefault(key, name)
    return found
