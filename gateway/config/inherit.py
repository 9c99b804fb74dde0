"""Which framing is in force on a link: its own, that of the one link that it names, or what suits its codec."""

from __future__ import annotations

from collections.abc import Mapping

from .. import registry
from ..codecs import in_lines
from ..framing import FramingOptions
from ..topics import has_wildcard
from .draft import Draft
from .plan import StreamOptions
from .wiring import Wiring


class Framings:
    """The framings of all links of one file, by name; they hold when `Wiring.check` found nothing."""

    def __init__(self, drafts: Mapping[str, Draft], wiring: Wiring) -> None:
        self._drafts = drafts
        self._wiring = wiring

    def in_force(self, name: str) -> tuple[FramingOptions | None, str]:
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
        framing, origin = self.in_force(name)
        if framing is None or registry.kind_name(framing) == "raw":
            return True
        heard = [self._drafts.get(label) for label in self._wiring.heard(name)]
        return bool(origin) and all(other and _passes_on(other) and self.in_force(other.name)[0] == framing for other in heard)

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


def _passes_on(draft: Draft) -> bool:
    """Whether its codec leaves the bytes as they are, in both directions."""
    return draft.options is not None and registry.make_codec(draft.options.codec).verbatim
