"""Errors in our own words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Len
from pydantic import Field, ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.config.sentences import did_you_mean, nearest, one_of, quote, sentence
from gateway.options import Duration, Integer, Names, Options, Size


class Sample(Options):
    needed: Integer
    low: Integer = Field(5, ge=1, le=9)
    inside: Integer = Field(5, gt=1, lt=9)
    size: Size = Field(1, ge=1, le=64 << 10)
    wait: Duration = Field(1.0, ge=0.5)
    mode: Literal["drop", "hold"] = "drop"
    word: str = Field("abc", min_length=2, max_length=4)
    code: str = Field("a1", pattern="^[a-z][0-9]$")
    names: Annotated[Names, Len(0, 2)] = ()
    real: float = 1.0
    number: int = 1
    flag: bool = False
    data: bytes = Field(b"", max_length=3)


class Sentences(SynchronousTestCase):
    def said(self, key: str, text: str) -> str:
        given = {"needed": "1", key: text} if key != "needed" or text else {}
        error = self.assertRaises(ValidationError, Sample.model_validate, given)
        (found,) = error.errors()
        return sentence(found, str(found["loc"][0]), Sample.model_fields.get(key), text)

    def test_all(self) -> None:
        """Every kind of error shows the value, and the limit in the units of the INI file."""
        for key, text, said in (
            ("needed", "", '"needed" is required'),
            ("needed", "fast", "'fast' is not an integer"),
            ("low", "0", "0 is less than 1"),
            ("low", "10", "10 is more than 9"),
            ("inside", "1", "1 is not greater than 1"),
            ("inside", "9", "9 is not less than 9"),
            ("size", "1MB", "1MB is more than 64KiB"),
            ("wait", "100ms", "100ms is less than 500ms"),
            ("mode", "hald", "'hald' is not one of drop, hold (did you mean 'hold'?)"),
            ("word", "a", "'a' has fewer than 2 characters"),
            ("word", "abcde", "'abcde' has more than 4 characters"),
            ("code", "11", "'11' does not match ^[a-z][0-9]$"),
            ("names", "a, b, c", "'a, b, c' has more than 2 entries"),
            ("data", "abcd", "'abcd' has more than 3 bytes"),
            ("unknown", "1", "unknown option"),
        ):
            self.assertEqual(self.said(key, text), said)

    def test_other_errors(self) -> None:
        """An error of pydantic without a text of its own gets a general one."""

        class Plain(Options):
            value: tuple[str, ...] = ()

        error = self.assertRaises(ValidationError, Plain.model_validate, {"value": "x"})
        found: Any = error.errors()[0]
        self.assertEqual(sentence(found, "value", Plain.model_fields["value"], "x"), "'x' is not text")
        self.assertEqual(sentence(found, "value", None, "x"), "'x' is not understood")

    def test_did_you_mean(self) -> None:
        """The most similar word is suggested, else the only one with this beginning, else none."""
        self.assertEqual(did_you_mean("badurate", ["baudrate", "bytesize"]), " (did you mean 'baudrate'?)")
        self.assertEqual(did_you_mean("zzz", ["baudrate"]), "")
        self.assertEqual(did_you_mean("tls", ["rts", "dtr"]), "")
        self.assertEqual([nearest(word, ["baudrate", "parity", "partner"]) for word in ("baud", "par", "ba")], ["baudrate", "", ""])
        self.assertEqual((nearest("lisen", ["device", "listen"]), nearest("zzz", ["listen"])), ("listen", ""))
        self.assertEqual(one_of("c", []), "'c' is not one of ")

    def test_short(self) -> None:
        """A long value is shortened, and control characters are escaped."""
        self.assertTrue(len(quote("x" * 1000)) < 70)
        self.assertEqual(quote("\x1b[2J"), "'\\x1b[2J'")
