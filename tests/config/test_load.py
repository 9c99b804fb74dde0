"""Loading a configuration: from the file to plans, or to all of its mistakes."""

from __future__ import annotations

import os
import types
from typing import Any

import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import registry
from gateway.config.config import Config, ConfigErrors, GatewayOptions
from gateway.config.load import load
from gateway.config.table import table
from gateway.options import Address

from ..configuring import ConfigCase

BRIDGE = "[scale]\ndevice = /dev/ttyUSB0\nbaudrate = 9600\n[lan]\nlisten = 127.0.0.1:7000\nattach = scale\n"

TEN_MISTAKES = """\
[gauge]
device = /dev/ttyUSB0
baudrate = fast

[meter]
device = /dev/ttyUSB1
badurate = 9600

[raw]
listen = 127.0.0.1:7001
subscribe = meterr

[scale]
transport = sreial
device = /dev/ttyUSB2

[lines]
listen = 127.0.0.1:7002
framing = lines
framing.max = 64
when_absent = wait
listen = 127.0.0.1:7003

[web]
transport = websocket
listen = 127.0.0.1
subscribe = gauge
    codec = json

[secure]
listen = 0.0.0.0:7004
tls = site

[cold]
connect = 10.0.0.7:4001
framing = silence
"""

PIECES = [*TEN_MISTAKES.replace("=", " = ").split(" "), "\n", "=", "framing.max", "9" * 400]


