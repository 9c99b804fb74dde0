"""What can become of a session, and when.

| state | means | leaves by |
|---|---|---|
| NEW | it has no transport yet | `connected` |
| OPEN | packets flow | the peer's end (SHUT), `close` (CLOSING) |
| SHUT | the peer sends no more, and hears what there is for a while | `close` (LEAVING) |
| CLOSING | it ends when what waits is written | the peer's end (LEAVING) |
| LEAVING | the same, and the peer sends no more | |
| CUT | the transport has still to say that it is over | |
| ENDED | over | |

From every state but the last two `abort` leads to CUT, and from every state but the last `lost` leads to ENDED.
"""

from __future__ import annotations

from enum import Enum

HALF_CLOSED = 5.0
"""Seconds that a session stays SHUT: ``echo '?' | nc -N HOST PORT`` gets its answer."""


class State(Enum):
    NEW = "new"
    OPEN = "open"
    SHUT = "shut"
    CLOSING = "closing"
    LEAVING = "leaving"
    CUT = "cut"
    ENDED = "ended"


NEXT: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.OPEN, State.CUT, State.ENDED}),
    State.OPEN: frozenset({State.SHUT, State.CLOSING, State.CUT, State.ENDED}),
    State.SHUT: frozenset({State.LEAVING, State.CUT, State.ENDED}),
    State.CLOSING: frozenset({State.LEAVING, State.CUT, State.ENDED}),
    State.LEAVING: frozenset({State.CUT, State.ENDED}),
    State.CUT: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}
READS = frozenset({State.NEW, State.OPEN})
WRITES = frozenset({State.NEW, State.OPEN, State.SHUT})
