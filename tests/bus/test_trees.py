"""Trees of filters and of topics find what `gateway.topics.matches` finds, and ask less."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.trees import FilterTree, TopicTree
from gateway.topics import matches

LEVELS = st.sampled_from(["a", "b", "$sent"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
BEFORE = st.lists(st.sampled_from(["a", "b", "+", "$sent"]), max_size=4)
FILTERS = st.tuples(BEFORE, st.sampled_from([[], ["#"]])).map(lambda parts: "/".join(parts[0] + parts[1])).filter(bool)
SOME_FILTERS = st.lists(st.lists(FILTERS, max_size=3), max_size=8)
SOME_TOPICS = st.lists(st.lists(TOPICS, max_size=3), max_size=8)


class FilterTreeTests(SynchronousTestCase):
    @settings(derandomize=True, deadline=None)
    @given(SOME_FILTERS, TOPICS, st.sets(st.integers(0, 7)))
    def test_as_plain(self, added: list[list[str]], topic: str, removed: set[int]) -> None:
        """It finds whose filters match, each once, in the order in which they were added, and none that was removed."""
        tree: FilterTree[int] = FilterTree()
        for value, filters in enumerate(added):
            tree.add(value, filters)
        for value in removed & set(range(len(added))):
            tree.remove(value)
        wanted = [
            value for value, filters in enumerate(added) if value not in removed and any(matches(filter, topic) for filter in filters)
        ]
        self.assertEqual(tree.matching(topic), wanted)

    @settings(derandomize=True, deadline=None)
    @given(SOME_FILTERS)
    def test_nothing_left(self, added: list[list[str]]) -> None:
        """When all were removed, nothing is left of the tree."""
        tree: FilterTree[int] = FilterTree()
        for value, filters in enumerate(added):
            tree.add(value, filters)
        for value in range(len(added)):
            tree.remove(value)
        self.assertEqual((tree._root.below, tree._root.values, tree._paths), ({}, {}, {}))

    def test_cost(self) -> None:
        """What is looked at for a topic are its own levels, however many filters there are."""
        tree: FilterTree[int] = FilterTree()
        for value in range(1000):
            tree.add(value, [f"dev/{value}", f"dev/{value}/#", f"dev/{value}/$sent", f"+/{value}"])
        self.assertEqual(tree.matching("dev/7"), [7])
        self.assertLessEqual(len(list(tree._matching(["dev", "7"]))), 2 * 2 * 2)

    def test_again(self) -> None:
        """What was removed may be added again; it is then the last."""
        tree: FilterTree[str] = FilterTree()
        tree.add("x", ["a", "a/#"])
        tree.add("y", ["a"])
        tree.remove("x")
        tree.add("x", ["+"])
        self.assertEqual(tree.matching("a"), ["y", "x"])


class TopicTreeTests(SynchronousTestCase):
    @settings(derandomize=True, deadline=None)
    @given(SOME_TOPICS, FILTERS, st.sets(st.integers(0, 7)))
    def test_as_plain(self, added: list[list[str]], filter: str, removed: set[int]) -> None:
        """It finds whose topics a filter matches, each once, in the order in which they were added, and none that was removed."""
        tree: TopicTree[int] = TopicTree()
        for value, topics in enumerate(added):
            tree.add(value, topics)
        for value in removed & set(range(len(added))):
            tree.remove(value)
        wanted = [value for value, topics in enumerate(added) if value not in removed and any(matches(filter, topic) for topic in topics)]
        self.assertEqual(tree.matching(filter), wanted)

    def test_cost(self) -> None:
        """What is looked at for a filter are its own levels and what it finds, however many topics there are."""
        tree: TopicTree[int] = TopicTree("{}")
        for value in range(1000):
            tree.add(value, [f"dev/{value}", f"dev/{value}/$sent"])
        self.assertEqual(tree.matching("dev/7"), [7])
        self.assertEqual(len(list(tree._matching(["dev", "7"]))), 1)

    def test_blank(self) -> None:
        """A blank level stands for any one that a + would match."""
        tree: TopicTree[str] = TopicTree("{}")
        tree.add("x", ["a/{}/c"])
        tree.add("y", ["a/b"])
        for filter, found in (("a/b/c", ["x"]), ("a/b", ["x", "y"]), ("a", ["x", "y"]), ("a/+/c", ["x"]), ("a/$b/c", []), ("a/b/d", [])):
            self.assertEqual(tree.matching(filter), found, filter)

    def test_alike(self) -> None:
        """Two topics can be the same if they are as long, and each level is the same, or blank in one of them."""
        tree: TopicTree[str] = TopicTree("{}")
        for topic in ("a/b", "a/{}", "{}/b", "a/c", "a", "a/b/c"):
            tree.add(topic, [topic])
        self.assertEqual(tree.alike("a/b"), ["a/b", "a/{}", "{}/b"])
        self.assertEqual(tree.alike("a/{}"), ["a/b", "a/{}", "{}/b", "a/c"])
        self.assertEqual(tree.alike("b"), [])