class Loading(ConfigCase):
    def test_bridge(self) -> None:
        """The six lines of a two-way bridge are two links that hear each other."""
        config = self.config(BRIDGE)
        self.assertEqual(list(config.links), ["scale", "lan"])
        scale, lan = config.links.values()
        options: Any = lan.options
        self.assertEqual((scale.transport, lan.transport, options.listen), ("serial", "tcp", Address("127.0.0.1", 7000)))
        self.assertEqual((config.wiring["scale"], config.wiring["lan"]), (("lan",), ("scale",)))
        self.assertEqual((config.warnings, config.gateway, config.tls), ((), GatewayOptions(), {}))

    def test_ten_mistakes(self) -> None:
        """All mistakes of a file are reported at once, each with its line, and with a suggestion where one is known."""
        names = ", ".join(registry.names("transport"))
        self.assertEqual(
            self.mistakes(TEN_MISTAKES),
            [
                "gw.ini:3: [gauge] baudrate: 'fast' is not a baud rate (write 9600, or 9600 8N1 with the character format)",
                "gw.ini:7: [meter] badurate: unknown option (did you mean 'baudrate'?)",
                "gw.ini:11: [raw] subscribe: no link publishes 'meterr' (did you mean 'meter'?)",
                f"gw.ini:14: [scale] transport: 'sreial' is not one of {names} (did you mean 'serial'?)",
                "gw.ini:21: [lines] when_absent: 'wait' is not one of drop, hold",
                "gw.ini:22: [lines] listen: given twice, first on line 18",
                "gw.ini:26: [web] listen: '127.0.0.1' is not an address (write HOST:PORT, as 127.0.0.1:7000 or [::1]:7000)",
                "gw.ini:28: [web]: 'codec = json' is indented, so it would belong to the value above: begin a key in the first column",
                "gw.ini:32: [secure] tls: there is no [tls site] section: add it, with certificate and private_key",
                'gw.ini:36: [cold] framing.interval: "interval" is required',
            ],
        )

    def test_no_file(self) -> None:
        """A path that is not a readable file gives one error, without waiting, also for a FIFO that nobody writes to."""
        missing = os.path.join(self.directory, "none.ini")
        fifo = os.path.join(self.directory, "fifo")
        os.mkfifo(fifo)
        for path, said in (
            (missing, "cannot be read: No such file or directory: --config takes the INI file"),
            (self.directory, "this is a directory: --config takes the INI file"),
            (fifo, "this is not a regular file: --config takes the INI file"),
            ("a\0b", "cannot be read: embedded null byte"),
        ):
            self.assertEqual(str(self.assertRaises(ConfigErrors, load, path)), f"{path}: {said}")

    def test_large(self) -> None:
        """A file larger than any configuration is refused, and not read to its end."""
        self.assertEqual(self.mistakes("; " + "x" * (2 << 20)), ["gw.ini: larger than 1 MiB: this is not a configuration"])

    def test_absurd_numbers(self) -> None:
        """A number with hundreds of digits is refused like any other wrong value."""
        number = "9" * 400
        found = self.mistakes(
            BRIDGE + f"outbox.bytes = {number}GiB\nstall_timeout = {number}s\nmax_sessions = {number}\ntrace_rate = {number}/s"
        )
        self.assertEqual([line.partition(":")[2].split()[0] for line in found], ["7:", "8:", "9:", "10:"])

    def test_no_link(self) -> None:
        """A file without a link would do nothing, so it is refused."""
        self.assertEqual(
            self.mistakes("[gateway]\nmemory = 1MiB\n"),
            ["gw.ini: no link here: add a section with device, listen or connect"],
        )

    def test_gateway(self) -> None:
        """[gateway] sets what all links share, within its limits."""
        self.assertEqual(
            self.config(BRIDGE + "[gateway]\nmemory = 8MiB\nlinger = 500ms").gateway, GatewayOptions(memory=8 << 20, linger=0.5)
        )
        self.assertEqual(
            self.mistakes(BRIDGE + "[gateway]\nmemory = 8kB\nlinger = 2h"),
            ["gw.ini:8: [gateway] memory: 8kB is less than 1MiB", "gw.ini:9: [gateway] linger: 2h is more than 1m"],
        )

    def test_reserved(self) -> None:
        """Sections of later versions are refused rather than taken for links."""
        self.assertEqual(
            self.mistakes(BRIDGE + "[metrics]\nlisten = 127.0.0.1:9100"),
            ["gw.ini:7: [metrics]: this version has no such section: remove it"],
        )

    def test_later_keys(self) -> None:
        """Keys of later versions are unknown options, and imply no transport."""
        for key in ("exchange", "wire", "for", "control"):
            self.assertEqual(len(self.mistakes(BRIDGE + f"{key} = x")), 1)
        if "command" not in {key for keys in registry.declared("transport", "IMPLIED_BY", ()).values() for key in keys}:
            (error,) = self.mistakes(BRIDGE + "[job]\ncommand = cat")
            self.assertTrue(error.startswith("gw.ini:7: [job]: no transport: write device (for serial)"), error)

    def test_names(self) -> None:
        """A link's name is a topic and an entry of lists; only [tls NAME] has two words."""
        self.assertEqual(list(self.config("[meter/1]\nlisten = 127.0.0.1:0").links), ["meter/1"])
        for name, said in (
            ("link gps", "a link's name cannot hold ' ' (only [tls NAME] has two words): write [link-gps]"),
            ("a,b", "a link's name cannot hold ','"),
            ("a/#", "'a/#' holds a wildcard, which only a filter can"),
            ("$sys", "a level that begins with $ is reserved for the gateway"),
            ("{x}", "a link's name cannot hold '{'"),
            ("tls", "a TLS section has one name: [tls NAME]"),
            ("tls a b", "a TLS section has one name: [tls NAME]"),
        ):
            self.assertIn(f"gw.ini:1: [{name}]: {said}", self.mistakes(f"[{name}]\nlisten = 127.0.0.1:0"))
        self.assertEqual(len(self.mistakes("[a+b]\nlisten = 127.0.0.1:0")), 1)

    def test_unchanged(self) -> None:
        """The same text gives equal plans, so that a reload can leave a link alone; a comment changes nothing, a value does."""
        before = self.config(BRIDGE)
        self.assertEqual(self.config("; note\n" + BRIDGE).links, before.links)
        after = self.config(BRIDGE + "max_sessions = 5\n")
        self.assertEqual([after.links[name] == before.links[name] for name in ("scale", "lan")], [True, False])

    def test_relative_paths(self) -> None:
        """Relative paths are relative to the INI file, wherever the program is started."""
        options: Any = self.config("[a]\ntransport = replay\nfile = run/a.log\nrate = asap").links["a"].options
        self.assertEqual(options.file, os.path.join(self.directory, "run/a.log"))

    @given(st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join))
    @settings(derandomize=True, max_examples=150, deadline=None)
    def test_any_text(self, text: str) -> None:
        """Whatever stands in the file, it is a configuration or ConfigErrors in our own words."""
        try:
            found: Config | ConfigErrors = load(self.path(text.encode("utf-8", "replace").decode()))
        except ConfigErrors as errors:
            found = errors
            self.assertNotIn("Input should", str(errors))
            self.assertTrue(errors.errors)
        self.assertIsInstance(found, (Config, ConfigErrors))


