"""The section of one link, read but not yet checked against the other sections."""

from __future__ import annotations

from typing import Any

from ..options import parse_address, parse_names
from ..topics import check_topic, matches
from .ini import Section
from .miswritten import unquoted
from .plan import LinkOptions, find_place
from .sections import Reading

CLIENT = "{client}"
"""A level of a topic that stands for the identity in the client's certificate."""


def check_name(name: str) -> None:
    """Raise ValueError unless a link can have this name, which is its topic by default and an entry in lists of names."""
    check_topic(name)
    bad = next((char for char in name if not char.isprintable() or char in " ,;{}"), None)
    if bad is not None:
        hint = f" (only [tls NAME] has two words): write [{name.replace(' ', '-')}]" if bad == " " else ""
        raise ValueError(f"a link's name cannot hold {bad!r}{hint}")
    if any(level.startswith("$") for level in name.split("/")):
        raise ValueError("a level that begins with $ is reserved for the gateway")


class Draft:
    """The section of one link. ``options`` is None where they are wrong, so that the rest can still be checked.

    ``module`` is the transport's; None where the section names none that exists.
    """

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
        """The value of a key as written, without quotes; "" if it is not there. Works whether the options are valid or not."""
        entry = self._entries.get(key)
        return unquoted(entry.value) if entry else ""

    def _names(self, key: str) -> tuple[str, ...]:
        try:
            return parse_names(self.text(key))
        except ValueError:
            return ()

    @property
    def is_device(self) -> bool:
        """Whether writing to this link needs a permission, by ``subscribe`` or ``attach``."""
        return self.module is not None and getattr(self.module, "IS_DEVICE", True)

    @property
    def takes_data(self) -> bool:
        """Whether anything can be written to this link; nothing can to a capture."""
        return getattr(self.module, "TAKES_DATA", True)

    @property
    def is_port(self) -> bool:
        """Whether a device is at the other end, which may answer what is written to it."""
        return self.is_device and self.takes_data

    def place(self, does: str) -> tuple[str, Any]:
        """The key and value of the place that this link ``"listens"`` on, ``"connects"`` to or ``"opens"``; ("", None) if there is none.

        A transport declares its places. If the options are not valid, the value is read from the text.
        """
        return find_place(getattr(self.module, "PLACES", {}), does, self._value)

    @property
    def shared_by(self) -> tuple[str, Any]:
        """The key and value by which this link is told apart from others that listen on the same address; ("", None) if it cannot be."""
        key = getattr(self.module, "SHARED_BY", "")
        return key, self._value(key) if key else None

    def _value(self, key: str) -> Any:
        if self.options is not None:
            return getattr(self.options, key, None)
        text = self.text(key)
        try:
            return parse_address(text)
        except ValueError:
            return text or None

    @property
    def filter(self) -> str:
        """The topic filter that hears this link (and, as every filter does, all topics below)."""
        return self.topic.replace(CLIENT, "+")

    def heard_as(self, filter: str) -> str:
        """What the filter hears of this link: its name (its packets), ``NAME/$sent`` (what is written to it), or "" (nothing)."""
        levels = filter.split("/")
        topic = "/".join(
            levels[at] if level == CLIENT and at < len(levels) and levels[at][:1] not in ("+", "#", "$") else level
            for at, level in enumerate(self.topic.split("/"))
        )
        if matches(filter, topic):
            return self.name
        return f"{self.name}/$sent" if CLIENT not in self.topic and matches(filter, f"{topic}/$sent") else ""
