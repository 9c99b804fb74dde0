"""Who hears what, in what order."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.bus import bus
from gateway.bus.bus import Bus
from gateway.packet import Batch, Frames


def batch(topic: str, text: bytes = b"x", origin: str = "", reply_to: str = "") -> Batch:
    return Batch(topic, "run", 1, 0, origin, Frames(text, 1, (text,)), reply_to)


class Peer:
    """A session, as far as the bus is concerned."""

    def __init__(self, topic: str = "lan") -> None:
        self.topic = topic
        self.peer = "10.0.0.1:5"
        self.answers: list[Batch] = []
        self.tokens: list[tuple[str, object]] = []

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
        matches = bus.matches
        self.patch(bus, "matches", lambda filter, topic: asked.append(topic) or matches(filter, topic))
        self.bus.subscribe(["gps"], self.hearer("a"), "a")
        for _ in range(5):
            self.assertFalse(self.bus.heard("gps/$sent"))
        self.bus.publish(batch("nobody"))
        self.bus.publish(batch("nobody"))
        self.assertEqual(asked, ["gps/$sent", "nobody"])

    def test_many_topics(self) -> None:
        """What is remembered of topics is bounded."""
        for number in range(10_000):
            self.bus.heard(f"t/{number}")
        self.assertLessEqual(len(self.bus._hearers), 4096)

    def test_reply(self) -> None:
        """A batch with ``reply_to`` reaches that session alone; what is for one that has gone is given back, to be counted."""
        peer = Peer()
        self.bus.enrol("lan#1", peer)
        self.bus.subscribe(["t"], self.hearer("all"), "all")
        self.bus.publish(batch("t", reply_to="lan#1"))
        self.bus.dismiss("lan#1")
        self.bus.publish(batch("t", reply_to="lan#1"))
        self.assertEqual((len(peer.answers), self.heard, len(self.gone)), (1, [], 1))
        self.assertEqual((self.bus.knows("lan#1"), self.bus.knows("")), (False, False))

    def test_reply_in_the_turn(self) -> None:
        """The same for a session that leaves while the batch waits for its turn."""
        peer = Peer()
        self.bus.enrol("lan#1", peer)

        def answering(question: Batch) -> None:
            self.bus.publish(batch("t", reply_to="lan#1"))
            self.bus.dismiss("lan#1")

        self.bus.subscribe(["question"], answering, "a")
        self.bus.publish(batch("question"))
        self.assertEqual((peer.answers, len(self.gone)), ([], 1))

    def test_block(self) -> None:
        """Who has no room pauses all that publish to it, and no others; one that comes meanwhile is paused from the start."""
        writer, other, newcomer = Peer("lan"), Peer("web"), Peer("lan/7")
        self.bus.enrol("lan#1", writer)
        self.bus.enrol("web#1", other)
        self.bus.block("full", ["lan"])
        self.bus.block("full", ["lan"])
        self.bus.enrol("lan#2", newcomer)
        self.bus.unblock("full")
        self.bus.unblock("full")
        for paused in (writer, newcomer):
            self.assertEqual([name for name, _ in paused.tokens], ["pause", "resume"])
        self.assertEqual(other.tokens, [])

    def test_many_without_room(self) -> None:
        """However many of one link have no room, whoever publishes to them is paused once and resumed once."""
        writers = [Peer("lan") for _ in range(3)]
        for number, writer in enumerate(writers):
            self.bus.enrol(f"lan#{number}", writer)
        for number in range(1000):
            self.bus.block(number, ("lan",))
        for number in range(1000):
            self.assertEqual([len(writer.tokens) for writer in writers], [1, 1, 1])
            self.bus.unblock(number)
        self.assertEqual([len(writer.tokens) for writer in writers], [2, 2, 2])

    def test_two_links_without_room(self) -> None:
        """Who publishes to two links waits for both."""
        writer = Peer("lan")
        self.bus.enrol("lan#1", writer)
        self.bus.block("one", ("lan",))
        self.bus.block("other", ("lan", "web"))
        tokens = {token for _, token in writer.tokens}
        self.assertEqual(len(tokens), 2)
        self.bus.unblock("one")
        self.bus.unblock("other")
        self.assertEqual({token for name, token in writer.tokens if name == "resume"}, tokens)

    def test_peer(self) -> None:
        """The log can call a session by its peer's address, as long as it is there."""
        self.bus.enrol("lan#1", Peer())
        self.assertEqual((self.bus.peer("lan#1"), self.bus.peer("lan#2")), ("10.0.0.1:5", "lan#2"))
