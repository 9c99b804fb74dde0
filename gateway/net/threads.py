"""Threads, for what the reactor cannot wait for. Nothing else makes any but Twisted, for its look-ups of names."""

from __future__ import annotations

import threading
from collections.abc import Callable

Event = threading.Event
Semaphore = threading.Semaphore


def start(work: Callable[[], object], name: str) -> None:
    """Do this in a thread of its own, for which the end of the program does not wait."""
    threading.Thread(target=work, daemon=True, name=name).start()
