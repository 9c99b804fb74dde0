"""Topics and topic filters, by the rules of MQTT (MQTT 5.0, section 4.7).

A topic is levels joined by ``/``. In a filter ``+`` stands for one level and a last ``#`` for all that follow, none included. A filter
without either also hears everything below its topic, because naming a link hears its topic and all below it. Neither a wildcard nor
such a prefix reaches a level that begins with ``$``: those are heard only by who names them.
"""

from __future__ import annotations


def check_topic(topic: str) -> str:
    """The topic itself, if packets can be published under it; raises ValueError."""
    _check_levels(topic)
    if "+" in topic or "#" in topic:
        raise ValueError(f"{topic!r} holds a wildcard: a topic to publish under cannot")
    return topic


def check_filter(filter: str) -> str:
    """The filter itself, if it can be subscribed to; raises ValueError."""
    _check_levels(filter)
    levels = filter.split("/")
    for index, level in enumerate(levels):
        if level == "+" or (level == "#" and index == len(levels) - 1):
            continue
        if "#" in level:
            raise ValueError(f"{filter!r}: '#' must be the last level, alone")
        if "+" in level:
            raise ValueError(f"{filter!r}: '+' must be a level alone")
    return filter


def has_wildcard(filter: str) -> bool:
    """Whether the filter names more than one topic by ``+`` or ``#``."""
    return any(level in ("+", "#") for level in filter.split("/"))


def matches(filter: str, topic: str) -> bool:
    """Whether a subscriber to ``filter`` hears ``topic``. Both must have been checked."""
    wanted, levels = filter.split("/"), topic.split("/")
    for index, want in enumerate(wanted):
        if want == "#":
            return not _hidden(levels[index:])
        if index >= len(levels):
            return False
        level = levels[index]
        if want == "+":
            if level.startswith("$"):
                return False
        elif want != level:
            return False
    return not _hidden(levels[len(wanted) :])


def _hidden(levels: list[str]) -> bool:
    return any(level.startswith("$") for level in levels)


def _check_levels(text: str) -> None:
    if not text:
        raise ValueError("a topic cannot be empty")
    if len(text.encode()) > 65535:
        raise ValueError("a topic has at most 65535 bytes")
    if "" in text.split("/"):
        raise ValueError(f"{text!r} has an empty level")
    bad = next((char for char in text if char < " " or char == "\x7f"), None)
    if bad is not None:
        raise ValueError(f"{text!r} holds the control character {bad!r}")
