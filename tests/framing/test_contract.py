"""What every framing promises, tested for all that the registry lists: a new framing needs only a sample here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.errors import CodecError
from gateway.framing import Framer, FramingOptions
from gateway.packet import Frames

MAX = 16
"""Small, so that random streams are often too long."""

SLACK = 300
"""Held bytes that do not depend on the limit: a header, part of a delimiter, a block of COBS."""


def _as_they_are(payloads: Sequence[bytes]) -> list[bytes]:
    return list(payloads)


def _cut_at(pattern: bytes) -> Callable[[Sequence[bytes]], list[bytes]]:
    """What a reader gets of payloads that are split at the pattern: an empty last piece is no packet, but an empty payload is one."""

    def expected(payloads: Sequence[bytes]) -> list[bytes]:
        found = []
        for payload in payloads:
            pieces = re.split(pattern, payload)
            found += pieces[:-1] if len(pieces) > 1 and not pieces[-1] else pieces
        return found

    return expected


def _lines_of(payloads: Sequence[bytes]) -> list[bytes]:
    """As above; the CR at the end of a piece becomes part of the line end written behind it."""
    return [piece.removesuffix(b"\r") for piece in _cut_at(rb"\r?\n")(payloads)]


def _ended(payloads: Sequence[bytes]) -> list[bytes]:
    return [payload if payload.endswith(b"\0") else payload + b"\0" for payload in payloads]


class Sample(NamedTuple):
    """Options as in an INI file, and what the tests must know of them."""

    options: Mapping[str, Any] = MappingProxyType({})
    opening: bytes | None = b""
    """What must be sent first so that megabytes of ``abab`` are part of one packet; None where no packet can be so long."""
    expected: Callable[[Sequence[bytes]], list[bytes]] = _as_they_are
    """What a reader gets for payloads that were not refused."""
    filler: bytes = b""
    """A byte that may stand between packets, any number of times, and belongs to none."""
    decoded: bool = False
    """Whether payloads differ from their bytes on the wire, so that lost bytes cannot be added to theirs."""


SAMPLES: dict[str, list[Sample]] = {
    "raw": [Sample(opening=None)],
    "silence": [Sample({"interval": "30ms"})],
    "lines": [
        Sample(expected=_lines_of),
        Sample({"embedded": "reject"}),
        Sample({"embedded": "escape"}, decoded=True),
        Sample({"embedded": "reject", "ending": r"\r\n"}),
        Sample({"embedded": "escape", "ending": r"\r\n"}, decoded=True),
    ],
    "delimiter": [
        Sample({"delimiter": r"\0"}, expected=_cut_at(rb"\0")),
        Sample({"delimiter": r"\r", "embedded": "reject"}),
        Sample({"delimiter": r"\r\n", "embedded": "reject"}),
        Sample({"delimiter": r"\r\n", "embedded": "escape"}, decoded=True),
        Sample({"delimiter": "aa", "embedded": "reject"}),
        Sample({"delimiter": r"\r\n, \n, \0", "embedded": "reject"}),
        Sample({"delimiter": r"\r, \r\n, \n", "embedded": "reject"}),
        Sample({"delimiter": r"\r, \r\n, \n", "embedded": "escape"}, decoded=True),
        Sample({"delimiter": r"END, ENDE\r, \n", "embedded": "reject"}),
        Sample({"delimiter": r"\0", "keep": "yes", "embedded": "reject"}, expected=_ended),
        Sample({"delimiter": r"\0", "skip_empty": "yes", "embedded": "reject"}, filler=b"\0"),
    ],
    "fixed": [
        Sample({"size": "7"}, opening=None),
        Sample({"size": "1"}, opening=None),
        Sample({"size": "16", "resync": "50ms"}, opening=None),
    ],
    "length": [
        Sample({"width": 1}, opening=None),
        Sample({"width": 2, "order": "little", "counts_itself": "yes"}, opening=None),
        Sample({"width": 4, "offset": "3"}, opening=b"abc\0\x1f\xf0\0"),
        Sample({"width": 4, "order": "little", "counts_itself": "yes"}, opening=b"\0\xf0\x1f\0"),
        Sample({"width": 1, "offset": "2", "counts_itself": "yes", "resync": "50ms"}, opening=None),
    ],
    "enclosed": [
        Sample(opening=b"\x02"),
        Sample({"outside": "forward"}),
        Sample({"start": "<<", "end": ">"}, opening=b"<<"),
        Sample({"start": r"\r\n", "end": r"\n\n", "outside": "forward"}, opening=b"\r\n"),
    ],
    "slip": [Sample(filler=b"\xc0", decoded=True), Sample({"leading_end": "yes"}, filler=b"\xc0", decoded=True)],
    "cobs": [Sample(filler=b"\0", decoded=True)],
}

_PIECES = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x01",
    b"\x02",
    b"\x03",
    b"\x05",
    b"\xc0",
    b"\xdb",
    b"\xdc",
    b"\xdd",
    b"END",
    b"E\r",
    b"<<",
    b">",
]
_TEXT = st.one_of(st.sampled_from([*_PIECES, b"\\", b"\\n", b"a", b"aa", b"a" * MAX, b"\xff"]), st.binary(max_size=6))
# Few letters, so that boundaries stand close together and much is wrong.
_DENSE = st.lists(st.sampled_from([b"\0", b"\x01", b"\x02", b"\x03", b"\xc0", b"\xdb", b"\n", b"a", b"a" * (MAX + 1)]), max_size=40)
STREAMS = st.one_of(st.lists(_TEXT, max_size=24).map(b"".join), _DENSE.map(b"".join))
PAYLOADS = st.lists(st.one_of(st.lists(_TEXT, max_size=4).map(b"".join), st.binary(min_size=7, max_size=7)), max_size=6)
CUTS = st.lists(st.integers(0, 200), max_size=6)
POLICIES = st.sampled_from(["drop", "emit", "close"])
EXAMPLES = settings(derandomize=True, max_examples=60, deadline=None, database=None)


def samples() -> list[tuple[str, Sample]]:
    return [(name, sample) for name in registry.names("framing") for sample in SAMPLES.get(name, [])]


def options(name: str, sample: Sample, **more: Any) -> FramingOptions:
    made: FramingOptions = registry.load("framing", name).Options.model_validate({"max": MAX, **sample.options, **more})
    return made


def framer(name: str, sample: Sample, **more: Any) -> Framer:
    return registry.make_framer(options(name, sample, **more))


def pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    return [stream[start:end] for start, end in pairwise(places)]


class Outcome(NamedTuple):
    """All that a framer gave for a stream."""

    payloads: list[bytes]
    data: bytes
    lost: int
    events: list[str]
    """One for each time, sorted, without ``skipped``, whose number depends on the reads."""


def outcome(framing: Framer, reads: Iterable[bytes], clean: bool = False) -> Outcome:
    return gathered([*(framing.feed(read, 0.0) for read in reads), framing.finish(clean)])


def gathered(found: Iterable[Frames]) -> Outcome:
    frames = list(found)
    for each in frames:
        assert len(each.payloads) == each.count, each
    faults = [fault for each in frames for fault in each.faults]
    return Outcome(
        [payload for each in frames for payload in each.payloads],
        b"".join(each.data for each in frames),
        sum(fault.size for fault in faults),
        sorted(fault.event for fault in faults if fault.event != "skipped" for _ in range(fault.times)),
    )


class FramingContract(SynchronousTestCase):
    def test_samples(self) -> None:
        """Every framing has a sample in this file: without one nothing below would test it."""
        for name in registry.names("framing"):
            self.assertIn(name, SAMPLES, f"the framing {name!r} is not tested: add options for it to SAMPLES in {__file__}")

    def test_of_text(self) -> None:
        """Lines and delimited packets are of text, so flow control may take two bytes for itself; of all others that is not known."""
        of_text = [name for name in registry.names("framing") if getattr(registry.load("framing", name), "OF_TEXT", False)]
        self.assertEqual(of_text, ["delimiter", "lines"])

    def test_self_delimiting(self) -> None:
        """A framing says truly whether two packets in one read are found one by one."""
        for name, sample in samples():
            framing, payload = framer(name, sample), bytes(range(0x62, 0x62 + int(sample.options.get("size", 7))))
            found = outcome(framing, [framing.encode([payload, payload])], clean=True)
            self.assertEqual(len(found.payloads) == 2, registry.load("framing", name).SELF_DELIMITING, f"{name} {sample.options}")

    def test_traits(self) -> None:
        """What a framing says of itself is a bool; one that is verbatim adds nothing to what it encodes."""
        for name, sample in samples():
            part, framing = registry.load("framing", name), framer(name, sample)
            for said in ("OF_TEXT", "VERBATIM"):
                self.assertIsInstance(getattr(part, said, False), bool, f"{name}.{said}")
            payload = bytes(range(0x62, 0x62 + int(sample.options.get("size", 7))))
            if getattr(part, "VERBATIM", False):
                self.assertEqual(framing.encode([payload, payload]), payload * 2, f"{name} {sample.options}")

    @EXAMPLES
    @given(STREAMS, CUTS, POLICIES, st.booleans())
    def test_any_split(self, stream: bytes, cuts: list[int], policy: str, clean: bool) -> None:
        """Whole, byte by byte, cut at random: the packets of a stream are the same, and so are the bytes that were lost."""
        for name, sample in samples():
            if name == "silence":
                continue
            whole = outcome(framer(name, sample, on_oversize=policy), [stream], clean)
            for reads in (pieces(stream, cuts), pieces(stream, range(len(stream)))):
                split = outcome(framer(name, sample, on_oversize=policy), reads, clean)
                place = f"{name} {sample.options} {policy} {reads}"
                if name == "raw":
                    if policy == "emit":
                        self.assertEqual((b"".join(split.payloads), split.data), (b"".join(whole.payloads), whole.data), place)
                    continue
                self.assertEqual((split.payloads, split.lost, split.events), (whole.payloads, whole.lost, whole.events), place)
                if policy != "emit":
                    self.assertEqual(split.data, whole.data, place)

    @EXAMPLES
    @given(STREAMS, CUTS, POLICIES, st.booleans())
    def test_garbage(self, stream: bytes, cuts: list[int], policy: str, clean: bool) -> None:
        """Whatever the bytes: nothing raises, no packet is longer than the limit, what is held is bounded, every lost byte is counted."""
        for name, sample in samples():
            framing = framer(name, sample, on_oversize=policy)
            place = f"{name} {sample.options} {policy}"
            found = []
            for read in pieces(stream, cuts):
                found.append(framing.feed(read, 0.0))
                self.assertLessEqual(framing.held, 3 * MAX + SLACK, place)
            found.append(framing.expire(framing.deadline or 0.0))
            self.assertIsNone(framing.deadline, place)
            found.append(framing.finish(clean))
            self.assertEqual(framing.held, 0, place)
            result = gathered(found)
            for payload in result.payloads:
                self.assertLessEqual(len(payload), MAX + (1 if sample.options.get("keep") else 0), place)
            if policy == "emit" and (sample.decoded or result.lost):
                continue
            counted = len(result.data) + result.lost
            self.assertLessEqual(counted, len(stream), place)
            self.assertGreaterEqual(counted, len(stream) - sum(map(stream.count, filter(None, [sample.filler]))), place)

    @EXAMPLES
    @given(PAYLOADS, CUTS)
    def test_refuse_or_round_trip(self, payloads: list[bytes], cuts: list[int]) -> None:
        """What `encode` does not refuse is read back as it was, however it is cut; many payloads at once are the frames of each, joined."""
        for name, sample in samples():
            if not registry.load("framing", name).SELF_DELIMITING:
                continue
            writer, sayable, written = framer(name, sample), [], []
            for payload in payloads:
                try:
                    written.append(writer.encode([payload]))
                except CodecError as error:
                    self.assertTrue(str(error))
                else:
                    sayable.append(payload)
            place = f"{name} {sample.options} {sayable}"
            self.assertEqual(writer.encode(sayable), b"".join(written), place)
            reads = pieces(b"".join(written), cuts)
            self.assertEqual(outcome(framer(name, sample), reads), (sample.expected(sayable), b"".join(written), 0, []), place)

    @EXAMPLES
    @given(PAYLOADS)
    def test_limit(self, payloads: list[bytes]) -> None:
        """A framing that finds its own boundaries refuses to write what it would find too long, and names the limit."""
        for name, sample in samples():
            if registry.load("framing", name).SELF_DELIMITING and "size" not in sample.options:
                with self.assertRaises(CodecError) as caught:
                    framer(name, sample).encode([*payloads, b"a\x05" * MAX])
                self.assertRegex(
                    str(caught.exception), "limit|max|longer|delimiter|empty|shorter|contains|width", f"{name} {sample.options}"
                )

    def test_up_to_the_limit(self) -> None:
        """A payload that is as long as the limit is written, and read back, at once and byte by byte."""
        payload = bytes(range(0x62, 0x62 + MAX))
        for name, sample in samples():
            if registry.load("framing", name).SELF_DELIMITING and "size" not in sample.options:
                wire = framer(name, sample).encode([payload])
                for reads in ([wire], pieces(wire, range(len(wire)))):
                    found = outcome(framer(name, sample), reads)
                    self.assertEqual((found.payloads, found.events), (sample.expected([payload]), []), f"{name} {sample.options}")

    def test_oversize_harms_no_other(self) -> None:
        """A packet that is too long is told once, and the packets before it and in the next read are good."""
        long, good = (bytes(range(0x62, 0x62 + size)) for size in (3 * MAX, MAX))
        for name, sample in samples():
            for policy in ("drop", "close"):
                if registry.load("framing", name).SELF_DELIMITING and "size" not in sample.options:
                    writer, reader = framer(name, sample, max=3 * MAX + 1), framer(name, sample, on_oversize=policy)
                    found = outcome(reader, [writer.encode([good, good, long]), writer.encode([good]), writer.encode([good])])
                    place = f"{name} {sample.options} {policy}"
                    self.assertEqual((found.payloads, found.events), (sample.expected([good] * 4), ["oversize"]), place)

    @EXAMPLES
    @given(STREAMS, STREAMS, st.booleans())
    def test_as_new(self, before: bytes, stream: bytes, clean: bool) -> None:
        """After the end of a stream a framer is as new."""
        for name, sample in samples():
            used = framer(name, sample)
            outcome(used, [before], clean)
            self.assertEqual(outcome(used, [stream]), outcome(framer(name, sample), [stream]), f"{name} {sample.options}")

    @EXAMPLES
    @given(STREAMS, CUTS)
    def test_reframe(self, stream: bytes, cuts: list[int]) -> None:
        """The shortcut for frames that another link's framing found gives what `encode` gives for their payloads."""
        for source_name, source in samples():
            framing = framer(source_name, source)
            found = [framing.feed(read, 0.0) for read in pieces(stream, cuts)]
            for name, sample in samples():
                if not registry.load("framing", name).SELF_DELIMITING:
                    continue
                writer = framer(name, sample)
                for frames in found:
                    shortcut = writer.reframe(frames)
                    if shortcut is not None:
                        self.assertEqual(
                            shortcut, writer.encode(frames.payloads), f"{source_name} {source.options} to {name} {sample.options}"
                        )

    @EXAMPLES
    @given(STREAMS, CUTS, POLICIES)
    def test_one_fault_a_read(self, stream: bytes, cuts: list[int], policy: str) -> None:
        """However much is wrong in a read, there is one fault for each event, with the number of times and the sum of bytes."""
        for name, sample in samples():
            framing = framer(name, sample, on_oversize=policy)
            for read in pieces(stream * 50, cuts):
                events = [fault.event for fault in framing.feed(read, 0.0).faults]
                self.assertEqual(len(events), len(set(events)), f"{name} {sample.options} {policy}")

    def test_long_packet(self) -> None:
        """Megabytes without a boundary: memory stays bounded, and what is lost is reported meanwhile, but not at every read."""
        limit, read, reads = 65536, b"ab" * 5_000, 200
        for name, sample in samples():
            for policy in ("drop", "emit", "close"):
                if sample.opening is None:
                    continue
                framing, place = framer(name, sample, max=limit, on_oversize=policy), f"{name} {sample.options} {policy}"
                found = [framing.feed(sample.opening, 0.0)]
                for _ in range(reads):
                    found.append(framing.feed(read, 0.0))
                    self.assertLessEqual(framing.held, 3 * limit + SLACK, place)
                faults = [fault for frames in found for fault in frames.faults]
                result = gathered(found)
                if policy == "emit":
                    self.assertEqual(result.lost, 0, place)
                    self.assertEqual({len(payload) for payload in result.payloads}, {limit}, place)
                    continue
                self.assertEqual((result.payloads, result.events), ([], ["oversize"]), place)
                self.assertEqual([fault.fatal for fault in faults if fault.event == "oversize"], [policy == "close"], place)
                total = len(sample.opening) + reads * len(read)
                self.assertGreater(result.lost, total - limit, place)
                self.assertLessEqual(len(faults), total // limit + 1, place)
                self.assertEqual(result.lost + gathered([framing.finish(False)]).lost, total, place)

    def test_no_byte_is_looked_at_twice(self) -> None:
        """A byte costs the same however much of its packet has come before: a megabyte that comes byte by byte is not quadratic.

        The cost is CPU time, the least of several tries; a framer that copies or searches what it holds takes 20 times as much.
        """
        for name, sample in samples():
            more = {"size": 1 << 21} if name == "fixed" else {}
            if sample.opening is not None or more:
                little, much = (
                    self._cost_of_a_byte(framer(name, sample, max=1 << 21, **more), sample, held) for held in (1 << 10, 1 << 20)
                )
                self.assertLess(much, 6 * little, f"{name} {sample.options}")

    def _cost_of_a_byte(self, framing: Framer, sample: Sample, held: int) -> float:
        framing.feed((sample.opening or b"") + b"ab" * (held // 2), 0.0)
        self.assertGreaterEqual(framing.held, held)
        tries = []
        for _ in range(7):
            start = time.process_time()
            for _ in range(400):
                framing.feed(b"b", 0.0)
            tries.append(time.process_time() - start)
        return min(tries)

    def test_a_megabyte_byte_by_byte(self) -> None:
        """A megabyte that comes byte by byte is one packet of `lines`, which most links use."""
        stream = b"a" * (1 << 20) + b"\n"
        result = outcome(framer("lines", Sample(), max=1 << 21), [stream[index : index + 1] for index in range(len(stream))])
        self.assertEqual((len(result.payloads), result.data), (1, stream))
