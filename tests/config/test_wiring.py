"""Who hears whom, and what parts of other distributions say of themselves."""

from __future__ import annotations

from typing import Any

from gateway import registry
from gateway.config import places
from gateway.config.draft import Draft

from ..configuring import ConfigCase
from ..parts_of_others import add_parts

GPS = "[gps]\ndevice = /dev/gps\nframing = lines\nframing.max = 200\n"


class References(ConfigCase):
    def listener(self, name: str, *lines: str) -> str:
        return "\n".join((f"[{name}]", "listen = 127.0.0.1:0", *lines, ""))

    def test_subscribe(self) -> None:
        """Filters go into the plan as they are; the configuration names the links that they match, and what is written to these."""
        config = self.config(
            self.listener("meter/1") + self.listener("meter/2", "topic = x/2") + self.listener("a", "subscribe = meter, x/+, meter/1/$sent")
        )
        self.assertEqual(config.wiring["a"], ("meter", "x/+", "meter/1/$sent"))
        self.assertEqual(config.sources["a"], ("meter/1", "meter/1/$sent", "meter/2"))
        self.assertEqual(config.heard_by("meter/1"), ("a",))

    def test_attach(self) -> None:
        """``attach`` means both directions, by topic, and each filter once."""
        config = self.config(GPS + self.listener("a", "subscribe = gps", "attach = gps", "topic = b"))
        self.assertEqual((config.wiring["a"], config.wiring["gps"]), (("gps",), ("b",)))
        self.assertEqual(config.links["a"].topic, "b")

    def test_nothing_there(self) -> None:
        """A reference to nothing is an error, which suggests what exists."""
        text = GPS + self.listener("lan", "topic = net", "subscribe = meter/#, gsp", "attach = lam") + self.listener("b", "attach = net")
        self.assertEqual(
            self.mistakes(text),
            [
                "gw.ini:8: [lan] subscribe: no link publishes 'meter/#'",
                "gw.ini:8: [lan] subscribe: no link publishes 'gsp' (did you mean 'gps'?)",
                "gw.ini:9: [lan] attach: no link is called 'lam' (did you mean 'lan'?)",
                "gw.ini:12: [b] attach: no link is called 'net' (that is the topic of [lan]: attach = lan)",
            ],
        )

    def test_no_commas(self) -> None:
        """A list without commas between its names is refused with how to write it."""
        for entry in ("gps lan", "gps; lan"):
            text = GPS + self.listener("lan") + self.listener("a", f"subscribe = {entry}", f"attach = {entry}")
            for line, error in zip((9, 10), self.mistakes(text), strict=True):
                self.assertTrue(error.startswith(f"gw.ini:{line}: "), error)
                self.assertTrue(error.endswith(f"{entry!r} (names are separated by commas: gps, lan)"), error)

    def test_devices_take_exact_names(self) -> None:
        """A wildcard in the ``subscribe`` of a device, or in any ``attach``, is an error."""
        self.assertEqual(
            self.mistakes(GPS + "subscribe = #\n" + self.listener("a", "attach = +")),
            [
                "gw.ini:5: [gps] subscribe: '#': what a device's link hears is written to the device: write exact names, without wildcards",
                "gw.ini:8: [a] attach: '+': attach takes exact names of links, without wildcards",
            ],
        )

    def test_oneself(self) -> None:
        """A link that names itself, or what is written to it, is an error; by a wildcard its clients may hear each other."""
        text = self.listener("a", "subscribe = a", "attach = a") + self.listener("b", "subscribe = b/$sent")
        self.assertEqual(
            self.mistakes(text),
            [
                "gw.ini:3: [a] subscribe: 'a': a link cannot hear itself: name another one",
                "gw.ini:4: [a] attach: a link cannot be attached to itself: name the link to join it with",
                "gw.ini:7: [b] subscribe: 'b/$sent': a link cannot hear itself: name another one",
            ],
        )
        self.assertEqual(self.config(self.listener("a", "subscribe = #")).sources["a"], ("a",))

    def test_ring(self) -> None:
        """A ring of links that hear each other's ``$sent`` is an error."""
        text = (
            self.listener("a", "subscribe = c/$sent")
            + self.listener("b", "subscribe = a/$sent")
            + self.listener("c", "subscribe = b/$sent")
        )
        said = "subscribe: a packet would go round for ever, from one $sent to the next: remove one of them"
        self.assertEqual(self.mistakes(text), [f"gw.ini:{line}: [{name}] {said}" for line, name in ((3, "a"), (6, "b"), (9, "c"))])

    def test_bad_filter(self) -> None:
        """A filter that MQTT would not take is an error."""
        self.assertEqual(
            self.mistakes(self.listener("a", "subscribe = x#")), ["gw.ini:3: [a] subscribe: 'x#': '#' must be the last level, alone"]
        )

    def test_one_topic_each(self) -> None:
        """Two links with one topic are an error, and so is a client's topic that another link could have."""
        self.assertEqual(
            self.mistakes(GPS + self.listener("a", "topic = gps")), ["gw.ini:7: [a] topic: 'gps' is already the topic of [gps]"]
        )

    def test_topic(self) -> None:
        """A topic under which nothing can be published is an error."""
        for topic, said in (
            ("a/#", "'a/#' holds a wildcard, which only a filter can"),
            ("a//b", "'a//b' has an empty level"),
            ("a/$sent", "'a/$sent': a level that begins with $ is reserved for the gateway"),
            ("a/{name}", "'a/{name}': only {client} can be filled in, and only as a level of its own"),
            ("a-{client}", "'a-{client}': only {client} can be filled in, and only as a level of its own"),
            ("a/{client}", "{client} needs tls = NAME, and client_certificates = required in [tls NAME]"),
        ):
            self.assertEqual(self.mistakes(self.listener("a", f"topic = {topic}")), [f"gw.ini:3: [a] topic: {said}"])

    def test_overheard(self) -> None:
        """An ``attach`` by which a link would also hear a third one, whose topic lies below, is an error."""
        text = "[scale]\ndevice = /dev/a\n" + self.listener("lan", "attach = scale") + self.listener("lan/guests")
        self.assertEqual(
            self.mistakes(text),
            ["gw.ini:5: [lan] attach: [scale] would hear [lan/guests] too, as 'lan/guests' lies below 'lan': rename one of them"],
        )
        self.config(text + "attach = scale")

    def test_sent_of_a_blank(self) -> None:
        """A client's topic is no topic of what is written to another link, though that lies where the client's might."""
        tls = "tls = x\n[tls x]\ncertificate = c\nprivate_key = k\nclient_certificates = required\nca = c\n"
        said = self.mistakes(self.listener("a") + self.listener("b", "topic = a/{client}", "subscribe = a/$sent") + tls)
        self.assertEqual([line for line in said if "topic" in line or "subscribe" in line], [])


