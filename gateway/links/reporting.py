"""What happened to a peer that has no session, or none any more: counted at its link, and logged."""

from __future__ import annotations

from collections import Counter

from twisted.python.failure import Failure

from ..net.notices import Notices
from ..net.reports import Report


def reporter(notices: Notices, name: str, counters: Counter[str]) -> Report:
    """The report of the link with this name and these counters. A peer can cause it often, so it is logged by rate."""

    def report(event: str, peer: str, text: str, failure: Failure | None = None) -> None:
        counters[event] += 1
        if failure is not None:
            notices.failed(f"{name}:{event}", f"[{name}] {peer}: {text}", failure)
        else:
            notices.say(f"{name}:{event}", f"[{name}] {peer}: {text}")

    return report