class Transports(ConfigCase):
    def test_implied(self) -> None:
        """device means serial, listen and connect tcp."""
        config = self.config(
            "[a]\ndevice = /dev/a\n[b]\nlisten = 127.0.0.1:0\n[c]\nconnect = h:1\n[d]\ntransport = websocket\nlisten = 127.0.0.1:0"
        )
        self.assertEqual([plan.transport for plan in config.links.values()], ["serial", "tcp", "tcp", "websocket"])

    def test_unclear(self) -> None:
        """A section without a clear transport is refused with what to write."""
        names = "|".join(registry.names("transport"))
        self.assertEqual(
            self.mistakes("[a]\ndevice = /dev/a\nlisten = 127.0.0.1:0\n[b]\nsubscribe = a"),
            [
                "gw.ini:1: [a]: device means serial and listen means tcp: move listen to a section of its own, with attach = a",
                f"gw.ini:4: [b]: no transport: write device (for serial), listen or connect (for tcp), or transport = {names}",
            ],
        )

    def test_missing_library(self) -> None:
        """A part whose library is not installed is refused with the part's own advice."""
        real = registry.load

        def loading(kind: str, name: str) -> types.ModuleType:
            if name == "websocket":
                raise ImportError("pip install gateway[web]")
            return real(kind, name)

        self.patch(registry, "load", loading)
        self.assertEqual(
            self.mistakes("[a]\ntransport = websocket\nlisten = 127.0.0.1:0"),
            ["gw.ini:2: [a] transport: transport 'websocket' needs a library that is not installed: pip install gateway[web]"],
        )

    def test_default_codec(self) -> None:
        """Without ``codec`` a link has the default of its transport, which is raw on streams."""
        config = self.config(
            "[a]\nlisten = 127.0.0.1:0\n[b]\ntransport = websocket\nlisten = 127.0.0.1:0\n[c]\nlisten = 127.0.0.1:0\ncodec = json"
        )
        self.assertEqual([registry.kind_name(plan.options.codec) for plan in config.links.values()], ["raw", "text", "json"])


