"""Topics and topic filters, by the rules of MQTT 5.0 (section 4.7), with two additions.

A topic is levels joined by ``/``. In a filter ``+`` stands for one level, and ``#`` at the end for any number of levels, none included.
Unlike in MQTT, a filter without a wildcard also matches all topics below it: to name a link is to hear all that it publishes. A level
that begins with ``$`` is matched only by a filter that spells it out, at any depth (in MQTT only the first level is special).
"""

from __future__ import annotations


def check_topic(topic: str) -> str:
    """Return the topic; raise ValueError if nothing can be published under it."""
    _check_levels(topic)
    if "+" in topic or "#" in topic:
        raise ValueError(f"{topic!r} holds a wildcard, which only a filter can")
    return topic


def check_filter(filter: str) -> str:
    """Return the filter; raise ValueError if it is malformed."""
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
    """Whether the filter has a level that is ``+`` or ``#``."""
    return any(level in ("+", "#") for level in filter.split("/"))


def matches(filter: str, topic: str) -> bool:
    """Whether ``filter`` matches ``topic``. Both must have passed their check."""
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
