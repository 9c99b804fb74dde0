"""What can become of a session."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.state import NEXT, READS, WRITES, State
from gateway.peer import PLAIN

from ..building import Wire, gone, make_link, make_runtime


class StateTests(SynchronousTestCase):
    def test_table(self) -> None:
        """Every state leads to the end, the end leads nowhere, and no state leads back."""
        self.assertEqual(set(NEXT), set(State))
        order = list(State)
        for state, ahead in NEXT.items():
            self.assertEqual(state is State.ENDED, not ahead)
            self.assertIn(State.ENDED, ahead | {state})
            self.assertTrue(all(order.index(state) < order.index(other) for other in ahead))
        self.assertEqual((READS - WRITES, State.SHUT in WRITES), (frozenset(), True))

    def test_walks(self) -> None:
        """A session goes the ways of the table, and what is asked of it out of turn changes nothing."""
        for walk, states in {
            "connected close input_ended lost": [State.OPEN, State.CLOSING, State.LEAVING, State.ENDED],
            "connected received input_ended close lost": [State.OPEN, State.OPEN, State.SHUT, State.LEAVING, State.ENDED],
            "connected input_ended input_ended lost": [State.OPEN, State.LEAVING, State.LEAVING, State.ENDED],
            "connected abort close input_ended abort lost": [State.OPEN, *[State.CUT] * 4, State.ENDED],
            "connected close close abort lost lost": [State.OPEN, State.CLOSING, State.CLOSING, State.CUT, State.ENDED, State.ENDED],
            "abort connected": [State.ENDED],
            "lost abort close": [State.ENDED] * 3,
        }.items():
            runtime = make_runtime()
            session = make_link(runtime, "lan").new_session(PLAIN)
            found = []
            for step in walk.split()[: len(states)]:
                arguments = {
                    "connected": (Wire(),), "received": (b"x",), "lost": (gone(),), "close": ("why",), "abort": ("why",),
                }.get(step, ())  # fmt: skip
                getattr(session, step)(*arguments)
                found.append(session.state)
            self.assertEqual(found, states, walk)
            session.lost(gone())
            self.assertEqual(runtime.reactor.getDelayedCalls(), [], walk)
