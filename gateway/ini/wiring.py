"""Who hears whom: the references between links, checked, and the topic filters and framings that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import registry
from ..codecs import in_lines
from ..framing import FramingOptions
from ..options import parse_names
from ..plan import LinkOptions, StreamOptions
from ..topics import check_filter, check_topic, has_wildcard, matches
from .miswritten import unquoted
from .reader import Section
from .sections import Reading
from .sentences import did_you_mean, quote

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


class Wiring:
    """All links of one file, by name. `check` first; the answers hold when it found nothing."""

    def __init__(self, drafts: Mapping[str, Draft]) -> None:
        self._drafts = drafts
        self._heard: dict[str, tuple[str, ...]] = {}

    def check(self, knows_clients: Callable[[Draft], bool]) -> None:
        """Refuse every reference that leads nowhere, and every one that leads where nobody meant.

        ``knows_clients`` tells whether each client of a link has a certificate, as ``topic = feed/{client}`` needs.
        """
        for draft in self._drafts.values():
            self._check_topic(draft, knows_clients)
            for filter in draft.subscribe:
                self._check_filter(draft, filter)
            for name in draft.attach:
                self._check_attach(draft, name)
            self._check_overheard(draft)
        for draft in self._drafts.values():
            self._check_ring(draft)

    def hears(self, name: str) -> tuple[str, ...]:
        """Topic filters: the link's own, and those that follow from ``attach`` in either direction."""
        draft = self._drafts[name]
        attached = [self._drafts[other].filter for other in draft.attach if other in self._drafts]
        attaching = [other.filter for other in self._drafts.values() if name in other.attach and other is not draft]
        return tuple(dict.fromkeys([*draft.subscribe, *attached, *attaching]))

    def heard(self, name: str) -> tuple[str, ...]:
        """The links that it hears, in the file's order; ``NAME/$sent`` where it hears what is written to one."""
        if name not in self._heard:
            filters = self.hears(name)
            labels = (draft.heard_as(filter) for draft in self._drafts.values() for filter in filters)
            self._heard[name] = tuple(dict.fromkeys(label for label in labels if label))
        return self._heard[name]

    def framing(self, name: str) -> tuple[FramingOptions | None, str]:
        """The framing in force, and the link that it was taken from ("" if none); None where the peer speaks in messages.

        It is taken over where it finds its own boundaries and the codec leaves the payloads as they are: bodies in JSON or hex are not
        what it was made for.
        """
        chain = [self._drafts[name]]
        while (source := self._source(chain[-1])) is not None and source not in chain:
            chain.append(source)
        framing: FramingOptions | None = None
        before = origin = ""
        for draft in reversed(chain):
            options, origin = draft.options, ""
            if not isinstance(options, StreamOptions):
                framing = None
            elif options.framing is not None:
                framing = options.framing
            elif framing is not None and _passes_on(draft) and registry.finds_packets(framing):
                origin = before
            else:
                lines = not draft.is_device and in_lines(registry.make_codec(options.codec))
                framing = registry.load("framing", "lines" if lines else "raw").Options()
            before = draft.name
        return framing, origin

    def verbatim(self, name: str) -> bool:
        """Whether packets go out as they were received: no codec changes them, and there is no framing, or only one all the way."""
        draft = self._drafts[name]
        if not _passes_on(draft):
            return False
        framing, origin = self.framing(name)
        if framing is None or registry.kind_name(framing) == "raw":
            return True
        heard = [self._drafts.get(label) for label in self.heard(name)]
        return bool(origin) and all(other and _passes_on(other) and self.framing(other.name)[0] == framing for other in heard)

    def _source(self, draft: Draft) -> Draft | None:
        """The one link whose framing it may take: the only one that it names in ``subscribe`` and ``attach``."""
        options = draft.options
        if not isinstance(options, StreamOptions) or options.framing is not None or draft.is_device:
            return None
        if any(has_wildcard(filter) for filter in draft.subscribe):
            return None
        names = [*draft.subscribe, *(self._drafts[name].filter for name in draft.attach if name in self._drafts)]
        found = {other.name for other in self._drafts.values() if any(other.heard_as(name) for name in names)}
        return self._drafts[found.pop()] if len(found) == 1 else None

    # Checks

    def _check_topic(self, draft: Draft, knows_clients: Callable[[Draft], bool]) -> None:
        topic = draft.topic
        if not draft.text("topic") and not _is_topic(topic):
            return  # told of the name
        plain = "/".join("x" if level == CLIENT else level for level in topic.split("/"))
        try:
            check_topic(plain)
        except ValueError as error:
            draft.reading.refuse(str(error), "topic")
            return
        if "{" in plain or "}" in plain:
            draft.reading.refuse(f"{quote(topic)}: only {CLIENT} can be filled in, and only as a level of its own", "topic")
        elif any(level.startswith("$") for level in plain.split("/")):
            draft.reading.refuse(f"{quote(topic)}: a level that begins with $ is the gateway's own", "topic")
        elif plain != topic and not knows_clients(draft):
            draft.reading.refuse(f"{CLIENT} needs tls = NAME, and client_certificates = required in [tls NAME]", "topic")
        for other in self._drafts.values():
            if other is draft:
                return
            if _overlap(topic, other.topic):
                draft.reading.refuse(f"{quote(topic)} is already the topic of [{other.name}]", "topic")
                return

    def _check_filter(self, draft: Draft, filter: str) -> None:
        try:
            check_filter(filter)
        except ValueError as error:
            draft.reading.refuse(str(error), "subscribe")
            return
        if has_wildcard(filter) and draft.is_device:
            draft.reading.refuse(f"{quote(filter)}: what a device hears may write to it, so it takes exact names only", "subscribe")
            return
        found = {name for other in self._drafts.values() if (name := other.heard_as(filter))}
        if not found:
            topics = [other.topic for other in self._drafts.values() if other is not draft]
            draft.reading.refuse(
                f"no link publishes {quote(filter)}{_separated(filter, self._drafts) or did_you_mean(filter, topics)}", "subscribe"
            )
        elif not has_wildcard(filter) and found & {draft.name, f"{draft.name}/$sent"}:
            draft.reading.refuse(f"{quote(filter)}: a link cannot hear itself", "subscribe")

    def _check_attach(self, draft: Draft, name: str) -> None:
        if name == draft.name:
            draft.reading.refuse("a link cannot be attached to itself", "attach")
        elif has_wildcard(name):
            draft.reading.refuse(f"{quote(name)}: exact names of links only, as both directions follow from it", "attach")
        elif name not in self._drafts:
            owner = next((other.name for other in self._drafts.values() if other.topic == name), "")
            hint = (
                f" (that is the topic of [{owner}]: attach = {owner})"
                if owner
                else _separated(name, self._drafts) or did_you_mean(name, self._drafts)
            )
            draft.reading.refuse(f"no link is called {quote(name)}{hint}", "attach")

    def _check_overheard(self, draft: Draft) -> None:
        """``attach`` means exact names, but a filter also hears what lies below: refuse where somebody is there."""
        for name in draft.attach:
            if other := self._drafts.get(name):
                for hearer, source in ((draft, other), (other, draft)):
                    for third in self._drafts.values():
                        if third in (hearer, source) or not third.heard_as(source.filter):
                            continue
                        joined = third.name in hearer.attach or hearer.name in third.attach
                        if not joined and not any(third.heard_as(filter) for filter in hearer.subscribe):
                            reason = (
                                f"[{hearer.name}] would hear [{third.name}] too, as {quote(third.topic)} lies below {quote(source.topic)}"
                            )
                            draft.reading.refuse(f"{reason}: rename one of them", "attach")

    def _check_ring(self, draft: Draft) -> None:
        """What is written to A is heard by B, what is written to B by A: one packet would go round for ever."""
        reached: set[str] = set()
        ahead = [draft.name]
        while ahead:
            name = ahead.pop()
            found = [other for other in self._drafts if other not in {name, *reached} and f"{name}/$sent" in self.heard(other)]
            reached.update(found)
            ahead.extend(found)
        if draft.name in reached:
            draft.reading.refuse("a packet would go round for ever, from one $sent to the next", "subscribe")


def _passes_on(draft: Draft) -> bool:
    """Whether its codec leaves the bytes as they are, in both directions."""
    return draft.options is not None and registry.make_codec(draft.options.codec).verbatim


def _separated(entry: str, names: Mapping[str, Draft]) -> str:
    """A hint where an entry of a list is several names, with something between them that is no comma."""
    words = entry.replace(";", " ").split()
    return f" (names are separated by commas: {', '.join(words)})" if len(words) > 1 and all(word in names for word in words) else ""


def _is_topic(name: str) -> bool:
    try:
        check_name(name)
    except ValueError:
        return False
    return True


def _overlap(one: str, other: str) -> bool:
    """Whether some client's topic would be the same under both."""
    levels, others = one.split("/"), other.split("/")
    return len(levels) == len(others) and all(a == b or CLIENT in (a, b) for a, b in zip(levels, others, strict=True))
