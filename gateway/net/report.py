"""How what happens to a peer is reported, from where no link is known."""

from __future__ import annotations

from typing import Protocol


class Report(Protocol):
    """Counts an event and logs it; its link may also publish it.

    ``event``: its counter's name (``not_tls``). ``text``: a sentence. ``peer``: whom it happened to, if anybody. ``times``: how often it
    happened. ``level``: debug, info, warn or error; "" writes no line; "failure", for a fault of ours, is called where its exception was
    caught and writes its traceback, once. A peer can cause events often, so the lines are limited by rate.
    """

    def __call__(self, event: str, text: str, *, peer: str = "", times: int = 1, level: str = "warn") -> None: ...
