"""From the keys of a section to options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from twisted.trial.unittest import SynchronousTestCase

from gateway.config.ini import read
from gateway.config.sections import Reading, load_part
from gateway.errors import ConfigError
from gateway.framing.lines import Options as LinesOptions
from gateway.options import Duration, FilePath, Integer, Options, Part, SecretRef, Size


class Box(Options):
    bytes: Size = Field(100, ge=1)
    when_full: Literal["drop", "block"] = "drop"


class Sample(Options):
    device: str
    baudrate: Integer = 9600
    stopbits: Literal[1, 1.5, 2] = 1
    key: FilePath | None = None
    files: tuple[FilePath, ...] = ()
    passphrase: SecretRef | None = None
    framing: Annotated[Any, Part("framing")] = None
    codec: Annotated[Any, Part("codec")] = None
    outbox: Box = Box(when_full="block")
    interval: Duration | None = None

    @field_validator("device")
    @classmethod
    def _known(cls, device: str) -> str:
        if device == "COM0":
            raise ValueError("there is no COM0")
        return device

    @model_validator(mode="after")
    def _fits(self) -> Sample:
        if self.baudrate == 1 and self.stopbits == 2:
            raise ValueError("stopbits = 2 does not go with baudrate = 1")
        if self.baudrate == 2:
            raise ValueError("interval: is needed at 2 baud")
        return self


class Sections(SynchronousTestCase):
    def read(self, *lines: str) -> tuple[Any, list[str]]:
        errors: list[ConfigError] = []
        (section,), found = read("\n".join(("[gps]", *lines)).encode(), "gw.ini")
        self.assertEqual(found, [])
        reading = Reading(section, "gw.ini", lambda path: f"/conf/{path}", errors)
        options = reading.options(Sample, own=("transport",), parts={"codec": "text"})
        return options, [str(error) for error in sorted(errors, key=lambda error: error.line)]

    def test_options(self) -> None:
        """Plain keys are fields, also enumerations of numbers; keys to leave out are left out."""
        options, errors = self.read("transport = x", "device = a", "baudrate = 300", "stopbits = 1.5")
        self.assertEqual(errors, [])
        self.assertEqual((options.device, options.baudrate, options.stopbits), ("a", 300, 1.5))

    def test_parts(self) -> None:
        """A key that names a part becomes that part's options, with the dotted keys below it; some parts have a default."""
        options, errors = self.read("device = a", "framing = lines", "framing.max = 1KiB", "framing.ending = \\r\\n")
        self.assertEqual(errors, [])
        self.assertEqual(options.framing, LinesOptions(max=1024, ending=b"\r\n"))
        self.assertEqual(type(options.codec).__module__, "gateway.codecs.text")

    def test_wrong_parts(self) -> None:
        """Unknown parts, unknown options of a part, and options without a part are errors."""
        self.assertEqual(
            self.read("device = a", "framing.max = 1", "codec = jsn", "codec.x = 1")[1],
            [
                "gw.ini:3: [gps] framing.max: needs framing = NAME in the same section",
                "gw.ini:4: [gps] codec: 'jsn' is not one of hex, json, raw, text (did you mean 'json'?)",
            ],
        )
        self.assertEqual(
            self.read("device = a", "framing = lines", "framing.mix = 1", "framing.max.x = 1", "max = 1", "framing. = 1")[1],
            [
                "gw.ini:4: [gps] framing.mix: unknown option (did you mean 'framing.max'?)",
                "gw.ini:5: [gps] framing.max.x: unknown option (did you mean 'framing.max'?)",
                "gw.ini:6: [gps] max: unknown option (did you mean 'framing.max'?)",
                "gw.ini:7: [gps] framing.: unknown option (did you mean 'framing'?)",
            ],
        )

    def test_options_of_wrong_parts(self) -> None:
        """The options of an unknown part are checked as those of a similar name, else as those that all parts have."""
        below = ("framing.max = much", "framing.width = 3", "framing.odd = 1")
        for name, said in (("lenght", ["gw.ini:5: [gps] framing.width: '3' is not one of 1, 2, 4"]), ("odd", [])):
            self.assertEqual(
                self.read("device = a", f"framing = {name}", *below)[1][1:],
                ["gw.ini:4: [gps] framing.max: 'much' is not a size (write 512, 64KiB or 1MB)", *said],
            )

    def test_parts_of_another_kind(self) -> None:
        """A part of another kind is refused with the key that it belongs to."""
        for written, said in (
            ("framing = json", "json is a codec: write codec = json"),
            ("codec = lines", "lines is a framing: write framing = lines"),
        ):
            (error,) = self.read("device = a", written)[1]
            self.assertTrue(error.endswith(f" ({said})"), error)

    def test_nested(self) -> None:
        """Dotted keys go on top of the nested default."""
        self.assertEqual(self.read("device = a", "outbox.bytes = 5")[0].outbox, Box(bytes=5, when_full="block"))
        self.assertEqual(self.read("device = a")[0].outbox, Box(when_full="block"))
        self.assertEqual(
            self.read("device = a", "outbox = 5", "outbox.bytes = 0", "outbox.when_full = x")[1],
            [
                "gw.ini:3: [gps] outbox: takes no value itself: write outbox.bytes or outbox.when_full",
                "gw.ini:4: [gps] outbox.bytes: 0 is less than 1",
                "gw.ini:5: [gps] outbox.when_full: 'x' is not one of drop, block",
            ],
        )

    def test_required(self) -> None:
        """A missing option is reported at the section, or at the part that needs it."""
        self.assertEqual(
            self.read("framing = silence")[1],
            ['gw.ini:1: [gps] device: "device" is required', 'gw.ini:2: [gps] framing.interval: "interval" is required'],
        )

    def test_unknown(self) -> None:
        """An unknown option is reported once, beside other errors, with a similar key."""
        self.assertEqual(
            self.read("device = COM0", "badurate = 1", "device.x = 2", "zzz = 1")[1],
            [
                "gw.ini:2: [gps] device: there is no COM0",
                "gw.ini:3: [gps] badurate: unknown option (did you mean 'baudrate'?)",
                "gw.ini:4: [gps] device.x: unknown option (did you mean 'device'?)",
                "gw.ini:5: [gps] zzz: unknown option",
            ],
        )

    def test_empty(self) -> None:
        """An empty value of text is an error."""
        self.assertEqual(self.read("device =")[1], ["gw.ini:2: [gps] device: has no value"])

    def test_contradictions(self) -> None:
        """A conflict is reported at the first key that the message names, or at the key that it begins with."""
        self.assertEqual(
            self.read("device = a", "baudrate = 1", "stopbits = 2")[1], ["gw.ini:4: [gps]: stopbits = 2 does not go with baudrate = 1"]
        )
        self.assertEqual(self.read("device = a", "baudrate = 2", "interval = 0")[1], ["gw.ini:4: [gps] interval: is needed at 2 baud"])

    def test_paths(self) -> None:
        """Paths are made absolute, also those of secrets in files; the names of environment variables are not."""
        self.assertEqual(self.read("device = a", "key = k.pem")[0].key, "/conf/k.pem")
        self.assertEqual(self.read("device = a", "passphrase = file:p")[0].passphrase, ("file", "/conf/p"))
        self.assertEqual(self.read("device = a", "passphrase = env:P")[0].passphrase, ("env", "P"))
        self.assertEqual(Sample.model_validate({"device": "a", "files": ("x",)}, context={"absolute": "/{}".format}).files, ("/x",))

    def test_refuse_all(self) -> None:
        """An error of a part as a whole is reported at the key that it begins with or names, else at the section."""
        errors: list[ConfigError] = []
        (section,), _ = read(b"[gps]\nkey = k.pem\ndevice = a", "gw.ini")
        Reading(section, "gw.ini", str, errors).refuse_all(["key: is expired", "device and key do not match", "all is wrong"], Sample)
        self.assertEqual(
            [str(error) for error in errors],
            ["gw.ini:2: [gps] key: is expired", "gw.ini:3: [gps]: device and key do not match", "gw.ini:1: [gps]: all is wrong"],
        )

    def test_load_part(self) -> None:
        """A part is loaded by name; an unknown one is a ConfigError."""
        self.assertIs(load_part("framing", "lines").Options, LinesOptions)
        self.assertRaises(ConfigError, load_part, "framing", "line")
