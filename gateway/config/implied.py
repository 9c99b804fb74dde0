"""Which transport a section has. A misspelled one is guessed, so that the rest of the section is checked in the same run."""

from __future__ import annotations

from typing import NamedTuple

from .. import registry
from .ini import Section
from .plan import StreamOptions
from .sections import Reading, one_of_parts
from .sentences import did_you_mean, nearest


class Meant(NamedTuple):
    """The transport of a section ("" if unknown), and the section with misspelled keys corrected and without ``transport``."""

    transport: str
    section: Section


def meant(section: Section, reading: Reading) -> Meant:
    """Find the section's transport; refuse a section in which it is missing, unknown or ambiguous."""
    entries = {key: entry for key, entry in section.entries.items() if key != "transport"}
    names = registry.names("transport")
    if given := section.entries.get("transport"):
        near = given.value if given.value in names else _also_called().get(given.value.lower()) or nearest(given.value, names)
        if given.value not in names:
            reading.refuse(one_of_parts("transport", given.value, near), "transport")
        return Meant(near, section._replace(entries=entries))
    keys = _implied()
    implied = {keys[key]: key for key in entries if key in keys}
    if len(implied) == 1:
        return Meant(next(iter(implied)), section)
    if implied:
        meanings = " and ".join(f"{key} means {transport}" for transport, key in implied.items())
        *_, last = implied.values()
        reading.refuse(f"{meanings}: move {last} to a section of its own, with attach = {section.name}")
        entries = {key: entry for key, entry in entries.items() if key not in keys}
    else:
        for key in entries:
            if right := nearest(key.lower(), keys):
                reading.refuse(f"unknown option{did_you_mean(key.lower(), keys)}", key)
                corrected = {right if each == key else each: value for each, value in entries.items()}
                return Meant(keys[right], section._replace(entries=corrected))
        strangers = [key for key in entries if key.partition(".")[0] not in StreamOptions.model_fields and reading.elsewhere(key)]
        for key in strangers:
            place = reading.elsewhere(key)
            how = next((f": write {word} = ..." for word, name in keys.items() if place == f"belongs to transport = {name}"), "")
            reading.refuse(f"{place}{how}", key)
        if not strangers:
            reading.refuse(f"no transport: write {_keys_in_words(keys)}, or transport = {'|'.join(names)}")
    return Meant("", section._replace(entries=entries))


def _implied() -> dict[str, str]:
    """For each key that implies a transport, the name of the transport; those of others take no key from ours."""
    return _by_word("IMPLIED_BY")


def _also_called() -> dict[str, str]:
    """For each other name of a transport, the right one."""
    return _by_word("ALSO_CALLED")


def _by_word(trait: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, words in registry.declared("transport", trait, ()).items():
        for word in words:
            found.setdefault(word, name)
    return found


def _keys_in_words(keys: dict[str, str]) -> str:
    """``device (for serial), listen or connect (for tcp)``."""
    return ", ".join(f"{' or '.join(key for key in keys if keys[key] == name)} (for {name})" for name in dict.fromkeys(keys.values()))