class Costs(ConfigCase):
    """What loading asks of each link does not grow with their number."""

    ASKED = (Draft, "heard_as"), (Draft, "place"), (places, "_check_listeners"), (places, "_check_devices"), (places, "_check_loop")

    def asked(self, count: int, reader: str, listener: str) -> float:
        """How often something is asked for, for each of so many devices, each with a listener of its own."""
        calls: list[str] = []

        def counted(asked: Any) -> Any:
            return lambda *arguments: calls.append(asked.__name__) or asked(*arguments)

        patches = [self.patch(owner, name, counted(getattr(owner, name))) for owner, name in self.ASKED]
        names = ", ".join(f"dev/{number}" for number in range(count))
        text = "".join(
            f"[dev/{number}]\ndevice = /dev/{number}\n[lan/{number}]\n{listener.format(number=number, port=2000 + number)}\n"
            for number in range(count)
        )
        self.config(f"{text}[all]\nlisten = 127.0.0.1:1999\n{reader.format(names=names)}\n")
        for patch in patches:
            patch.restore()
        return len(calls) / count

    def test_linear(self) -> None:
        """Four times as many links cost at most four times as much: by prefix, wildcard, list, attach, on one address or many."""
        for reader in ("subscribe = dev", "subscribe = dev/+, +/#", "subscribe = {names}", "attach = {names}"):
            for listener in (
                "listen = 127.0.0.1:{port}\nattach = dev/{number}",
                "listen = 127.0.0.1:0\nattach = dev/{number}\nsubscribe = dev/{number}/$sent",
                "transport = websocket\nlisten = 127.0.0.1:2000\npath = /{number}\nattach = dev/{number}",
                "connect = 10.0.0.1:{port}\nattach = dev/{number}",
            ):
                few, many = (self.asked(count, reader, listener) for count in (10, 40))
                self.assertLessEqual(many, few, (reader, listener))


CODEC = """\
from gateway.codecs import CodecOptions
class Options(CodecOptions):
    pass
class Codec:
    verbatim = {}
    def __init__(self, options):
        pass
"""
TRANSPORT = """\
from typing import Any
from gateway.options import FilePath
from gateway.config.plan import StreamOptions
class Options(StreamOptions):
    tape: FilePath | None = None
"""


class PartsOfOthers(ConfigCase):
    def test_codec(self) -> None:
        """A codec declares whether its bodies are lines; without a declaration they are, unless they are the payloads as they are."""
        parts = {"own": CODEC.format(False), "plain": CODEC.format(True)}
        parts |= {"joined": CODEC.format("in_lines = False"), "rows": CODEC.format("in_lines = True")}
        add_parts(self, {f"codec {name}": source for name, source in parts.items()})
        text = "".join(f"[{name}]\nlisten = 127.0.0.1:0\ncodec = {name}\n" for name in parts)
        framings = {name: registry.kind_name(plan.framing) for name, plan in self.config(text).links.items() if plan.framing}
        self.assertEqual(framings, {"own": "lines", "plain": "raw", "joined": "raw", "rows": "lines"})

    def test_transport_that_takes_nothing(self) -> None:
        """A transport that takes no data is neither suggested for ``attach`` nor suspected of an echo."""
        tapes = "".join(f"[{name}]\ntransport = tape\ntape = x\n" for name in "ab")
        text = tapes + "attach = a\n[view]\nlisten = 127.0.0.1:0\nsubscribe = a\n"
        add_parts(self, {"transport tape": TRANSPORT + "TAKES_DATA = False\n"})
        self.assertEqual(self.warnings(text), ["gw.ini:8: [view] what its clients send goes nowhere"])

    def test_transport_that_is_a_device(self) -> None:
        """A transport of another distribution counts as a device, for which wildcards are refused, unless it declares otherwise."""
        text = "[a]\ntransport = tape\nsubscribe = #\n[b]\nlisten = 127.0.0.1:0\nsubscribe = a\n"
        add_parts(self, {"transport tape": TRANSPORT, "transport view": TRANSPORT + "IS_DEVICE = False\n"})
        self.assertEqual(len(self.mistakes(text)), 1)
        self.config(text.replace("tape", "view"))

    def test_implied(self) -> None:
        """A key can imply a transport of another distribution; one that cannot be loaded disturbs no other."""
        add_parts(self, {"transport tape": TRANSPORT + "IMPLIED_BY = ('tape', 'listen')\n", "transport odd": "import no_such_library\n"})
        config = self.config("[a]\ntape = x\n[b]\nlisten = 127.0.0.1:0\nsubscribe = a\n")
        self.assertEqual([plan.transport for plan in config.links.values()], ["tape", "tcp"])
