"""Speeds and character formats, as a user writes them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.settings import HIGHEST_BAUDRATE, BaudRate, PortSettings, Speed, parse_speed


class SpeedTests(SynchronousTestCase):
    def test_read(self) -> None:
        """A rate stands alone or with its character format, in either case of letter."""
        self.assertEqual(parse_speed("9600"), Speed(9600))
        self.assertEqual(parse_speed("9600 7E1"), Speed(9600, 7, "even", "1"))
        self.assertEqual(parse_speed("250000  5o1.5"), Speed(250000, 5, "odd", "1.5"))

    def test_refused(self) -> None:
        """What no port can be set to is refused, and the error says what was written and what is right."""
        for text, said in (
            ("fast", "'fast' is not a baud rate (write 9600, or 9600 8N1 with the character format)"),
            ("9600n81", "'9600n81' is not a baud rate (write 9600, or 9600 8N1"),
            ("9600,8,N,1", "'9600,8,N,1' is not a baud rate (write 9600, or 9600 8N1"),
            ("0", "0 is not a baud rate (1 to 12000000)"),
            ("-9600", "-9600 is not a baud rate"),
            ("1000000000", "1000000000 is not a baud rate"),
            ("9600 9N1", "'9N1' is not a character format (write 8N1"),
            ("9600 8 N 1", "'8 N 1' is not a character format"),
            ("9_600", "'9_600' is not a baud rate"),
        ):
            self.assertIn(said, str(self.assertRaises(ValueError, parse_speed, text)))

    @given(st.integers(1, HIGHEST_BAUDRATE), st.sampled_from((5, 6, 7, 8)), st.sampled_from("NEOMS"), st.sampled_from(("1", "1.5", "2")))
    @settings(derandomize=True, max_examples=50)
    def test_round_trip(self, rate: int, bits: int, parity: str, stop: str) -> None:
        """A speed that was written is read as the same speed."""
        for text in (str(rate), f"{rate} {bits}{parity}{stop}"):
            self.assertEqual(str(parse_speed(text)), text)

    def test_option(self) -> None:
        """An option takes a speed as text or as a number; an empty value is an error, not a crash."""
        adapter = TypeAdapter(BaudRate)
        self.assertEqual(adapter.validate_python("9600 8N1"), Speed(9600, 8, "none", "1"))
        self.assertEqual(adapter.validate_python(115200), Speed(115200))
        self.assertRaises(ValidationError, adapter.validate_python, " ")
        self.assertRaises(ValidationError, adapter.validate_python, 0)


class SettingsTests(SynchronousTestCase):
    def test_text(self) -> None:
        """Settings are written in one line, with the modem lines only where they are driven."""
        self.assertEqual(str(PortSettings()), "9600 8N1, flow none")
        self.assertEqual(str(PortSettings(300, 7, "mark", "2", "rtscts", dtr="off")), "300 7M2, flow rtscts, DTR off")


class CharacterTests(SynchronousTestCase):
    def test_time(self) -> None:
        """A character has a start bit, data bits, perhaps parity, and stop bits."""
        self.assertEqual(PortSettings(300).character_time, 10 / 300)
        self.assertEqual(PortSettings(1200, 7, "even", "2").character_time, 11 / 1200)
