from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.admission import Admission, Ticket, source_of


def nobody() -> None:
    raise AssertionError("evicted without need")


class AdmissionTests(SynchronousTestCase):
    def test_the_oldest_makes_room(self) -> None:
        """When all places are taken, the newcomer gets one and the oldest is evicted, once."""
        admission, evicted = Admission(2, 2), []
        admission.enter("a", lambda: evicted.append("first"))
        admission.enter("b", lambda: evicted.append("second"))
        admission.enter("c", nobody)
        self.assertEqual((evicted, len(admission), admission.entered, admission.evicted), (["first"], 2, 3, 1))

    def test_a_source_at_its_limit_pays_itself(self) -> None:
        """A source that has all of its places loses its own oldest, and nobody else's."""
        admission, evicted = Admission(10, 2), []
        admission.enter("good", nobody)
        for number in range(4):
            admission.enter("bad", lambda number=number: evicted.append(number))
        self.assertEqual((evicted, len(admission)), ([0, 1], 3))

    def test_who_has_left_is_not_evicted(self) -> None:
        """Leaving gives the place back, also twice, and nobody is evicted for a free place."""
        admission = Admission(1, 1)
        for _ in range(5):
            ticket = admission.enter("a", nobody)
            ticket.leave()
            ticket.leave()
        self.assertEqual((len(admission), admission.evicted), (0, 0))

    def test_leaving_while_evicted(self) -> None:
        """A connection that ends at once when it is evicted takes no second place with it."""
        admission, tickets = Admission(1, 1), []
        tickets.append(admission.enter("a", lambda: tickets[0].leave()))
        tickets.append(admission.enter("a", nobody))
        self.assertEqual(len(admission), 1)

    def test_limits_must_make_sense(self) -> None:
        """A limit that would admit nobody, or that can never be reached, is refused."""
        for limit, per_source in ((0, 0), (1, 0), (5, 6)):
            self.assertRaises(ValueError, Admission, limit, per_source)

    @settings(derandomize=True, max_examples=50, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60))
    def test_never_more_than_the_limits(self, steps: list[tuple[str, int]]) -> None:
        """Whatever enters and leaves, the limits hold, and each ticket ends by leaving or by eviction, never both."""
        admission = Admission(4, 2)
        inside: list[Ticket] = []
        for source, choice in steps:
            if choice < 3 and inside:
                inside.pop(choice % len(inside)).leave()
                continue
            place: list[Ticket] = []
            place.append(admission.enter(source, lambda place=place: inside.remove(place[0])))
            inside.append(place[0])
            self.assertEqual(len(admission), len(inside))
            self.assertLessEqual(len(inside), 4)
            self.assertTrue(all(sum(each.source == name for each in inside) <= 2 for name in "abc"))
        for ticket in inside:
            ticket.leave()
        self.assertEqual((len(admission), admission._by_source), (0, {}))


class SourceTests(SynchronousTestCase):
    def test_sources(self) -> None:
        """All of an IPv6 /64 is one source, and an IPv4 address is the same one when it is mapped into IPv6."""
        self.assertEqual(source_of("2001:db8:1:2::3"), source_of("2001:db8:1:2:ffff::9"))
        self.assertNotEqual(source_of("2001:db8:1:2::3"), source_of("2001:db8:1:3::3"))
        self.assertEqual(source_of("::ffff:192.0.2.7"), source_of("192.0.2.7"))
        self.assertEqual(source_of("fe80::1%eth0"), source_of("fe80::2%eth0"))
        self.assertEqual(source_of("local"), "local")
