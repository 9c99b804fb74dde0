"""Every packet is accounted for, and a missing one shows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.ledger import Account, Delays, Ledger, written_out


class AccountTests(SynchronousTestCase):
    def test_open(self) -> None:
        """What came and was neither written, refused, dropped nor moved, and does not wait, is open; too much of it shows, too."""
        account = Account()
        account.came = 10
        account.written, account.refused = 4, 1
        account.drop("full", 2)
        account.drop("full", 1)
        account.drop("memory", 0)
        self.assertEqual((account.lost, account.dropped, account.open(2), account.open(0)), (3, {"full": 3}, 0, 2))
        account.written += 3
        self.assertEqual(account.open(0), -1)

    def test_move(self) -> None:
        """What is left to another account is its from then on."""
        session, held = Account(), Account()
        session.came = 3
        session.move(3, held)
        self.assertEqual((session.open(0), held.open(3)), (0, 0))

    def test_nothing_dropped(self) -> None:
        """An account that has dropped nothing has no reasons."""
        self.assertEqual((Account().lost, Account().open(0)), (0, 0))


class LedgerTests(SynchronousTestCase):
    def test_total(self) -> None:
        """The total is of sessions that are over, of those that live, with what is counted for their group, and of what found nobody."""
        ledger = Ledger()
        over, live = Account(), Account()
        over.came, over.written = 5, 4
        over.drop("ended", 1)
        after = ledger.end(over)
        after.came += 1
        after.drop("closing", 1)
        ledger.absent.came, ledger.absent.refused = 4, 2
        ledger.absent.move(1, live)
        live.written = 6
        self.assertEqual(
            ledger.total([(live, 8, 3)], 1),
            {"came": 18, "written": 10, "refused": 2, "waiting": 4, "dropped_ended": 1, "dropped_closing": 1, "unaccounted": 0},
        )
        self.assertEqual(ledger.total([(live, 8, 2)], 1)["unaccounted"], 1)

    def test_written_out(self) -> None:
        """People get one line with what there is; nothing when nothing came."""
        ledger = Ledger()
        self.assertEqual(written_out(ledger.total([], 0), ledger.delays), "")
        ledger.absent.came, ledger.absent.written = 3, 2
        ledger.absent.drop("full", 1)
        ledger.delays.add(1_500_000)
        text = "packets: came 3, written 2, dropped_full 1, unaccounted 0; read to write: half within 1.5 ms, 99 % within 1.5 ms"
        self.assertEqual(written_out(ledger.total([], 0), ledger.delays), text)

    def test_times(self) -> None:
        """Times are written as people write them, however long they are."""
        for delay, text in ((0.00026, "0.26 ms"), (0.13, "130 ms"), (0.9994, "999 ms"), (0.99996, "1 s"), (3.5, "3.5 s"), (3600, "3600 s")):
            delays = Delays()
            delays.add(round(delay * 1e9))
            self.assertIn(f"half within {text},", written_out({"came": 1}, delays))


class DelayTests(SynchronousTestCase):
    def test_none(self) -> None:
        """No packet took no time."""
        self.assertEqual((len(Delays()), Delays().within(0.99), Delays().buckets()), (0, 0.0, []))

    @given(st.lists(st.integers(0, 1 << 45), min_size=1, max_size=50), st.floats(0.01, 1.0))
    def test_within(self, delays: list[int], share: float) -> None:
        """At least that share took no longer, and the answer is at most twice what it must be (or two microseconds)."""
        histogram = Delays()
        for delay in delays:
            histogram.add(delay)
        within = histogram.within(share) * 1e9
        exact = sorted(delays)[max(0, -(-int(share * len(delays) * 1e6) // 10**6) - 1)]
        self.assertGreaterEqual(within + 1, min(exact, histogram.longest))
        self.assertLessEqual(within, max(2 * sorted(delays)[min(len(delays) - 1, int(share * len(delays)) + 1)], 2048))
        self.assertEqual(sum(count for _, count in histogram.buckets()), len(delays))

    def test_set_back(self) -> None:
        """A clock that was set back makes no delay, one that was set forward a long one; neither harms."""
        histogram = Delays()
        histogram.add(-5)
        histogram.add(1 << 80)
        self.assertEqual((len(histogram), histogram.longest), (2, 1 << 80))
