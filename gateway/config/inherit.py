"""The framing in force on a link: its own, that of the one link that it names, or a default that suits its codec."""

from __future__ import annotations

from collections.abc import Mapping

from .. import registry
from ..codecs import in_lines
from ..framing import FramingOptions
from ..topics import has_wildcard
from .draft import Draft
from .plan import FRAMING, FRAMING_OF_LINES, StreamOptions
from .wiring import Wiring


class Framings:
    """The framings of all links of one file; valid only if `Wiring.check` found no mistake."""

    def __init__(self, drafts: Mapping[str, Draft], wiring: Wiring) -> None:
        self._drafts = drafts
        self._wiring = wiring
        self._found: dict[str, tuple[FramingOptions | None, str]] = {}

    def in_force(self, name: str) -> tuple[FramingOptions | None, str]:
        """The framing in force (None where the peer sends messages), and the name of the link that it is inherited from ("" if none).

        A framing is inherited only if it finds packets in the bytes alone, and the codec leaves payloads as they are: a body in JSON or
        hex does not fit a framing that was chosen for the payload.
        """
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> tuple[FramingOptions | None, str]:
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
                framing = registry.load("framing", FRAMING_OF_LINES if lines else FRAMING).Options()
            before = draft.name
        return framing, origin

    def verbatim(self, name: str) -> bool:
        """Whether the link sends packets as they were received: no codec changes them, and it has no framing or that of all it hears."""
        draft = self._drafts[name]
        if not _passes_on(draft):
            return False
        framing, origin = self.in_force(name)
        if framing is None or registry.trait(framing, "VERBATIM", False):
            return True
        heard = [self._drafts.get(label) for label in self._wiring.sources(name)]
        return bool(origin) and all(other and _passes_on(other) and self.in_force(other.name)[0] == framing for other in heard)

    def _source(self, draft: Draft) -> Draft | None:
        """The link whose framing this one may inherit: the only one that ``subscribe`` and ``attach`` name; else None."""
        options = draft.options
        if not isinstance(options, StreamOptions) or options.framing is not None or draft.is_device:
            return None
        if any(has_wildcard(filter) for filter in draft.subscribe):
            return None
        names = [*draft.subscribe, *(self._drafts[name].filter for name in draft.attach if name in self._drafts)]
        found = {other for name in names for other in self._wiring.heard(name)}
        return self._drafts[found.pop()] if len(found) == 1 else None


def _passes_on(draft: Draft) -> bool:
    """Whether the link's codec leaves payloads as they are, in both directions."""
    return draft.options is not None and registry.make_codec(draft.options.codec).verbatim