class Tls(ConfigCase):
    FAR = "[far]\nconnect = example.org:7000\ntls = site\nsubscribe = gps\n[gps]\ndevice = /dev/gps\nsubscribe = far\n"

    def certificates(self) -> None:
        """``site.pem`` (certificate and key) and ``ca.pem`` beside the INI file."""
        ca = trustme.CA()
        site = os.path.join(self.directory, "site.pem")
        ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(site)
        os.chmod(site, 0o600)
        ca.cert_pem.write_to_path(os.path.join(self.directory, "ca.pem"))

    def test_sections(self) -> None:
        """A [tls] section that is not there is an error, one that nobody uses a warning."""
        self.assertEqual(
            self.mistakes(self.FAR + "[tls sites]"), ["gw.ini:3: [far] tls: there is no [tls site] section (did you mean 'sites'?)"]
        )
        self.assertEqual(
            self.warnings(self.FAR + "[tls site]\n[tls other]"),
            ["gw.ini:9: [tls other] no link uses it; to use it: tls = other in the section of a link"],
        )

    def test_capitals(self) -> None:
        """A [TLS NAME] section is refused with the small letters to write, and read as what it means."""
        text = "[a]\nlisten = 127.0.0.1:0\ntls = site\n[TLS site]\nminimum = 3\n"
        self.assertEqual(
            self.mistakes(text)[:2],
            ["gw.ini:4: [TLS site]: write tls in small letters: [tls site]", "gw.ini:5: [TLS site] minimum: '3' is not one of 1.2, 1.3"],
        )

    def test_no_name(self) -> None:
        """A value of ``tls`` that cannot be a section's name is refused with what to write."""
        said = ": tls takes the NAME of a [tls NAME] section, which has certificate and private_key"
        for name in ("yes", "site.pem"):
            text = f"[a]\nlisten = 127.0.0.1:0\ntls = {name}\n"
            self.assertEqual(self.mistakes(text), [f"gw.ini:3: [a] tls: there is no [tls {name}] section{said}"])

    def test_unsafe(self) -> None:
        """A client that does not verify its server is marked in the table, and warned of."""
        config = self.config(self.FAR + "[tls site]\nverify = no")
        self.assertEqual([exposure.mark for exposure in config.exposures("far")], ["verify no"])
        self.assertEqual(len(config.warnings), 1)
        self.assertIn(":8: [tls site] verify: no: ANYBODY", config.warnings[0])

    def test_files(self) -> None:
        """The files of a section are checked before anything starts, each at the line of its key; a listener needs a certificate."""
        listener = "[a]\nlisten = 0.0.0.0:7000\ntls = site\n[tls site]\n"
        self.assertEqual(
            self.mistakes(listener), ["gw.ini:4: [tls site] certificate: a listener needs one: set certificate and private_key"]
        )
        found = self.mistakes(listener + "private_key = no.pem\ncertificate = no.pem")
        self.assertEqual(
            [line.rpartition(": /")[0] for line in found], ["gw.ini:5: [tls site] private_key", "gw.ini:6: [tls site] certificate"]
        )

    def test_contradictions(self) -> None:
        """Options that contradict each other give one error, at the line of one of them."""
        found = self.mistakes(self.FAR + "[tls site]\nfallback_from = 10.0.0.0/8")
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("gw.ini:9: [tls site]: fallback_from "), found)

    def test_fallback(self) -> None:
        """A TLS port that takes plain connections is marked; ``fallback`` of a client gets a warning."""
        self.certificates()
        files = "certificate = site.pem\nprivate_key = site.pem\n"
        config = self.config("[a]\nlisten = 0.0.0.0:7000\ntls = site\n[tls site]\nfallback = any\nfallback_write = yes\n" + files)
        self.assertEqual([exposure.mark for exposure in config.exposures("a")], ["fallback any, may write"])
        found = self.warnings(self.FAR + "[tls site]\nfallback = any\n")
        self.assertIn("gw.ini:8: [tls site] fallback = any is for listeners: a client never falls back", found)

    def test_clients_topics(self) -> None:
        """Where every client has a certificate, each may have a topic of its own, which others hear by its name or by one above it."""
        self.certificates()
        text = "[in]\nlisten = 0.0.0.0:7000\ntls = site\ntopic = feed/{client}\n[out]\nlisten = 127.0.0.1:7001\nsubscribe = "
        files = "\n[tls site]\ncertificate = site.pem\nprivate_key = site.pem\nca = ca.pem\nclient_certificates = "
        for filter in ("feed", "feed/#", "feed/edge-1", "feed/+"):
            config = self.config(text + filter + files + "required")
            self.assertEqual((config.sources["out"], config.wiring["out"]), (("in",), (filter,)))
            self.assertEqual(config.exposures("in"), [])
        self.assertEqual(
            self.mistakes(text + "food" + files + "optional"),
            [
                "gw.ini:4: [in] topic: {client} needs tls = NAME, and client_certificates = required in [tls NAME]",
                "gw.ini:7: [out] subscribe: no link publishes 'food'",
            ],
        )
        taken = text + "feed\ntopic = feed/edge-1" + files + "required"
        self.assertEqual(
            self.mistakes(taken),
            [
                "gw.ini:7: [out] subscribe: 'feed': a link cannot hear itself: name another one",
                "gw.ini:8: [out] topic: 'feed/edge-1' is already the topic of [in]",
            ],
        )

    def test_one_mistake_one_error(self) -> None:
        """A mistake in a [tls] section gives no second error in the links that use it."""
        text = "[in]\nlisten = 0.0.0.0:7000\ntls = site\ntopic = feed/{client}\n[tls site]\nminimum = new"
        self.assertEqual(self.mistakes(text), ["gw.ini:6: [tls site] minimum: 'new' is not one of 1.2, 1.3"])

    def test_anybody_writes(self) -> None:
        """A TLS listener without client certificates is marked if its clients can write to a link."""
        self.certificates()
        text = "[a]\nlisten = 0.0.0.0:7000\ntls = site\nattach = gps\n[gps]\ndevice = /dev/gps\n"
        config = self.config(text + "[tls site]\ncertificate = site.pem\nprivate_key = site.pem")
        self.assertEqual([exposure.mark for exposure in config.exposures("a")], ["no client certificate"])


