"""Who hears what, in what order."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.bus import bus
from gateway.bus.bus import Bus
from gateway.packet import Batch, Frames


def batch(topic: str, text: bytes = b"x", origin: str = "", to: str = "") -> Batch:
    return Batch(topic, "run", 1, 0, origin, Frames(text, 1, (text,)), to)


class Peer:
    """A session, as far as the bus is concerned."""

    def __init__(self, topic: str = "lan", accepts: str = "", name: str = "10.0.0.1:5") -> None:
        self.topic = topic
        self.name = name
        self.answers: list[Batch] = []
        self.tokens: list[tuple[str, object]] = []
        self._accepts = accepts

    def accepts(self, topic: str) -> bool:
        return not self._accepts or topic == self._accepts

    def answer(self, batch: Batch) -> None:
        self.answers.append(batch)

    def pause(self, token: object) -> None:
        self.tokens.append(("pause", token))

    def resume(self, token: object) -> None:
        self.tokens.append(("resume", token))


class BusTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.errors: list[tuple[str, Exception]] = []
        self.gone: list[Batch] = []
        self.bus = Bus(lambda name, error: self.errors.append((name, error)), self.gone.append)
        self.heard: list[tuple[str, bytes]] = []

    def hearer(self, name: str):  # type: ignore[no-untyped-def]
        return lambda batch: self.heard.append((name, batch.data))

    def test_filters(self) -> None:
        """A hearer gets what its filters match, once, however many of them match."""
        self.bus.subscribe(["gps", "meter/#", "meter/+"], self.hearer("a"), "a")
        for topic in ("gps", "meter/1", "scale"):
            self.bus.publish(batch(topic, topic.encode()))
        self.assertEqual(self.heard, [("a", b"gps"), ("a", b"meter/1")])

    def test_answer_waits(self) -> None:
        """What a hearer publishes reaches nobody before the present batch has reached all."""

        def answering(question: Batch) -> None:
            self.bus.publish(batch("answer", b"answer"))

        self.bus.subscribe(["question"], answering, "answering")
        self.bus.subscribe(["question", "answer"], self.hearer("log"), "log")
        self.bus.publish(batch("question", b"question"))
        self.assertEqual(self.heard, [("log", b"question"), ("log", b"answer")])

    def test_cancelled_in_the_turn(self) -> None:
        """A hearer that another cancels hears nothing more, not even the batch under way."""
        late = None

        def cancelling(_: Batch) -> None:
            assert late is not None
            late.cancel()

        self.bus.subscribe(["t"], cancelling, "first")
        late = self.bus.subscribe(["t"], self.hearer("late"), "late")
        self.bus.publish(batch("t"))
        self.bus.publish(batch("t"))
        self.assertEqual(self.heard, [])
        late.cancel()

    def test_raising_hearer(self) -> None:
        """A hearer that raises is reported by name; the others hear, and so does it the next time."""

        def raising(_: Batch) -> None:
            raise ValueError("no")

        self.bus.subscribe(["t"], raising, "bad")
        self.bus.subscribe(["t"], self.hearer("good"), "good")
        self.bus.publish(batch("t"))
        self.bus.publish(batch("t"))
        self.assertEqual([name for name, _ in self.errors], ["bad", "bad"])
        self.assertEqual(len(self.heard), 2)

    def test_cut_payloads_are_forgotten(self) -> None:
        """Payloads that a hearer has cut from a batch take no memory when all have heard it, however long somebody keeps it."""
        kept = Batch("t", "run", 1, 0, "", Frames(b"a\nb\n", 2, delimiter=b"\n"))
        self.bus.subscribe(["t"], lambda batch: self.heard.extend(("a", payload) for payload in batch.payloads), "a")
        self.bus.publish(kept)
        self.assertEqual((self.heard, kept.frames.cost), ([("a", b"a"), ("a", b"b")], 4))

    def test_heard_follows_subscriptions(self) -> None:
        """Whether a topic is heard changes with each subscription, though it is remembered between."""
        self.assertFalse(self.bus.heard("t"))
        subscription = self.bus.subscribe(["t"], self.hearer("a"), "a")
        self.assertTrue(self.bus.heard("t"))
        subscription.cancel()
        self.assertFalse(self.bus.heard("t"))

    def test_unheard_is_remembered(self) -> None:
        """That nobody hears a topic is found out once, not at each packet."""
        asked: list[str] = []
        matching = bus.FilterTree.matching
        self.patch(bus.FilterTree, "matching", lambda tree, topic: asked.append(topic) or matching(tree, topic))
        self.bus.subscribe(["gps"], self.hearer("a"), "a")
        for _ in range(5):
            self.assertFalse(self.bus.heard("gps/$sent"))
        self.bus.publish(batch("nobody"))
        self.bus.publish(batch("nobody"))
        self.assertEqual(asked, ["gps/$sent", "nobody"])

    def test_many_topics(self) -> None:
        """What is remembered of topics is bounded."""
        limit = bus._CACHED_TOPICS
        for number in range(2 * limit + 1):
            self.bus.heard(f"t/{number}")
            self.assertEqual(len(self.bus._hearers), number % limit + 1)
        self.assertEqual(limit, 4096)

    def test_address(self) -> None:
        """A batch with an address is heard there alone; where nobody is, or nobody accepts it, its publisher learns so."""
        peer = Peer(accepts="t")
        self.bus.enrol("lan#1", peer)
        self.bus.subscribe(["t", "u"], self.hearer("all"), "all")
        self.assertTrue(self.bus.publish(batch("t", to="lan#1")))
        self.assertFalse(self.bus.publish(batch("u", to="lan#1")))
        self.bus.dismiss("lan#1")
        self.bus.dismiss("lan#1")
        self.assertFalse(self.bus.publish(batch("t", to="lan#1")))
        self.assertEqual((len(peer.answers), self.heard, self.gone), (1, [], []))

    def test_gone_in_the_turn(self) -> None:
        """What is for an address that is left while it waits for its turn is given back, to be counted."""
        peer = Peer()
        self.bus.enrol("lan#1", peer)

        def answering(question: Batch) -> None:
            self.assertTrue(self.bus.publish(batch("t", to="lan#1")))
            self.bus.dismiss("lan#1")

        self.bus.subscribe(["question"], answering, "a")
        self.bus.publish(batch("question"))
        self.assertEqual((peer.answers, len(self.gone)), ([], 1))

    def test_raising_address(self) -> None:
        """An address that raises is reported by its name, and harms nobody."""
        peer = Peer()
        peer.answer = lambda batch: 1 / 0  # type: ignore[method-assign,assignment,return-value]
        self.bus.enrol("lan#1", peer)
        self.assertTrue(self.bus.publish(batch("t", to="lan#1")))
        self.assertEqual([name for name, _ in self.errors], ["lan#1"])

    def test_who_has_gone(self) -> None:
        """Each who asks for an address is told when it is left, once, and of no other."""
        left: list[str] = []
        for name in ("lan#1", "lan#2"):
            self.bus.enrol(name, Peer())
        self.bus.mourn("lan#1", left.append)
        self.bus.mourn("lan#1", lambda address: left.append(f"{address} too"))
        self.bus.dismiss("lan#2")
        self.bus.dismiss("lan#1")
        self.bus.enrol("lan#1", Peer())
        self.bus.dismiss("lan#1")
        self.assertEqual(left, ["lan#1", "lan#1 too"])

    def test_name(self) -> None:
        """The log can call an address by the name of who is there, as long as somebody is."""
        self.bus.enrol("lan#1", Peer())
        self.assertEqual((self.bus.name("lan#1"), self.bus.name("lan#2")), ("10.0.0.1:5", "lan#2"))

    def test_block(self) -> None:
        """Who has no room pauses all that publish to it, and no others; one that comes meanwhile is paused from the start."""
        writer, other, newcomer, late = Peer("lan"), Peer("web"), Peer("lan/7"), Peer("lan")
        self.bus.enrol("writer", writer)
        self.bus.enrol("other", other)
        gate = self.bus.gate(["lan"])
        gate.close("full")
        gate.close("full")
        self.bus.enrol("newcomer", newcomer)
        gate.open("full")
        gate.open("full")
        self.bus.enrol("late", late)
        for paused in (writer, newcomer):
            self.assertEqual(paused.tokens, [("pause", gate), ("resume", gate)])
        self.assertEqual((other.tokens, late.tokens), ([], []))

    def test_one_gate_for_one_link(self) -> None:
        """Equal filters have one gate, so that a publisher waits once for however many sessions of a link."""
        self.assertIs(self.bus.gate(["lan"]), self.bus.gate(("lan",)))
        self.assertIsNot(self.bus.gate(["lan"]), self.bus.gate(["lan", "web"]))

    def test_who_leaves_waits_no_more(self) -> None:
        """A publisher that has left is neither paused nor resumed."""
        gate, writer = self.bus.gate(["lan"]), Peer("lan")
        self.bus.enrol("writer", writer)
        self.bus.dismiss("writer")
        gate.close("full")
        gate.open("full")
        self.assertEqual(writer.tokens, [])
