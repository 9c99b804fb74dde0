"""What happened to a peer that has no session, or none any more: counted at its link, and logged."""

from __future__ import annotations

from collections import Counter

from ..net.notices import Notices
from ..net.report import Report


def reporter(notices: Notices, name: str, counters: Counter[str]) -> Report:
    """The report of the link with this name and these counters."""

    def report(event: str, text: str, *, peer: str = "", times: int = 1, level: str = "warn") -> None:
        counters[event] += times
        line = f"[{name}] {peer}: {text}" if peer else f"[{name}] {text}"
        if level == "failure":
            notices.failed(f"{name}:{event}", line)
        elif level:
            notices.say(f"{name}:{event}", line, level)

    return report