class Warnings(ConfigCase):
    def test_unheard(self) -> None:
        """A link whose input nobody hears is noted, with what to write so that it is heard."""
        self.assertEqual(
            self.warnings(
                "[scale]\ndevice = /dev/a\n[lan]\nlisten = 127.0.0.1:0\nsubscribe = scale\n"
                "[up]\nconnect = h:1\nsubscribe = up/#, chat\n[chat]\nlisten = 127.0.0.1:0\nsubscribe = chat/#"
            ),
            [
                "gw.ini:3: [lan] what its clients send goes nowhere; to write to scale: attach = scale",
                "gw.ini:6: [up] what the far end sends goes nowhere; to write to chat: attach = chat",
            ],
        )

    def test_advice_that_can_be_followed(self) -> None:
        """The note suggests neither a link's ``$sent`` for ``attach`` nor a capture, which takes no data."""
        capture = os.path.join(self.directory, "day.log")
        with open(capture, "w") as file:
            file.write("x\n")
        text = (
            "[dev]\ndevice = /dev/a\nsubscribe = op\n[op]\nlisten = 127.0.0.1:0\n[audit]\nlisten = 127.0.0.1:0\nsubscribe = dev/$sent\n"
            f"[day]\nfile = {capture}\ntransport = replay\nrate = asap\n[view]\nlisten = 127.0.0.1:0\nsubscribe = day, dev\n"
            "[past]\nlisten = 127.0.0.1:0\nsubscribe = day\n"
        )
        self.assertEqual(
            self.warnings(text),
            [
                "gw.ini:6: [audit] what its clients send goes nowhere",
                "gw.ini:13: [view] what its clients send goes nowhere; to write to dev: attach = dev",
                "gw.ini:16: [past] what its clients send goes nowhere",
            ],
        )

    def test_two_devices(self) -> None:
        """Two devices that hear each other are warned of once, as their echoes could go round for ever."""
        devices = "[a]\ndevice = /dev/a\n[b]\ndevice = /dev/b\n"
        said = "hears [a], and [a] hears it: what one device sends is written to the other; if both echo, it goes round for ever"
        self.assertEqual(self.warnings(devices + "attach = a"), [f"gw.ini:3: [b] {said}"])
        self.assertEqual(
            self.warnings(devices + "subscribe = a"), ["gw.ini:3: [b] nobody hears it; to hear it: subscribe = b in another section"]
        )

    def test_notes(self) -> None:
        """An unheard link that hears others gets a note, as it may be a mere reader; one that hears nothing gets a warning."""
        config = self.config("[scale]\ndevice = /dev/a\n[lan]\nlisten = 127.0.0.1:0\nsubscribe = scale\n[lost]\nlisten = 127.0.0.1:0\n")
        self.assertEqual(([len(config.warnings), len(config.notes)]), [1, 1])
        self.assertIn("[lost]", config.warnings[0])
        self.assertIn("[lan]", config.notes[0])

    def test_lonely(self) -> None:
        """A device that nobody hears is warned of."""
        self.assertEqual(
            self.warnings("[scale]\ndevice = /dev/a\n[far]\nconnect = h:1"),
            [
                "gw.ini:1: [scale] nobody hears it; to hear it: subscribe = scale in another section",
                "gw.ini:3: [far] what the far end sends goes nowhere",
            ],
        )

    def test_parts(self) -> None:
        """A part's own warnings are shown with the line of the link."""
        found = self.warnings(BRIDGE.replace("baudrate = 9600", "framing = silence\nframing.interval = 1ms"))
        self.assertTrue(found)
        self.assertTrue(all(text.startswith("gw.ini:1: [scale] ") for text in found), found)


class Table(ConfigCase):
    def test_delegates(self) -> None:
        """``table`` is what --check prints."""
        config = self.config(BRIDGE)
        self.assertIn("lan", table(config))
