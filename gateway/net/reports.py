"""What is told of a peer that has no session, or none any more."""

from __future__ import annotations

from typing import Protocol

from twisted.python.failure import Failure


class Report(Protocol):
    """Takes an event by its counter's name, whom it happened to, and a sentence; a failure of ours is logged at length once."""

    def __call__(self, event: str, peer: str, text: str, failure: Failure | None = None) -> None: ...
