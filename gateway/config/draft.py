"""One link's section on its way to a plan."""

from __future__ import annotations

from typing import Any

from ..options import parse_names
from ..topics import check_topic, matches
from .ini import Section
from .miswritten import unquoted
from .plan import LinkOptions
from .sections import Reading

CLIENT = "{client}"
"""In a topic: the identity in the client's certificate."""


def check_name(name: str) -> None:
    """Whether a section can have this name; raises ValueError. It is a topic, and an entry of lists."""
    check_topic(name)
    bad = next((char for char in name if not char.isprintable() or char in " ,;{}"), None)
    if bad is not None:
        hint = " (only [tls NAME] has two words)" if bad == " " else ""
        raise ValueError(f"a link's name cannot hold {bad!r}{hint}")
    if any(level.startswith("$") for level in name.split("/")):
        raise ValueError("a level that begins with $ is the gateway's own")


class Draft:
    """One link's section on its way to a plan; ``options`` is None where they are wrong, so that the rest can still be checked."""

    def __init__(self, section: Section, reading: Reading, transport: str, module: Any, options: LinkOptions | None) -> None:
        self.name = section.name
        self.line = section.line
        self.reading = reading
        self.transport = transport
        self.module = module
        self.options = options
        self._entries = section.entries
        self.topic = self.text("topic") or self.name
        self.subscribe = self._names("subscribe")
        self.attach = self._names("attach")

    def text(self, key: str) -> str:
        """What the section says, whether its options are sound or not."""
        entry = self._entries.get(key)
        return unquoted(entry.value) if entry else ""

    def _names(self, key: str) -> tuple[str, ...]:
        try:
            return parse_names(self.text(key))
        except ValueError:
            return ()

    @property
    def is_device(self) -> bool:
        """Whether this is the end that somebody must be permitted to write to."""
        return self.module is not None and getattr(self.module, "IS_DEVICE", True)

    @property
    def takes_data(self) -> bool:
        """Whether anything can be written to it: a capture takes nothing."""
        return getattr(self.module, "TAKES_DATA", True)

    @property
    def is_port(self) -> bool:
        """Whether a device is there, which hears what is written and may answer."""
        return self.is_device and self.takes_data

    @property
    def filter(self) -> str:
        """What hears this link and, by the rules of filters, what lies below its topic."""
        return self.topic.replace(CLIENT, "+")

    def heard_as(self, filter: str) -> str:
        """This link's name, or ``NAME/$sent``, when the filter hears one of the two; else nothing."""
        levels = filter.split("/")
        topic = "/".join(
            levels[at] if level == CLIENT and at < len(levels) and levels[at][:1] not in ("+", "#", "$") else level
            for at, level in enumerate(self.topic.split("/"))
        )
        if matches(filter, topic):
            return self.name
        return f"{self.name}/$sent" if CLIENT not in self.topic and matches(filter, f"{topic}/$sent") else ""
