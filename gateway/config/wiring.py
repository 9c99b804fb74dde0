"""Who hears whom: checks the references between links, and gives the topic filters that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..bus.trees import TopicTree
from ..topics import check_filter, check_topic, has_wildcard
from .draft import CLIENT, Draft, check_name
from .sentences import did_you_mean, quote


class Wiring:
    """The references between all links of one file. Call `check` first; `filters` and `sources` are valid if it found no mistake."""

    def __init__(self, drafts: Mapping[str, Draft]) -> None:
        self._drafts = drafts
        self._place = {name: place for place, name in enumerate(drafts)}
        self._topics: TopicTree[Draft] = TopicTree(CLIENT)
        self._sent: TopicTree[Draft] = TopicTree(CLIENT)
        self._attaching: dict[str, list[Draft]] = {}
        for draft in drafts.values():
            self._topics.add(draft, [draft.topic])
            self._sent.add(draft, [f"{draft.topic}/$sent"])
            for name in dict.fromkeys(draft.attach):
                self._attaching.setdefault(name, []).append(draft)
        self._heard: dict[str, dict[str, str]] = {}
        self._sources: dict[tuple[str, ...], tuple[str, ...]] = {}

    def check(self, knows_clients: Callable[[Draft], bool]) -> None:
        """Refuse topics, filters and names that are malformed, lead nowhere, or lead to a link that was not named.

        ``knows_clients(draft)`` is whether every client of a link has a certificate, which ``topic = feed/{client}`` needs.
        """
        for draft in self._drafts.values():
            self._check_topic(draft, knows_clients)
            for filter in draft.subscribe:
                self._check_filter(draft, filter)
            for name in draft.attach:
                self._check_attach(draft, name)
            self._check_overheard(draft)
        hearers = self.hearers()
        for draft in self._drafts.values():
            self._check_ring(draft, hearers)

    def filters(self, name: str) -> tuple[str, ...]:
        """The topic filters of a link: those of ``subscribe``, and those that follow from ``attach`` in either direction."""
        draft = self._drafts[name]
        attached = [self._drafts[other].filter for other in draft.attach if other in self._drafts]
        attaching = [other.filter for other in self._attaching.get(name, ()) if other is not draft]
        return tuple(dict.fromkeys([*draft.subscribe, *attached, *attaching]))

    def heard(self, filter: str) -> dict[str, str]:
        """The links that a filter hears, in the file's order, each with what is heard of it (see `Draft.heard_as`)."""
        if filter not in self._heard:
            near = {*self._topics.matching(filter), *self._sent.matching(filter)}
            labels = {draft.name: draft.heard_as(filter) for draft in sorted(near, key=lambda draft: self._place[draft.name])}
            self._heard[filter] = {name: label for name, label in labels.items() if label}
        return self._heard[filter]

    def sources(self, name: str) -> tuple[str, ...]:
        """The links that a link hears, in the file's order; ``NAME/$sent`` where it hears what is written to NAME."""
        filters = self.filters(name)
        if filters not in self._sources:
            labels = [(self._place[other], label) for filter in filters for other, label in self.heard(filter).items()]
            labels.sort(key=lambda found: found[0])
            self._sources[filters] = tuple(dict.fromkeys(label for _place, label in labels))
        return self._sources[filters]

    def hearers(self) -> dict[str, list[str]]:
        """For each link that is heard, and each ``NAME/$sent``, the links that hear it, in the file's order."""
        found: dict[str, list[str]] = {}
        for name in self._drafts:
            for label in self.sources(name):
                found.setdefault(label, []).append(name)
        return found

    # Checks

    def _check_topic(self, draft: Draft, knows_clients: Callable[[Draft], bool]) -> None:
        topic = draft.topic
        if not draft.text("topic") and not _is_topic(topic):
            return  # the name itself has been refused
        plain = "/".join("x" if level == CLIENT else level for level in topic.split("/"))
        try:
            check_topic(plain)
        except ValueError as error:
            draft.reading.refuse(str(error), "topic")
            return
        if "{" in plain or "}" in plain:
            draft.reading.refuse(f"{quote(topic)}: only {CLIENT} can be filled in, and only as a level of its own", "topic")
        elif any(level.startswith("$") for level in plain.split("/")):
            draft.reading.refuse(f"{quote(topic)}: a level that begins with $ is reserved for the gateway", "topic")
        elif plain != topic and not knows_clients(draft):
            draft.reading.refuse(f"{CLIENT} needs tls = NAME, and client_certificates = required in [tls NAME]", "topic")
        other = self._topics.alike(topic)[0]
        if other is not draft:
            draft.reading.refuse(f"{quote(topic)} is already the topic of [{other.name}]", "topic")

    def _check_filter(self, draft: Draft, filter: str) -> None:
        try:
            check_filter(filter)
        except ValueError as error:
            draft.reading.refuse(str(error), "subscribe")
            return
        if has_wildcard(filter) and draft.is_device:
            reason = "what a device's link hears is written to the device: write exact names, without wildcards"
            draft.reading.refuse(f"{quote(filter)}: {reason}", "subscribe")
            return
        found = self.heard(filter)
        if not found:
            topics = [other.topic for other in self._drafts.values() if other is not draft]
            draft.reading.refuse(
                f"no link publishes {quote(filter)}{_separated(filter, self._drafts) or did_you_mean(filter, topics)}", "subscribe"
            )
        elif not has_wildcard(filter) and draft.name in found:
            draft.reading.refuse(f"{quote(filter)}: a link cannot hear itself: name another one", "subscribe")

    def _check_attach(self, draft: Draft, name: str) -> None:
        if name == draft.name:
            draft.reading.refuse("a link cannot be attached to itself: name the link to join it with", "attach")
        elif has_wildcard(name):
            draft.reading.refuse(f"{quote(name)}: attach takes exact names of links, without wildcards", "attach")
        elif name not in self._drafts:
            owner = next((other.name for other in self._drafts.values() if other.topic == name), "")
            hint = (
                f" (that is the topic of [{owner}]: attach = {owner})"
                if owner
                else _separated(name, self._drafts) or did_you_mean(name, self._drafts)
            )
            draft.reading.refuse(f"no link is called {quote(name)}{hint}", "attach")

    def _check_overheard(self, draft: Draft) -> None:
        """Refuse an ``attach`` by which a link would also hear a third one: a filter hears all topics below the one that it names."""
        for name in draft.attach:
            if other := self._drafts.get(name):
                for hearer, source in ((draft, other), (other, draft)):
                    for third in map(self._drafts.__getitem__, self.heard(source.filter)):
                        if third in (hearer, source):
                            continue
                        joined = third.name in hearer.attach or hearer.name in third.attach
                        if not joined and not any(third.name in self.heard(filter) for filter in hearer.subscribe):
                            reason = (
                                f"[{hearer.name}] would hear [{third.name}] too, as {quote(third.topic)} lies below {quote(source.topic)}"
                            )
                            draft.reading.refuse(f"{reason}: rename one of them", "attach")

    def _check_ring(self, draft: Draft, hearers: Mapping[str, list[str]]) -> None:
        """Refuse a ring of links that hear each other's ``$sent``: a packet would go round for ever."""
        reached: set[str] = set()
        ahead = [draft.name]
        while ahead:
            name = ahead.pop()
            found = [other for other in hearers.get(f"{name}/$sent", ()) if other != name and other not in reached]
            reached.update(found)
            ahead.extend(found)
        if draft.name in reached:
            draft.reading.refuse("a packet would go round for ever, from one $sent to the next: remove one of them", "subscribe")


def _separated(entry: str, names: Mapping[str, Draft]) -> str:
    """A hint where an entry of a list is several names, separated by blanks or semicolons instead of commas."""
    words = entry.replace(";", " ").split()
    return f" (names are separated by commas: {', '.join(words)})" if len(words) > 1 and all(word in names for word in words) else ""


def _is_topic(name: str) -> bool:
    try:
        check_name(name)
    except ValueError:
        return False
    return True
