"""Whether anybody has a use for a source."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.bus import demand as module
from gateway.bus.demand import Demand, Source, Want
from gateway.topics import matches

TOPICS = st.sampled_from(["a", "b", "a/b", "a/b/c"])
LINKS = st.tuples(TOPICS, st.lists(st.sampled_from(["a", "b", "a/b", "+", "#"]), max_size=2))
STEPS = st.lists(st.tuples(st.sampled_from(["want", "watch", "cancel want", "cancel watch"]), LINKS), max_size=12)


class DemandTests(SynchronousTestCase):
    def test_hearers_and_writers(self) -> None:
        """A source is told how many links hear it or are heard by it, at once and at each change, and no more after it cancelled."""
        demand = Demand()
        counts: list[int] = []
        watch = demand.watch("scale", ["lan"], counts.append)
        reader = demand.want("web", ["scale"])
        writer = demand.want("lan", [])
        demand.want("other", ["gps"])
        reader.cancel()
        writer.cancel()
        watch.cancel()
        demand.want("web", ["scale"])
        self.assertEqual(counts, [0, 1, 2, 1, 0])

    def test_already_wanted(self) -> None:
        """A source that comes later is told of the present demand."""
        demand = Demand()
        demand.want("web", ["scale/#"])
        counts: list[int] = []
        demand.watch("scale", [], counts.append)
        self.assertEqual(counts, [1])

    @settings(derandomize=True, deadline=None)
    @given(STEPS)
    def test_as_plain(self, steps: list[tuple[str, tuple[str, list[str]]]]) -> None:
        """Whatever comes and goes, each source was last told how many links it hears, or is heard by."""
        demand, wants, sources, told = Demand(), list[Want](), list[Source](), dict[int, int]()
        numbers: dict[Source, int] = {}
        for number, (step, (topic, filters)) in enumerate(steps):
            if step == "want":
                wants.append(demand.want(topic, filters))
            elif step == "watch":
                sources.append(demand.watch(topic, filters, lambda count, number=number: told.update({number: count})))
                numbers[sources[-1]] = number
            elif step == "cancel want" and wants:
                wants.pop(0).cancel()
            elif step == "cancel watch" and sources:
                sources.pop(0).cancel()
            for source in sources:
                joined = [want for want in wants if heard(source, want) or heard(want, source)]
                self.assertEqual(told[numbers[source]], len(joined))

    def test_cost(self) -> None:
        """One that comes asks for those that it is joined with, not for all."""
        demand, told = Demand(), list[int]()
        for number in range(100):
            demand.watch(f"dev/{number}", [f"lan/{number}"], told.append)
        looks: list[Source] = []
        say = module.Source._say
        self.patch(module.Source, "_say", lambda source: looks.append(source) or say(source))
        demand.want("lan/7", ["dev/7"])
        self.assertEqual((len(looks), sum(told)), (1, 1))


def heard(one: Source | Want, other: Source | Want) -> bool:
    return any(matches(filter, one.topic) for filter in other.filters)
