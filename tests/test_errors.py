from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import CodecError, ConfigError, FramingError, GatewayError, WireError


class ErrorTests(SynchronousTestCase):
    def test_place(self) -> None:
        """A configuration error is one line, with as much of its place as is known."""
        for place, expected in (
            ({}, "wrong"),
            ({"file": "gw.ini"}, "gw.ini: wrong"),
            ({"file": "gw.ini", "line": 14}, "gw.ini:14: wrong"),
            ({"file": "gw.ini", "line": 14, "section": "gauge"}, "gw.ini:14: [gauge]: wrong"),
            ({"file": "gw.ini", "line": 14, "section": "gauge", "key": "baudrate"}, "gw.ini:14: [gauge] baudrate: wrong"),
            ({"key": "baudrate"}, "baudrate: wrong"),
        ):
            self.assertEqual(str(ConfigError("wrong", **place)), expected)  # type: ignore[arg-type]

    def test_whose_mistake(self) -> None:
        """A ConfigError is not a WireError, and both are GatewayErrors."""
        for error in (FramingError, CodecError):
            self.assertTrue(issubclass(error, WireError))
        self.assertFalse(issubclass(ConfigError, WireError))
        for error in (ConfigError, WireError):
            self.assertTrue(issubclass(error, GatewayError))
